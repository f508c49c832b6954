// The owner of the data: one tablet of the core, its database, its road to the server.
//
// A step's writes are durable before it is answered, and before anything is sent. If they cannot be
// kept, the tablet is opened again from what is durable: what was not kept was never said to be.

import init, { Tablet } from "../../core/tablet";
import wasm from "../../core/tablet_bg.wasm?url";
import { keep, openDatabase, readTruth, type Database, type KeptPerson } from "./durable";
import { Failure, type Answer, type Ask, type Calls, type Card, type Link, type Standing } from "./protocol";
import { DeviceSession, OFFLINE, postJson } from "./server";
import type { Person, Report, Status } from "./views";

/** What a key is kept under until the server has said whose it is. */
const PENDING = "pending ";
/** Seconds since 1970 by this device: a claim. */
const now = () => Math.floor(Date.now() / 1000);
/** Waits between tries while offline; a press on the badge does not wait. */
const WAITS_MS = [2_000, 5_000, 15_000, 60_000];
/** While all is well, others' work is asked for this often. */
const LOOK_MS = 20_000;
/** Typing that pauses this long is sealed and sent. */
const PAUSE_MS = 4_000;

interface Opened {
  person: KeptPerson;
  tablet: Tablet;
  session: DeviceSession;
}

let database: Database;
let opened: Opened | null = null;
let link: Link = { at: "unknown" };
let savedAt: number | null = null;
let notices: Standing["notices"] = [];
let persisted: boolean | null = null;
let failures = 0;
let synchronising = false;
let timer: ReturnType<typeof setTimeout> | undefined;
/** Steps run one after the other. */
let turn: Promise<unknown> = Promise.resolve();

const say = (answer: Answer) => postMessage(answer);
const random = (count: number) => crypto.getRandomValues(new Uint8Array(count));

function inTurn<T>(step: () => Promise<T>): Promise<T> {
  const mine = turn.then(step, step);
  turn = mine.catch(() => undefined);
  return mine;
}

function here(): Opened {
  if (!opened) throw new Failure("tablet-closed", "nobody works here");
  return opened;
}

function thrown(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const text = error instanceof Error ? error.message : String(error);
  const code = /^(tablet-[a-z]+): /.exec(text)?.[1] ?? "tablet-fault";
  return new Failure(code, text);
}

/** Does a step and makes its writes durable. Steps wait for each other, never for the network. */
const step = <T>(act: (tablet: Tablet) => T): Promise<T> => inTurn(() => stepNow(act));

async function stepNow<T>(act: (tablet: Tablet) => T): Promise<T> {
  const { tablet, person } = here();
  const value = act(tablet);
  const writes = tablet.takeWrites();
  if (writes.length > 0) {
    try {
      await keep(database, person.keyId, writes);
    } catch (error) {
      await open(person);
      throw new Failure("device-full", String(error));
    }
    savedAt = now();
  }
  return value;
}

async function open(person: KeptPerson): Promise<void> {
  opened?.tablet.free();
  opened = null;
  const truth = await readTruth(database, person.keyId);
  const tablet = new Tablet(person.province, person.installation, person.seed, truth);
  opened = { person, tablet, session: new DeviceSession(tablet, person.keyId) };
  await stepNow(() => undefined);
}

function tell(): void {
  if (!opened) return;
  const status = JSON.parse(opened.tablet.status()) as Status;
  say({ standing: { link, status, savedAt, notices, persisted } });
}

function later(milliseconds: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void synchronise(), milliseconds);
}

/** Seals what was typed and exchanges until neither side lacks anything, or the road ends. */
async function synchronise(): Promise<void> {
  if (!opened || synchronising) return;
  synchronising = true;
  clearTimeout(timer);
  const mine = opened;
  const { session } = opened;
  const before = link;
  link = { at: "busy" };
  if (before.at !== "synchronised") tell();
  try {
    await step((tablet) => tablet.seal(now()));
    for (let again = true; again; ) {
      const frame = (await step((tablet) => tablet.request())) as Uint8Array<ArrayBuffer>;
      const answer = await session.exchange(frame);
      if (opened !== mine) break;
      const received = JSON.parse(
        await step((tablet) => tablet.receive(answer, now(), random(8))),
      ) as { again: boolean; documents: string[]; notices: Standing["notices"] };
      if (received.documents.length > 0) say({ changed: received.documents });
      notices = [...notices, ...received.notices].slice(-20);
      again = received.again;
    }
    failures = 0;
    link = { at: "synchronised", when: now() };
    later(LOOK_MS);
  } catch (error) {
    const failure = thrown(error);
    link = failure.code === OFFLINE ? { at: "offline" } : { at: "refused", code: failure.code };
    later(WAITS_MS[Math.min(failures, WAITS_MS.length - 1)] ?? 60_000);
    failures += 1;
  }
  synchronising = false;
  tell();
}

async function enrol(code: string, label: string): Promise<Card> {
  // Kept before it is used: a code whose answer was lost works again for the same key only.
  const name = PENDING + code.trim();
  const pending = await database.get("people", name);
  const seed = pending?.seed ?? random(32);
  const installation = pending?.installation ?? random(8);
  if (!pending) {
    const nobody = { name: "", display: "", province: "", provinceName: "" };
    await keepPerson({ ...nobody, keyId: name, seed, installation });
  }
  // A tablet of no province yet, for its public key alone.
  const key = new Tablet("0".repeat(32), installation, seed, new Uint8Array());
  const public_key = key.publicKey();
  key.free();
  const redeemed = await postJson("/v1/enrolments/redeem", { code, public_key, label });
  const person: KeptPerson = {
    keyId: redeemed.key_id,
    name: redeemed.name,
    display: redeemed.display,
    province: redeemed.province,
    provinceName: redeemed.province_name,
    seed,
    installation,
  };
  await keepPerson(person, name);
  return card(person);
}

/** Makes a person durable, in place of what was kept under another name. */
async function keepPerson(person: KeptPerson, instead?: string): Promise<void> {
  const transaction = database.transaction("people", "readwrite", { durability: "strict" });
  await Promise.all([
    transaction.store.put(person),
    instead === undefined ? undefined : transaction.store.delete(instead),
    transaction.done,
  ]);
}

function card({ keyId, name, display, province, provinceName }: KeptPerson): Card {
  return { keyId, name, display, province, provinceName };
}

async function begin(keyId: string): Promise<Person> {
  const person = await database.get("people", keyId);
  if (!person) throw new Failure("tablet-unknown", keyId);
  persisted = (await navigator.storage?.persisted?.()) ?? null;
  await inTurn(() => open(person));
  // The catalogue comes with the first exchange; afterwards nothing here waits for a server.
  const { tablet } = here();
  if ((JSON.parse(tablet.status()) as Status).catalogue === 0) await synchronise();
  else later(0);
  tell();
  return JSON.parse(tablet.person(now())) as Person;
}

type Handlers = { [Name in keyof Calls]: (...ask: Calls[Name]["ask"]) => Promise<Calls[Name]["get"]> };

const parsed = async <T>(act: (tablet: Tablet) => string): Promise<T> =>
  JSON.parse(await step(act)) as T;

const handlers: Handlers = {
  people: async () => {
    const all = await database.getAll("people");
    return all.filter((person) => !person.keyId.startsWith(PENDING)).map(card);
  },
  enrol,
  open: begin,
  work: () => parsed((tablet) => tablet.work(now())),
  form: (template) => parsed((tablet) => tablet.form(template)),
  report: (subject) => parsed((tablet) => tablet.report(JSON.stringify(subject))),
  edit: async (subject, edits) => {
    const report = await parsed<Report>((tablet) =>
      tablet.edit(JSON.stringify(subject), JSON.stringify(edits), now()),
    );
    later(link.at === "offline" ? 1_000 : PAUSE_MS);
    tell();
    return report;
  },
  read: (template, code, text) => parsed((tablet) => tablet.readTyped(template, code, text)),
  history: (subject, code) => parsed((tablet) => tablet.history(JSON.stringify(subject), code)),
  sync: async () => {
    failures = 0;
    await synchronise();
    return null;
  },
};

const ready = (async () => {
  // One owner of the data, whatever number of tabs: a second one waits until the first is closed.
  const held = new Promise<void>((resolve, reject) => {
    navigator.locks
      .request("dongbo-owner", () => {
        resolve();
        return new Promise<never>(() => undefined);
      })
      .catch(reject);
  });
  await Promise.all([init({ module_or_path: wasm }), held]);
  database = await openDatabase();
})();

async function handle({ call, arguments: ask }: Ask): Promise<unknown> {
  await ready;
  const handler = handlers[call] as (...ask: unknown[]) => Promise<unknown>;
  return handler(...ask);
}

onmessage = async (event: MessageEvent<Ask>) => {
  const { id } = event.data;
  try {
    say({ id, value: await handle(event.data) });
  } catch (error) {
    const { code, message } = thrown(error);
    say({ id, code, text: message });
  }
};
