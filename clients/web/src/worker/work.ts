// One person's work, open: the tablet of the core, its vault, its road to the server.
//
// A step's writes are durable before it is answered, and before anything is sent. If they cannot be
// kept, the tablet is opened again from what is durable: what was not kept was never said to be.

import { Tablet, Vault } from "../../core/tablet";
import { put, readRows, type About, type Fence, type KeptPerson, type Mark } from "./durable";
import { exchange, judged, leftOut } from "./exchange";
import { equal } from "./given";
import { CLOSED, Failure, now, OWNER_LOST, PANIC, random, thrown, type Answer, type Budget, type Left, type Link, type Noted, type Standing } from "./protocol";
import { LINK_FAULTS, OFFLINE, REWRITTEN, SPENT } from "./link";
import { Nodes, PROVINCE, type Edge, type KeptNodes } from "./nodes";
import { DeviceSession } from "./server";
import { VERSION } from "../version";
import type { Status, WorkItem, Years } from "./views";
import { WakeLine } from "./wake";

/** Waits between tries while offline; a press on the badge does not wait. */
const WAITS_MS = [2_000, 5_000, 15_000, 60_000];
/** While all is well, others' work is asked for this often; with a line that wakes, only to be sure. */
const LOOK_MS = 20_000;
const LOOK_WOKEN_MS = 300_000;
/** With a limit of the day asking costs: others' work is asked for this often, and when the line wakes. */
const LOOK_LIMITED_MS = 3_600_000;
/** After a start: the page is drawn first. */
const SOON_MS = 300;
/** Typing that pauses this long is sealed and sent. */
const PAUSE_MS = 4_000;
/** While offline, this long: sealing needs no server. */
const PAUSE_OFFLINE_MS = 1_000;
/** How old the time of the last contact may be that the sign-in page shows, in seconds: it is written
    with whatever else is written, and alone no oftener than this. */
const CONTACT_S = 300;
/** An exchange that takes so long says how much is left of it, and again after as long. */
const LONG_MS = 1_000;
/** What a list counted is kept so much later: nobody waits for it, and an exchange may bring more. */
const COUNTED_MS = 1_000;
/** Notices that are remembered for the page. */
const NOTICES_MAX = 20;

/** What a person's work tells its owner. */
export interface Teller {
  say: (answer: Answer) => void;
  /** The core panicked: nothing can be done in this worker any more. */
  panicked: () => void;
}

export class Work {
  link: Link = { at: "unknown" };
  readonly nodes: Nodes;
  #sessions = new Map<string, DeviceSession>();
  #tablet: Tablet;
  #savedAt: number | null = null;
  #contactAt: number | null = null;
  #contactKept = 0;
  #notices: Noted[] = [];
  #failures = 0;
  /** How much is left of the exchange under way, and that it is about to be told. */
  #left: Left | null = null;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #synchronising: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #counted: ReturnType<typeof setTimeout> | undefined;
  /** Steps run one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;
  persisted: boolean | null = null;
  /** A person has said that today's limit does not count in the exchange under way. */
  anyway = false;
  readonly #wake = new WakeLine(() => this.session().token(null), (milliseconds) => this.#awake(milliseconds));
  /** Something was typed since the draft was sealed: an exchange that was under way by then does not wait with it. */
  #unsealed = false;
  /** Something came during an exchange: it is asked for after it. */
  #woken = false;

  private constructor(
    readonly fence: Fence,
    readonly person: KeptPerson,
    readonly secrets: Uint8Array<ArrayBuffer>,
    private readonly vault: Vault,
    tablet: Tablet,
    public mark: Mark,
    private readonly teller: Teller,
    kept: KeptNodes | undefined,
  ) {
    this.#tablet = tablet;
    this.nodes = new Nodes(kept);
    this.#tellNodes();
  }

  /** With the node of an address; without one, with the province's own. */
  session(at = PROVINCE): DeviceSession {
    let session = this.#sessions.get(at);
    if (!session) {
      session = new DeviceSession(at, this.#tablet, this.person.keyId, (left) => this.#goes(left));
      this.#sessions.set(at, session);
    }
    return session;
  }

  /** Which edges there are is in the catalogue; which node is the province's is known here. */
  #tellNodes(): void {
    this.nodes.know(JSON.parse(this.#tablet.nodes(now())) as Edge[]);
    if (this.nodes.province !== null) this.#tablet.provinceIs(this.nodes.province);
  }

  static async open(
    fence: Fence,
    keyId: string,
    secrets: Uint8Array<ArrayBuffer>,
    teller: Teller,
  ): Promise<Work> {
    const { database } = fence;
    const [person, found, about, rows] = await Promise.all([
      database.get("people", keyId),
      database.get("marks", keyId),
      database.get("about", keyId),
      readRows(database, "truth", keyId),
    ]);
    if (!person) throw new Failure("tablet-unknown", keyId);
    const { mark, readAgain } = judged(found);
    const vault = new Vault(keyId, secrets, random(16));
    const tablet = opened(rows, person, secrets, vault, readAgain);
    const work = new Work(fence, person, secrets, vault, tablet, mark, teller, about?.nodes);
    work.#contactAt = about?.synchronisedAt ?? null;
    work.note(leftOut(mark));
    // Nothing is written where nothing is new: a start waits for no disk.
    await work.step(() => undefined, !found || equal(found, mark) ? undefined : mark);
    return work;
  }

  /** Ends at once; a step under way comes to nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake.end();
    clearTimeout(this.#timer);
    clearTimeout(this.#counted);
    clearTimeout(this.#telling);
    this.#tablet.free();
    this.vault.free();
    this.secrets.fill(0);
  }

  /** Does a step and makes its writes durable, with the poison mark as it is after it. Steps wait for
      each other, never for the network. What a step came to is said early, before it is durable. */
  step<T>(act: (tablet: Tablet) => T, mark?: Mark, early?: (value: T) => void): Promise<T> {
    const mine = this.#turn.then(() => this.#stepNow(act, mark, early));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async parsed<T>(act: (tablet: Tablet) => string): Promise<T> {
    return JSON.parse(await this.step(act)) as T;
  }

  /** The reports there are. How far each is, is kept later, so that the next start need not count them. */
  async list(): Promise<WorkItem[]> {
    const list = await this.parsed<WorkItem[]>((tablet) => tablet.work(now(), VERSION));
    if (!this.#closed) this.#counted ??= setTimeout(() => this.#keepCounts(), COUNTED_MS);
    return list;
  }

  #keepCounts(): void {
    this.#counted = undefined;
    void this.step((tablet) => tablet.keepCounts()).catch(() => undefined);
  }

  async #stepNow<T>(act: (tablet: Tablet) => T, mark?: Mark, early?: (value: T) => void): Promise<T> {
    if (this.#closed) throw new Failure(CLOSED, "nobody works here");
    const { keyId } = this.person;
    const { value, outgoing, writes, about } = await this.#acted((tablet) => {
      const value = act(tablet);
      early?.(value);
      return value;
    });
    if (writes.length > 0 || outgoing.length > 0 || mark) {
      try {
        await this.fence.write(["truth", "outgoing", "about", "marks"], (transaction) => [
          ...put(transaction, "truth", keyId, writes),
          ...put(transaction, "outgoing", keyId, outgoing),
          transaction.objectStore("about").put(about, keyId),
          ...(mark ? [transaction.objectStore("marks").put(mark, keyId)] : []),
        ]);
      } catch (error) {
        throw await this.#notKept(error);
      }
      if (mark) this.mark = mark;
      if (writes.length > 0) this.#savedAt = now();
    }
    return value;
  }

  /** The step in memory, and what it wants to be kept. */
  async #acted<T>(act: (tablet: Tablet) => T) {
    const tablet = this.#tablet;
    try {
      const value = act(tablet);
      const outgoing = tablet.takeOutgoing();
      const writes = this.vault.seal(tablet.takeWrites());
      return { value, outgoing, writes, about: this.#about() };
    } catch (error) {
      const failure = thrown(error);
      if (failure.code === PANIC) {
        this.#closed = true;
        clearTimeout(this.#timer);
        if (this.mark.taking !== null) await this.#keepPanic();
        this.teller.panicked();
      }
      throw failure;
    }
  }

  async #keepPanic(): Promise<void> {
    const mark = { ...this.mark, panicked: true };
    await this.#writeMark(mark).catch(() => undefined);
  }

  /** Stores the poison mark by itself, before what it names is taken. */
  async keepMark(mark: Mark): Promise<void> {
    await this.#writeMark(mark);
    this.mark = mark;
  }

  #writeMark(mark: Mark): Promise<void> {
    return this.fence.write(["marks"], (transaction) => [
      transaction.objectStore("marks").put(mark, this.person.keyId),
    ]);
  }

  #about(): About {
    const { draft_edits, waiting_parts } = this.#status();
    return { unsent: draft_edits + waiting_parts, synchronisedAt: this.#contactAt, nodes: this.nodes.kept() };
  }

  #status(): Status {
    return JSON.parse(this.#tablet.status()) as Status;
  }

  async #notKept(error: unknown): Promise<Failure> {
    const failure = thrown(error);
    if (failure.code === OWNER_LOST) return failure;
    if (!this.#closed) {
      const { fence, person, secrets, vault } = this;
      this.#tablet.free();
      const rows = await readRows(fence.database, "truth", person.keyId);
      this.#tablet = opened(rows, person, secrets, vault, false);
      this.#sessions.clear();
      this.#tellNodes();
    }
    return new Failure("device-full", String(error));
  }

  standing(): Standing {
    const status = this.#status();
    const { link, persisted } = this;
    return {
      link, status, persisted,
      savedAt: this.#savedAt,
      contactAt: this.#contactAt,
      notices: this.#notices,
      nodes: this.nodes.standing(),
      budget: this.#budget(),
      years: JSON.parse(this.#tablet.years()) as Years,
      leftOut: this.mark.without.length,
    };
  }

  #budget(): Budget | null {
    const { per_day, spent, left } = JSON.parse(this.#tablet.budget(now())) as Record<keyof Budget, number | null>;
    return per_day === null || spent === null || left === null ? null : { per_day, spent, left };
  }

  tell(): void {
    if (!this.#closed) this.teller.say({ standing: this.standing() });
  }

  /** Documents changed, or what was typed here got further: the pages show it. */
  moved(documents: string[]): void {
    if (!this.#closed) this.teller.say({ changed: documents });
    this.tell();
  }

  note(codes: { code: string; part: string }[]): void {
    const when = now();
    // What is said again is said once, with its last time.
    const older = this.#notices.filter(
      (old) => !codes.some((one) => one.code === old.code && one.part === old.part),
    );
    this.#notices = [...older, ...codes.map((one) => ({ ...one, when }))].slice(-NOTICES_MAX);
  }

  /** Seals and sends after a pause in typing. */
  typed(): void {
    this.#unsealed = true;
    this.#later(this.link.at === "offline" ? PAUSE_OFFLINE_MS : PAUSE_MS);
    this.tell();
  }

  /** An exchange goes on. One that is over before anybody could read of it says nothing. */
  #goes(left: Left): void {
    this.#left = left;
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      if (this.link.at !== "busy" || this.#left === null) return;
      this.link = { at: "busy", left: this.#left };
      this.tell();
    }, LONG_MS);
  }

  /** Synchronises soon, without anybody waiting for it. */
  soon(): void {
    this.#later(SOON_MS);
  }

  #later(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => void this.synchronise(), milliseconds);
  }

  #awake(milliseconds: number): void {
    this.#woken = this.#synchronising !== null;
    if (!this.#woken) this.#later(milliseconds);
  }

  /** A person asks: no wait is left to run. */
  async synchroniseNow(anyway = false): Promise<void> {
    this.#failures = 0;
    await this.#synchronising;
    this.anyway = anyway;
    await this.synchronise().finally(() => (this.anyway = false));
  }

  /** Seals what was typed and exchanges until neither side lacks anything, or the road ends. */
  synchronise(): Promise<void> {
    this.#synchronising ??= this.#synchroniseOnce().finally(() => (this.#synchronising = null));
    return this.#synchronising;
  }

  async #synchroniseOnce(): Promise<void> {
    clearTimeout(this.#timer);
    this.#woken = false;
    const before = this.link;
    this.link = { at: "busy" };
    this.#left = null;
    if (before.at !== "synchronised") this.tell();
    // What was typed here gets further than it was: its cells say so.
    let further = false;
    try {
      this.#unsealed = false;
      further = this.#status().draft_edits > 0;
      await this.step((tablet) => tablet.sealWithin(now(), this.anyway));
      further = await this.#exchangeSomewhere(further);
      this.#failures = 0;
      this.link = { at: "synchronised", when: now() };
      // An edge wakes nobody: it is asked now and then.
      const wakes = this.nodes.at === PROVINCE;
      if (wakes) void this.#wake.open();
      const look = this.#budget() ? LOOK_LIMITED_MS : wakes && this.#wake.isOpen ? LOOK_WOKEN_MS : LOOK_MS;
      this.#later(this.#woken ? 0 : this.#unsealed ? PAUSE_MS : look);
    } catch (error) {
      const code = faultOf(error);
      if (code === SPENT) this.link = { at: "spent" };
      else if (!LINK_FAULTS.has(code)) this.link = { at: "refused", code };
      else this.link = code === OFFLINE ? { at: "offline" } : { at: "offline", why: code };
      const wait = spread(WAITS_MS[Math.min(this.#failures, WAITS_MS.length - 1)] ?? LOOK_MS);
      if (code === SPENT) this.#later(LOOK_LIMITED_MS);
      else this.#later(this.#unsealed ? Math.min(wait, PAUSE_MS) : wait);
      this.#failures += 1;
    }
    if (further && !this.#closed) this.teller.say({ changed: [] });
    this.tell();
  }

  /** Exchanges with the node in use, or with the next one that can be reached; true if what was typed here got
      further, or `further` as it was. */
  async #exchangeSomewhere(further: boolean): Promise<boolean> {
    let first: unknown;
    for (const address of await this.nodes.order()) {
      try {
        return await this.#exchangeAt(address, further);
      } catch (error) {
        if (!LINK_FAULTS.has(faultOf(error))) throw error;
        this.nodes.failed(address, faultOf(error));
        first ??= error;
      }
    }
    throw first ?? new Failure(OFFLINE, "no node may be tried");
  }

  async #exchangeAt(address: string, typed: boolean): Promise<boolean> {
    let further = typed;
    const session = this.session(address);
    let isNew = false;
    for (let again = true; again; ) {
      const received = await exchange(this, session);
      if (await this.nodes.met(address, received.node, now())) {
        isNew = true;
        this.#tellNodes();
      }
      // What an edge has taken, or the province at last, looks different in every report.
      further ||= received.acknowledged > 0 || isNew;
      if (received.documents.length > 0) {
        this.teller.say({ changed: received.documents });
        further = false;
      }
      this.note(received.notices);
      again = received.again;
      if (!again) {
        this.nodes.know(JSON.parse(this.#tablet.nodes(now())) as Edge[]);
        await this.#keepContact(isNew);
      }
    }
    return further;
  }

  /** The sign-in page shows when this person was last synchronised. */
  async #keepContact(isNew: boolean): Promise<void> {
    const contact = now();
    this.#contactAt = contact;
    if (contact - this.#contactKept < CONTACT_S && !isNew) return;
    await this.fence.write(["about"], (transaction) => [
      transaction.objectStore("about").put(this.#about(), this.person.keyId),
    ]);
    this.#contactKept = contact;
  }
}

/** What is no answer of a server was made on the way. */
function faultOf(error: unknown): string {
  const { code } = thrown(error);
  return code === "tablet-frame" ? REWRITTEN : code;
}

/** A wait, up to a quarter longer or shorter: not everybody who was cut off comes back at once. */
const spread = (milliseconds: number): number => milliseconds * (0.75 + Math.random() / 2);

function opened(
  rows: Uint8Array,
  person: KeptPerson,
  secrets: Uint8Array<ArrayBuffer>,
  vault: Vault,
  readAgain: boolean,
): Tablet {
  const truth = vault.unseal(rows);
  return new Tablet(person.province, person.installation, secrets.subarray(0, 32), truth, readAgain);
}
