// The page's side of the worker that knows forms: a promise for each call.

import formsWasm from "../../core/forms_bg.wasm?url";
import type { Difference, Edit, Form, Report } from "../worker/views";
import type { DraftForm, Fault } from "./draft";

export interface Reason {
  field: string;
  code: string;
  confidence: "low" | "medium" | "high";
  arguments: Record<string, string>;
}

/** A line of a sheet: a row of the draft, or one that is none. */
export interface SheetLine {
  sheet: string;
  row: number;
  through: number;
  code?: string;
  label?: string;
  figure?: string | null;
  confidence?: Reason["confidence"];
  reasons?: Reason[];
  text?: string;
  why?: string;
  joined?: number | null;
}

export type FromWorkbook =
  | { draft: DraftForm; lines: SheetLine[]; period_reason: Reason }
  | { refused: string; arguments: Record<string, string> };

interface Calls {
  faults: { ask: [draft: string]; get: Fault[] };
  /** The text that is signed. */
  template: { ask: [draft: string, version: number, note: string]; get: string };
  draft: { ask: [template: string]; get: DraftForm };
  differences: { ask: [earlier: string, later: string]; get: Difference[] };
  workbook: { ask: [bytes: Uint8Array, name: string]; get: FromWorkbook };
  trial: { ask: [template: string, edits: string]; get: { form: Form; report: Report } | { fault: string } };
}

export type Call = keyof Calls;
export interface Asked { id: number; call: Call; list: unknown[] }
export type Answer = { id: number; value: string } | { id: number; failed: string; trapped: boolean };

/** The module met what it cannot bear, and is started anew. */
export class Trapped extends Error {}

let worker: Worker | null = null;
let next = 1;
const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();

function begun(): Worker {
  const made = new Worker(new URL("./forms.worker.ts", import.meta.url), { type: "module" });
  made.onmessage = ({ data }: MessageEvent<Answer>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ("value" in data) asked?.resolve(JSON.parse(data.value) as never);
    else if (data.trapped) ended(new Trapped(data.failed), asked);
    else asked?.reject(new Error(data.failed));
  };
  made.onerror = (event) => ended(new Error(event.message));
  return made;
}

/** A worker is of no use any more: what waits for it is told. */
function ended(error: Error, asked?: { reject: (error: Error) => void }): void {
  worker?.terminate();
  worker = null;
  asked?.reject(error);
  for (const one of waiting.values()) one.reject(error);
  waiting.clear();
}

export function ask<Name extends Call>(call: Name, ...list: Calls[Name]["ask"]): Promise<Calls[Name]["get"]> {
  worker ??= begun();
  const id = next++;
  const asked: Asked = { id, call, list };
  const answer = new Promise<Calls[Name]["get"]>((resolve, reject) => {
    waiting.set(id, { resolve: resolve as (value: never) => void, reject });
  });
  worker.postMessage(asked);
  return answer;
}

/** What was typed while a form is tried, the last thing for each cell. */
export const trialEdits = (typed: ReadonlyMap<string, Edit>): string => JSON.stringify([...typed.values()]);

/** Has the module kept for the days without a link, once this page comes from its service worker. */
export async function keepModule(): Promise<void> {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  await serviceWorker.ready;
  if (!serviceWorker.controller) {
    await new Promise((taken) => serviceWorker.addEventListener("controllerchange", taken, { once: true }));
  }
  await fetch(formsWasm);
}
