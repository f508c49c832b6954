// What a page, its worker, and the workers of other tabs say to each other.

import type { Bundled, Desks, EarlierPeriod, Edit, Effect, Form, Narrative, NewerVersion, NewRow, Opened, Reading, Report, ReportChange, Rival, RowChange, Status, Subject, Turned, UnitRows, Unsent, WorkItem, Years } from "./views";

/** Somebody who works on this device, as the sign-in page knows them: nothing of what they typed. */
export interface Card {
  keyId: string;
  name: string;
  display: string;
  province: string;
  provinceName: string;
  /** False on a device of before there were PINs: one is chosen now. */
  hasPin: boolean;
  /** Changes that have not left this device. */
  unsent: number;
  synchronisedAt: number | null;
  /** After wrong PINs: seconds since 1970 until when none is taken. */
  waitUntil: number | null;
}

export interface Left {
  send: number;
  receive: number | null;
}

/** How it stands with the server. */
export type Link =
  | { at: "unknown" }
  /** `why` if something else than silence is known of the link. */
  | { at: "offline"; why?: string }
  /** `left` once it takes long: bytes to send, and bytes to receive as soon as those are known. */
  | { at: "busy"; left?: Left }
  | { at: "synchronised"; when: number }
  /** The limit of the day has no room for more. */
  | { at: "spent" }
  | { at: "refused"; code: string };

/** A limit of what may travel in a day, in bytes. */
export interface Budget {
  per_day: number;
  spent: number;
  left: number;
}

/** A node that this person's tablet may exchange with. */
export interface NodeStanding {
  /** Empty: the province's own, where the app came from. */
  address: string;
  /** What an edge is called. */
  label: string;
  inUse: boolean;
  contactAt: number | null;
  /** Why it was not reached when it was last tried. */
  fault: string | null;
}

export interface Noted {
  code: string;
  part: string;
  when: number;
}

/** What the badge and the line at the bottom show; true at every moment. */
export interface Standing {
  link: Link;
  status: Status;
  savedAt: number | null;
  /** The last exchange that ended well. */
  contactAt: number | null;
  notices: Noted[];
  nodes: NodeStanding[];
  /** None: no limit. */
  budget: Budget | null;
  years: Years;
  /** Parts that this version of the app cannot take. */
  leftOut: number;
  persisted: boolean | null;
}

export interface Calls {
  people: { ask: []; get: Card[] };
  enrol: { ask: [code: string, label: string, pin: string]; get: Card };
  /** Opens a person's work with their PIN. */
  unlock: { ask: [keyId: string, pin: string]; get: Opened };
  /** Chooses the first PIN on a device of before there were PINs, and shuts what is kept. */
  protect: { ask: [keyId: string, pin: string]; get: Opened };
  checkPin: { ask: [pin: string]; get: null };
  /** Shuts a person's secrets under another PIN. */
  changePin: { ask: [keyId: string, pin: string, next: string]; get: null };
  /** Removes a person from this device with no more unsent changes than these. */
  remove: { ask: [keyId: string, unsent: number]; get: null };
  /** Seals the draft and forgets the secrets in this tab. */
  lock: { ask: []; get: null };
  /** What is signed and waits, as a file: needs no PIN. */
  recoveryOf: { ask: [keyId: string]; get: string };
  work: { ask: []; get: WorkItem[] };
  /** The form of a version, or the newest; as a report is filled by it, with the rows that units added. */
  form: { ask: [template: string, version?: number, of?: Subject]; get: Form };
  /** The rows that units added to the form of a report: of its own unit, then of those above it. */
  localRows: { ask: [subject: Subject]; get: UnitRows[] };
  /** Adds a row for a unit; asked twice with one time and the same random bits it is added once. */
  addLocalRow: { ask: [subject: Subject, unit: string, row: NewRow, madeAt: number, bits: number[]]; get: { code: string } };
  changeLocalRow: { ask: [subject: Subject, code: string, change: RowChange]; get: null };
  /** What the newest version of its form would change; null if it is filled by that one. */
  newerVersion: { ask: [subject: Subject]; get: NewerVersion | null };
  /** Goes on by this version of the form. */
  toVersion: { ask: [subject: Subject, version: number]; get: null };
  /** Said early, so that no edit that is made later is said before it. */
  report: { ask: [subject: Subject]; get: null; early: Report };
  /** Answers once it is durable; what becomes different in the report asked for last is said early. */
  edit: { ask: [subject: Subject, edits: Edit[]]; get: null; early: ReportChange };
  /** Takes a step back, or does it again; asked twice for one step it is done once. */
  turn: { ask: [subject: Subject, step: number, back: boolean]; get: Turned; early: ReportChange };
  /** What edits would come to in the report asked for last; nothing is kept. */
  preview: { ask: [subject: Subject, edits: Edit[]]; get: ReportChange };
  narrative: { ask: [subject: Subject]; get: Narrative };
  /** Writes into a part of the words: what the page was given, and what its person made of it. Answers once it is durable. */
  writeWords: { ask: [subject: Subject, part: string, seen: string, typed: string]; get: Narrative };
  /** Writes the quoted figures of a part as they stand in their cells. */
  renewQuotes: { ask: [subject: Subject, part: string]; get: Narrative };
  read: { ask: [template: string, code: string, text: string, version?: number, of?: Subject]; get: Reading };
  /** The same of many cells: code and text of each. */
  readAll: { ask: [template: string, cells: [string, string][], version?: number, of?: Subject]; get: Reading[] };
  /** What stood in the two periods before, as far as it is on this device. */
  earlier: { ask: [subject: Subject]; get: EarlierPeriod[] };
  history: { ask: [subject: Subject, code: string]; get: Rival[] };
  desks: { ask: []; get: Desks };
  effect: { ask: [subject: Subject, code: string, choices: Edit[], totals: { low: string; high: string }[]]; get: Effect };
  /** The key that seals what a desk keeps for this person. */
  deskKey: { ask: []; get: CryptoKey };
  /** A token for reading from the server; `refused` is one that it no longer takes. */
  token: { ask: [refused: string | null]; get: string };
  /** `anyway`: as if there were no limit of the day, this once. */
  sync: { ask: [anyway: boolean]; get: null };
  /** Limits a day to so many bytes, or no longer. */
  budget: { ask: [perDay: number | null]; get: null };
  /** Asks for everything from a year on, 0 for all. */
  years: { ask: [since: number]; get: null };
  /** Exchanges with the node of this address from now on, as long as it can be reached. */
  use: { ask: [address: string]; get: null };
  unsent: { ask: []; get: Unsent };
  recovery: { ask: []; get: string };
  /** What waits, as a bundle file; its number is durable by then. */
  bundle: { ask: []; get: Uint8Array<ArrayBuffer> };
  /** Takes in a bundle file. */
  takeBundle: { ask: [bytes: Uint8Array<ArrayBuffer>]; get: Bundled };
  persist: { ask: [granted: boolean]; get: null };
}

export type CallName = keyof Calls;
/** What a call says before it is durable. */
export type Early<Name extends CallName> = Calls[Name] extends { early: infer Said } ? (said: Said) => void : never;

/** Calls that any tab answers by itself; the others are for the owner of the data. */
export type OwnCall = "deskKey" | "people" | "enrol" | "unlock" | "protect" | "checkPin" | "changePin" | "remove" | "lock" | "recoveryOf";
export type OwnerCall = Exclude<CallName, OwnCall>;

export interface Ask {
  id: number;
  call: CallName;
  arguments: unknown[];
}

/** Who works in a tab: kept in the memory of its worker alone. */
export interface Who {
  keyId: string;
  secrets: Uint8Array<ArrayBuffer>;
}

/** A worker that makes or opens one lock is wanted; it gets the core, compiled, and a port to who wants it. */
export interface LockWanted {
  lock: number;
  core: WebAssembly.Module;
  port: MessagePort;
}

export type Answer =
  | LockWanted
  | { id: number; value: unknown }
  /** What a call came to, before it is durable: it may still come to nothing. */
  | { id: number; early: unknown }
  | { id: number; code: string; text: string }
  | { standing: Standing }
  | { changed: string[] }
  /** The worker ends after a panic; the next one goes on for the same person. */
  | { restart: Who | null };

/** A failure with a machine code; the page has the sentence. */
export class Failure extends Error {
  readonly code: string;
  constructor(code: string, text: string) {
    super(text);
    this.code = code;
  }
}

/** Another tab owns the data: the call is asked again there. */
export const OWNER_LOST = "owner-lost";
/** Another tab runs a later version of the app: this one has to be loaded again. */
export const TAB_OLDER = "tab-older";
/** The core panicked: the worker ends, the call came to nothing that was said to be saved. */
export const PANIC = "tablet-panic";
/** Nobody's work is open at the owner: the tab opens it again. */
export const CLOSED = "tablet-closed";

export function thrown(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof WebAssembly.RuntimeError) return new Failure(PANIC, error.message);
  if (error instanceof DOMException && error.name === "InvalidStateError") {
    // The database was given up for a tab of a later version.
    return new Failure(TAB_OLDER, error.message);
  }
  const text = error instanceof Error ? error.message : String(error);
  const code = /^((?:tablet|pin|vault|bundle)-[a-z-]+): /.exec(text)?.[1] ?? "tablet-fault";
  return new Failure(code, text);
}

export const random = (count: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(count));
/** Seconds since 1970 by this device: a claim. */
export const now = (): number => Math.floor(Date.now() / 1000);
