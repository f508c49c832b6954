// The tab that owns the data: each person's work is open here once, for all their tabs.

import { CLOSED, Failure, now, random, type Answer, type Calls, type OwnerCall, type Who } from "./protocol";
import { Fence, put, readRows, unpacked, type Bytes, type Database } from "./durable";
import { Vault } from "../../core/tablet";
import type { Bundled, Narrative, Person, Report, Subject, Turned } from "./views";
import { removed } from "./removal";
import { Work } from "./work";

/** A tab holds a lock of this name as long as it lives. */
export const tabLock = (tab: string): string => `dongbo-tab-${tab}`;

type Handlers = {
  [Name in OwnerCall]: (work: Work, early: (value: unknown) => void, ...ask: Calls[Name]["ask"]) => Promise<Calls[Name]["get"]>;
};

/** A form is looked at as it was published, or as a report is filled by it. */
const filled = (of: Subject | undefined): string | undefined => of && JSON.stringify(of);

const handlers: Handlers = {
  work: (work) => work.list(),
  form: (work, _, template, version, of) => work.parsed((tablet) => tablet.form(template, version, filled(of))),
  localRows: (work, _, subject) => work.parsed((tablet) => tablet.localRows(JSON.stringify(subject), now())),
  addLocalRow: async (work, _, subject, unit, row, madeAt, bits) => {
    const added = await work.step((tablet) =>
      tablet.addLocalRow(JSON.stringify(subject), unit, JSON.stringify(row), madeAt, Uint8Array.from(bits)),
    );
    work.typed();
    return JSON.parse(added) as { code: string };
  },
  changeLocalRow: async (work, _, subject, code, change) => {
    await work.step((tablet) => tablet.changeLocalRow(JSON.stringify(subject), code, JSON.stringify(change), now()));
    work.typed();
    return null;
  },
  newerVersion: (work, _, subject) => work.parsed((tablet) => tablet.newerVersion(JSON.stringify(subject))),
  toVersion: async (work, _, subject, version) => {
    const edits = JSON.stringify([{ kind: "version", version }]);
    await work.step((tablet) => tablet.edit(JSON.stringify(subject), edits, now()));
    work.typed();
    return null;
  },
  report: async (work, early, subject) => {
    await work.step((tablet) => tablet.report(JSON.stringify(subject)), undefined, (report) => early(JSON.parse(report)));
    return null;
  },
  edit: async (work, early, subject, edits) => {
    await work.step(
      (tablet) => tablet.edit(JSON.stringify(subject), JSON.stringify(edits), now()),
      undefined,
      (report) => early(JSON.parse(report)),
    );
    work.typed();
    return null;
  },
  turn: async (work, early, subject, step, back) => {
    const turned = await work.step(
      (tablet) => JSON.parse(tablet.turn(JSON.stringify(subject), step, back, now())) as Report & Turned,
      undefined,
      early,
    );
    work.typed();
    return { said: turned.said, kept: turned.kept };
  },
  // The tab's worker makes of it what is different there.
  preview: (work, _, subject, edits) => work.parsed((tablet) => tablet.preview(JSON.stringify(subject), JSON.stringify(edits), now())),
  narrative: (work, _, subject) => work.parsed((tablet) => tablet.narrative(JSON.stringify(subject))),
  writeWords: async (work, _, subject, part, seen, typed) => {
    const words = await work.step((tablet) => tablet.writeWords(JSON.stringify(subject), part, seen, typed, now()));
    work.typed();
    return JSON.parse(words) as Narrative;
  },
  renewQuotes: async (work, _, subject, part) => {
    const words = await work.step((tablet) => tablet.renewQuotes(JSON.stringify(subject), part, now()));
    work.typed();
    return JSON.parse(words) as Narrative;
  },
  read: (work, _, template, code, text, version, of) =>
    work.parsed((tablet) => tablet.readTyped(template, code, text, version, filled(of))),
  readAll: (work, _, template, cells, version, of) =>
    work.parsed((tablet) => tablet.readAll(template, JSON.stringify(cells), version, filled(of))),
  earlier: (work, _, subject) => work.parsed((tablet) => tablet.earlier(JSON.stringify(subject))),
  history: (work, _, subject, code) => work.parsed((tablet) => tablet.history(JSON.stringify(subject), code)),
  desks: (work) => work.parsed((tablet) => tablet.desks(now())),
  effect: (work, _, subject, code, choices, totals) =>
    work.parsed((tablet) => tablet.effect(JSON.stringify(subject), code, JSON.stringify(choices), JSON.stringify(totals))),
  token: (work, _, refused) => work.session().token(refused),
  sync: async (work, _, anyway) => {
    await work.synchroniseNow(anyway);
    return null;
  },
  budget: async (work, _, perDay) => {
    await work.step((tablet) => tablet.setBudget(perDay ?? undefined));
    work.tell();
    work.soon();
    return null;
  },
  years: async (work, _, since) => {
    await work.step((tablet) => tablet.askForYears(since));
    work.tell();
    await work.synchroniseNow();
    return null;
  },
  use: async (work, _, address) => {
    work.nodes.use(address);
    await work.synchroniseNow();
    return null;
  },
  unsent: (work) => work.parsed((tablet) => tablet.unsent(now())),
  recovery: async (work) => {
    // What is typed goes into the file as well: sealed first, as it would be before it is sent.
    await work.step((tablet) => tablet.seal(now()));
    work.tell();
    return work.step((tablet) => tablet.recovery());
  },
  bundle: async (work) => {
    await work.step((tablet) => tablet.seal(now()));
    // Durable with its number before anybody has it.
    const file = await work.step((tablet) => tablet.writeBundle(now()));
    work.moved([]);
    return file as Uint8Array<ArrayBuffer>;
  },
  takeBundle: async (work, _, bytes) => {
    const bundled = await work.parsed<Bundled>((tablet) => tablet.takeBundle(bytes, now()));
    work.note(bundled.notices);
    work.moved(bundled.documents);
    return bundled;
  },
  persist: async (work, _, granted) => {
    work.persisted = granted;
    work.tell();
    return null;
  },
};

interface Events {
  /** To every tab of a person. */
  say: (keyId: string, answer: Answer) => void;
  /** The worker has to end. */
  panicked: () => void;
}

export class Owner {
  #works = new Map<string, Promise<Work>>();
  /** Who works in which tab. */
  #tabs = new Map<string, string>();

  private constructor(
    private readonly fence: Fence,
    private readonly events: Events,
  ) {}

  /** Takes the right to write. */
  static async begin(database: Database, events: Events): Promise<Owner> {
    const fence = new Fence(database, crypto.randomUUID());
    await fence.raise();
    return new Owner(fence, events);
  }

  /** Ends at once: another tab owns the data. */
  end(): void {
    for (const work of this.#works.values()) void work.then((open) => open.close()).catch(() => undefined);
    this.#works.clear();
    this.#tabs.clear();
  }

  /** Opens a person's work for a tab. */
  async join(tab: string, who: Who): Promise<Person> {
    const { keyId } = who;
    this.#watch(tab, keyId);
    let open = this.#works.get(keyId);
    if (!open) {
      const say = (answer: Answer) => this.events.say(keyId, answer);
      const { panicked } = this.events;
      open = Work.open(this.fence, keyId, who.secrets.slice(), { say, panicked });
      this.#works.set(keyId, open);
      open.catch(() => this.#works.delete(keyId));
    }
    const work = await open;
    void this.#askPersisted(work);
    // The catalogue comes with the first exchange; afterwards nothing here waits for a server.
    if (work.standing().status.catalogue === 0) await work.synchronise();
    else work.soon();
    work.tell();
    return work.parsed<Person>((tablet) => tablet.person(now()));
  }

  /** Whether the browser keeps what is here, told when it answers. */
  async #askPersisted(work: Work): Promise<void> {
    if (work.persisted !== null) return;
    const persisted = (await navigator.storage?.persisted?.()) ?? null;
    work.persisted ??= persisted;
    work.tell();
  }

  #watch(tab: string, keyId: string): void {
    const known = this.#tabs.has(tab);
    this.#tabs.set(tab, keyId);
    // Granted when the tab is gone, in whatever way.
    if (!known) void navigator.locks.request(tabLock(tab), () => this.leave(tab));
  }

  /** A tab is left: what was typed is sealed, and with the last tab of a person their work is shut. */
  async leave(tab: string): Promise<void> {
    const keyId = this.#tabs.get(tab);
    if (keyId === undefined) return;
    this.#tabs.delete(tab);
    const work = await this.#works.get(keyId)?.catch(() => undefined);
    if (!work) return;
    await work.step((tablet) => tablet.seal(now())).catch(() => undefined);
    if ([...this.#tabs.values()].includes(keyId)) return;
    this.#works.delete(keyId);
    work.close();
  }

  /** Answers a call for a person. */
  async answer(keyId: string, call: OwnerCall, list: unknown[], early: (value: unknown) => void): Promise<unknown> {
    const work = await this.#works.get(keyId);
    if (!work) throw new Failure(CLOSED, "nobody works here");
    const handler = handlers[call] as (work: Work, early: (value: unknown) => void, ...ask: unknown[]) => Promise<unknown>;
    return handler(work, early, ...list);
  }

  /** Removes a person whose work is open nowhere; it cannot be opened meanwhile. */
  async remove(keyId: string, unsent: number): Promise<void> {
    if (this.#works.has(keyId)) throw new Failure("remove-open", "this person works in another tab");
    const done = removed(this.fence, keyId, unsent);
    const nobody = done.then(() => Promise.reject(new Failure("tablet-unknown", keyId)));
    nobody.catch(() => this.#works.delete(keyId));
    this.#works.set(keyId, nobody);
    await done;
  }

  /** Shuts what was kept in clear, as a whole: the lock stands and every row is sealed, or nothing is. */
  async protect(who: Who, lock: Bytes): Promise<void> {
    const { keyId, secrets } = who;
    const { database } = this.fence;
    const person = await database.get("people", keyId);
    if (!person) throw new Failure("tablet-unknown", keyId);
    if (person.lock) throw new Failure("pin-set", "there is a PIN already");
    const clear = await readRows(database, "truth", keyId);
    const vault = new Vault(keyId, secrets, random(16));
    const sealed = vault.seal(clear);
    vault.free();
    const { seed: _, ...shut } = person;
    await this.fence.write(["people", "truth"], (transaction) => [
      ...[...unpacked(clear)].map(([key]) => transaction.objectStore("truth").delete([keyId, key])),
      ...put(transaction, "truth", keyId, sealed),
      transaction.objectStore("people").put({ ...shut, lock }),
    ]);
  }
}

