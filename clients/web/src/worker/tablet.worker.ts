// A tab's worker: answers its page, by itself or through the tab that owns the data.

import "../policy";
import init, { checkPin } from "../../core/tablet";
import wasm from "../../core/tablet_bg.wasm?url";
import { Given } from "./given";
import { lockEnded, prepare } from "./locks";
import { changePin, enrol, firstPin, people, recoveryFile, right, unlock } from "./people";
import { CLOSED, Failure, thrown, type Answer, type Ask, type Calls, type OwnCall, type OwnerCall, type Who } from "./protocol";
import { Tabs } from "./tabs";
import type { Desks, Opened, Person, Report, WorkItem } from "./views";

const say = (answer: Answer) => postMessage(answer);
/** Compiled while it comes; a proxy on the way may have taken away what kind of file it is. */
const compiled = WebAssembly.compileStreaming(fetch(wasm)).catch(async () => WebAssembly.compile(await (await fetch(wasm)).arrayBuffer()));
const core = compiled.then((module) => init({ module_or_path: module }));
prepare(compiled, (lock, port) => postMessage(lock, [port]));

const tabs = new Tabs(core, say, () => {
  // What was answered goes out first; then this worker is of no use any more.
  setTimeout(() => {
    say({ restart: tabs.who });
    close();
  });
});

/** From a PIN that was right to the list, and from asking for a report to having it: noted where browsers keep such
    times, for whoever measures them. */
const LIST = "dongbo-list";
const REPORT = "dongbo-report";

async function timed<T>(name: string, start: number, done: Promise<T>): Promise<T> {
  const value = await done;
  performance.measure(name, { start });
  return value;
}

type Handlers = { [Name in OwnCall]: (...ask: Calls[Name]["ask"]) => Promise<Calls[Name]["get"]> };

/** What any tab does by itself. Who works here is known before the core has arrived. */
const handlers: Handlers = {
  deskKey,
  people: async () => people(await tabs.database()),
  enrol: async (code, label, pin) => {
    await core;
    return enrol(await tabs.database(), code, label, pin);
  },
  checkPin: async (pin) => {
    await core;
    checkPin(pin);
    return null;
  },
  unlock: async (keyId, pin) => {
    await core;
    const database = await tabs.database();
    const who = await unlock(database, keyId, pin);
    const start = performance.now();
    const joined = tabs.join(who);
    // Afterwards, since nobody needs to wait for it: a count that stays is one try, not a wait.
    const forgotten = () => void right(database, keyId).catch(() => undefined);
    joined.then(forgotten, forgotten);
    return timed(LIST, start, begun(await joined));
  },
  protect: async (keyId, pin) => {
    await core;
    const { who, lock } = await firstPin(await tabs.database(), keyId, pin);
    return begun(await tabs.protect(who, lock));
  },
  changePin: async (keyId, pin, next) => {
    await core;
    await changePin(await tabs.database(), keyId, pin, next);
    return null;
  },
  remove: (keyId, unsent) => tabs.remove(keyId, unsent),
  lock: async () => {
    await tabs.leave();
    return null;
  },
  recoveryOf: async (keyId) => {
    await core;
    return recoveryFile(await tabs.database(), keyId);
  },
};

/** What the page shows first, in one answer: a slow tablet feels every way there and back. */
async function begun(person: Person): Promise<Opened> {
  const asked = (call: OwnerCall) => tabs.call(call, [], () => undefined);
  const [desks, work] = await Promise.all([asked("desks"), asked("work")]);
  return { person, desks: desks as Desks, work: work as WorkItem[] };
}

/** From the secrets of who works here, for one use alone. */
async function deskKey(): Promise<CryptoKey> {
  if (!tabs.who) throw new Failure(CLOSED, "nobody works here");
  const secrets = await crypto.subtle.importKey("raw", tabs.who.secrets, "HKDF", false, ["deriveKey"]);
  const purpose = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new TextEncoder().encode("dongbo desk answers") };
  return crypto.subtle.deriveKey(purpose, secrets, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

/** What the page of this tab has of its report. */
const given = new Given();

const isOwn = (call: string): call is OwnCall => call in handlers;

async function answered({ id, call, arguments: list }: Ask): Promise<unknown> {
  if (call === "preview") return given.would((await tabs.call(call, list, () => undefined)) as Report);
  if (!isOwn(call)) {
    const start = performance.now();
    const called = tabs.call(call as OwnerCall, list, (early) => {
      const report = early as Report;
      say({ id, early: call === "report" ? given.whole(report) : given.change(report) });
    });
    return call === "report" ? timed(REPORT, start, called) : called;
  }
  const handler = handlers[call] as (...ask: unknown[]) => Promise<unknown>;
  return handler(...list);
}

onmessage = async (event: MessageEvent<Ask | { resume: Who } | { lockEnded: number }>) => {
  if ("lockEnded" in event.data) return lockEnded(event.data.lockEnded);
  if ("resume" in event.data) {
    await tabs.join(event.data.resume).catch(() => undefined);
    return;
  }
  const { id } = event.data;
  try {
    say({ id, value: await answered(event.data) });
  } catch (error) {
    const { code, message } = thrown(error);
    say({ id, code, text: message });
  }
};
