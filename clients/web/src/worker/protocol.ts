// What a page and its worker say to each other.

import type { Edit, Form, Person, Reading, Report, Rival, Status, Subject, WorkItem } from "./views";

/** Somebody who works on this device. The secret key never leaves the worker and its database. */
export interface Card {
  keyId: string;
  name: string;
  display: string;
  province: string;
  provinceName: string;
}

/** How it stands with the server. */
export type Link =
  | { at: "unknown" }
  | { at: "offline" }
  | { at: "busy" }
  | { at: "synchronised"; when: number }
  | { at: "refused"; code: string };

/** What the badge and the line at the bottom show; true at every moment. */
export interface Standing {
  link: Link;
  status: Status;
  savedAt: number | null;
  notices: { code: string; part: string }[];
  persisted: boolean | null;
}

export interface Calls {
  people: { ask: []; get: Card[] };
  enrol: { ask: [code: string, label: string]; get: Card };
  open: { ask: [keyId: string]; get: Person };
  work: { ask: []; get: WorkItem[] };
  form: { ask: [template: string]; get: Form };
  report: { ask: [subject: Subject]; get: Report };
  edit: { ask: [subject: Subject, edits: Edit[]]; get: Report };
  read: { ask: [template: string, code: string, text: string]; get: Reading };
  history: { ask: [subject: Subject, code: string]; get: Rival[] };
  sync: { ask: []; get: null };
}

export type CallName = keyof Calls;

export interface Ask {
  id: number;
  call: CallName;
  arguments: unknown[];
}

export type Answer =
  | { id: number; value: unknown }
  | { id: number; code: string; text: string }
  | { standing: Standing }
  | { changed: string[] };

/** A failure with a machine code; the page has the sentence. */
export class Failure extends Error {
  readonly code: string;
  constructor(code: string, text: string) {
    super(text);
    this.code = code;
  }
}
