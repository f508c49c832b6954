// Several tabs, one owner of the data. Whoever holds the Web Lock owns it; the others hand their calls
// over on a BroadcastChannel. When the owner is closed or killed the lock passes on, and what was asked
// and not answered is asked again. An owner that keeps silent (a tab that the system has frozen) is
// replaced; its late writes come to nothing, since each write checks who owns the data.

import { openDatabase, type Bytes, type Database } from "./durable";
import { Owner, tabLock } from "./owner";
import { CLOSED, Failure, OWNER_LOST, PANIC, TAB_OLDER, thrown, type Answer, type OwnerCall, type Who } from "./protocol";
import type { Person } from "./views";

const LOCK = "dongbo-owner";
const CHANNEL = "dongbo-1";
/** An owner that has not said a word for this long, while something is asked, is replaced. Opening 500
    reports keeps a slow tablet busy for some seconds. It doubles with every replacement. */
const SILENT_MS = 10_000;
/** How often the silence is looked at while a call waits, and the owner asked for a word. */
const LOOK_MS = 1_000;
/** Calls that an owner remembers, so that none is done twice; a tab asks a few at a time. */
const REMEMBERED_MAX = 1_000;

/** What an owner is asked: a call of a person, or to open their work. */
type Task =
  | { do: "call"; call: OwnerCall; list: unknown[] }
  | { do: "join"; secrets: Bytes }
  | { do: "protect"; secrets: Bytes; lock: Bytes }
  | { do: "remove"; keyId: string; unsent: number }
  | { do: "leave" };

interface Order {
  to: "owner";
  tab: string;
  id: number;
  keyId: string;
  task: Task;
}

type Letter =
  | Order
  | { to: "owner"; ping: true }
  | { to: "tab"; tab: string; id: number; value: unknown }
  | { to: "tab"; tab: string; id: number; early: unknown }
  | { to: "tab"; tab: string; id: number; code: string; text: string }
  | { to: "all"; owner: "new" | "here" }
  | { to: "person"; keyId: string; answer: Answer };

interface Asked {
  id: number;
  keyId: string;
  task: Task;
  early: (value: unknown) => void;
  resolve: (value: unknown) => void;
  reject: (failure: Failure) => void;
}

export class Tabs {
  /** Who works in this tab. */
  who: Who | null = null;
  readonly #tab = crypto.randomUUID();
  readonly #channel = new BroadcastChannel(CHANNEL);
  readonly #asked = new Map<number, Asked>();
  #next = 1;
  #owner: Owner | null = null;
  #done = new Set<string>();
  #heardAt = 0;
  #patience = SILENT_MS;
  #looking: ReturnType<typeof setInterval> | undefined;
  #queued: AbortController | null = null;
  #opened: Promise<Database> | null = null;
  /** After a panic nothing here is answered any more. */
  #dead = false;
  /** Held as long as this tab lives, before anybody looks for it. */
  readonly #alive: Promise<void>;

  /** `ready` is the core, loaded: only an owner needs it. */
  constructor(
    private readonly ready: Promise<unknown>,
    private readonly tell: (answer: Answer) => void,
    private readonly panicked: () => void,
  ) {
    this.#channel.onmessage = (event: MessageEvent<Letter>) => this.#read(event.data);
    this.#alive = new Promise((held) => {
      void navigator.locks.request(tabLock(this.#tab), () => {
        held();
        return new Promise<never>(() => undefined);
      });
    });
    this.#queue();
  }

  /** The database, for what any tab may do. */
  database(): Promise<Database> {
    this.#opened ??= openDatabase();
    return this.#opened;
  }

  async call(call: OwnerCall, list: unknown[], early: (value: unknown) => void): Promise<unknown> {
    const task: Task = { do: "call", call, list };
    try {
      return await this.#ask(task, early);
    } catch (error) {
      // A new owner has to open this person's work first.
      if (!(error instanceof Failure) || error.code !== CLOSED || !this.who) throw error;
      await this.join(this.who);
      return this.#ask(task, early);
    }
  }

  async join(who: Who): Promise<Person> {
    await this.#alive;
    this.who = who;
    return (await this.#ask({ do: "join", secrets: who.secrets })) as Person;
  }

  async protect(who: Who, lock: Bytes): Promise<Person> {
    await this.#alive;
    this.who = who;
    return (await this.#ask({ do: "protect", secrets: who.secrets, lock })) as Person;
  }

  async remove(keyId: string, unsent: number): Promise<null> {
    return (await this.#ask({ do: "remove", keyId, unsent })) as null;
  }

  async leave(): Promise<void> {
    if (!this.who) return;
    await this.#ask({ do: "leave" });
    this.who.secrets.fill(0);
    this.who = null;
  }

  #ask(task: Task, early: (value: unknown) => void = () => undefined): Promise<unknown> {
    const id = this.#next++;
    const keyId = this.who?.keyId ?? "";
    return new Promise((resolve, reject) => {
      const asked = { id, keyId, task, early, resolve, reject };
      if (this.#asked.size === 0) this.#heardAt = performance.now();
      this.#asked.set(id, asked);
      this.#looking ??= setInterval(() => this.#look(), LOOK_MS);
      this.#send(asked);
    });
  }

  #send({ id, keyId, task }: Asked): void {
    const letter = { to: "owner", tab: this.#tab, id, keyId, task } as const;
    if (this.#owner) void this.#serve(letter);
    else this.#channel.postMessage(letter satisfies Letter);
  }

  /** Asks everything again that has no answer; an owner does nothing twice. */
  #sendAll(): void {
    for (const asked of this.#asked.values()) this.#send(asked);
  }

  #read(letter: Letter): void {
    if (letter.to === "owner") {
      if (!this.#owner) return;
      if ("ping" in letter) this.#channel.postMessage({ to: "all", owner: "here" } satisfies Letter);
      else void this.#serve(letter);
      return;
    }
    this.#heardAt = performance.now();
    if (letter.to === "all") {
      if (letter.owner === "new") this.#meet();
    } else if (letter.to === "person") {
      if (letter.keyId === this.who?.keyId) this.tell(letter.answer);
    } else if (letter.to === "tab") {
      if (letter.tab === this.#tab) this.#settle(letter);
    }
  }

  /** Another tab owns the data from now on. */
  #meet(): void {
    this.#owner?.end();
    this.#owner = null;
    this.#sendAll();
    this.#joinAgain();
  }

  /** A new owner opens this person's work, so that it is synchronised on. */
  #joinAgain(): void {
    if (this.who) void this.join(this.who).catch(() => undefined);
  }

  /** An answer of the owner, here or elsewhere. */
  #settle(letter: Letter & { to: "tab" }): void {
    const asked = this.#asked.get(letter.id);
    if (asked && "early" in letter) return asked.early(letter.early);
    // Whoever owns the data now is asked again.
    if (!asked || "early" in letter || ("code" in letter && letter.code === OWNER_LOST)) return;
    this.#asked.delete(letter.id);
    if (this.#asked.size === 0) {
      clearInterval(this.#looking);
      this.#looking = undefined;
    }
    if ("value" in letter) asked.resolve(letter.value);
    else asked.reject(new Failure(letter.code, letter.text));
  }

  /** Does what was asked, once. */
  async #serve({ tab, id, keyId, task }: Order): Promise<void> {
    const name = `${tab} ${id}`;
    if (this.#done.has(name)) return;
    this.#done.add(name);
    if (this.#done.size > REMEMBERED_MAX) this.#done.delete(this.#done.values().next().value ?? "");
    let letter: Letter & { to: "tab" };
    const early = (value: unknown) => this.#hand({ to: "tab", tab, id, early: value });
    try {
      letter = { to: "tab", tab, id, value: await this.#doTask(tab, keyId, task, early) };
    } catch (error) {
      const { code, message } = thrown(error);
      letter = { to: "tab", tab, id, code, text: message };
    }
    if (this.#dead && !("code" in letter && letter.code === PANIC)) return;
    this.#hand(letter);
  }

  #hand(letter: Letter & { to: "tab" }): void {
    if (letter.tab === this.#tab) this.#settle(letter);
    else this.#channel.postMessage(letter);
  }

  async #doTask(tab: string, keyId: string, task: Task, early: (value: unknown) => void): Promise<unknown> {
    const owner = this.#owner;
    if (!owner) throw new Failure(OWNER_LOST, "this tab owns the data no more");
    switch (task.do) {
      case "call":
        return owner.answer(keyId, task.call, task.list, early);
      case "join":
        return owner.join(tab, { keyId, secrets: task.secrets });
      case "protect":
        await owner.protect({ keyId, secrets: task.secrets }, task.lock);
        return owner.join(tab, { keyId, secrets: task.secrets });
      case "remove":
        await owner.remove(task.keyId, task.unsent);
        return null;
      case "leave":
        await owner.leave(tab);
        return null;
    }
  }

  /** Waits for the lock, however long it takes. */
  #queue(): void {
    this.#queued = new AbortController();
    const { signal } = this.#queued;
    void navigator.locks.request(LOCK, { signal }, () => this.#own()).catch((error: unknown) => this.#lost(error));
  }

  #steal(): void {
    this.#patience *= 2;
    this.#queued?.abort();
    void navigator.locks.request(LOCK, { steal: true }, () => this.#own()).catch((error: unknown) => this.#lost(error));
  }

  /** Owns the data until the tab ends or another takes over. */
  async #own(): Promise<void> {
    this.#queued = null;
    await this.ready;
    this.#owner = await Owner.begin(await this.database(), {
      say: (keyId, answer) => this.#say(keyId, answer),
      panicked: () => {
        this.#dead = true;
        this.panicked();
      },
    });
    this.#channel.postMessage({ to: "all", owner: "new" } satisfies Letter);
    this.#sendAll();
    this.#joinAgain();
    await new Promise<never>(() => undefined);
  }

  #say(keyId: string, answer: Answer): void {
    if (keyId === this.who?.keyId) this.tell(answer);
    this.#channel.postMessage({ to: "person", keyId, answer } satisfies Letter);
  }

  /** Another tab has taken over, or this one cannot own the data. */
  #lost(error: unknown): void {
    if (this.#queued?.signal.aborted) return;
    this.#owner?.end();
    this.#owner = null;
    this.#done.clear();
    if (error instanceof DOMException && error.name === "AbortError") {
      this.#queue();
      this.#sendAll();
      return;
    }
    const failure = thrown(error);
    for (const asked of this.#asked.values()) asked.reject(failure);
    this.#asked.clear();
    // A tab of an older version than the owner has to be loaded again; else it may go better later.
    if (failure.code !== TAB_OLDER) setTimeout(() => this.#queue(), LOOK_MS);
  }

  #look(): void {
    if (this.#owner) return;
    const silent = performance.now() - this.#heardAt;
    if (silent > this.#patience) {
      this.#heardAt = performance.now();
      this.#steal();
    } else if (silent > LOOK_MS) {
      this.#channel.postMessage({ to: "owner", ping: true } satisfies Letter);
    }
  }
}
