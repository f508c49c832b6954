// The page's side of the worker: a promise for each call, and what is always true.

import { Failure, type Answer, type Ask, type CallName, type Calls, type Early, type LockWanted, type Standing } from "./worker/protocol";

let worker: Worker;

/** Starts the worker. Once, before anything is asked, and after a panic ended it. */
export function start(): void {
  for (const one of lockers) one.terminate();
  lockers.clear();
  worker = new Worker(new URL("./worker/tablet.worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = (event: MessageEvent<Answer>) => {
    if (holds > 0) late.push(event);
    else take(event);
  };
}

/** Workers of locks, as long as one may be used. */
const lockers = new Set<Worker>();

/** Makes a worker for a lock: see `worker/locks.ts` on why the page does. */
function lend(wanted: LockWanted): void {
  const made = new Worker(new URL("./worker/pin.worker.ts", import.meta.url), { type: "module" });
  lockers.add(made);
  const end = (): void => {
    made.terminate();
    lockers.delete(made);
    worker.postMessage({ lockEnded: wanted.lock });
  };
  made.onmessage = made.onerror = end;
  made.postMessage(wanted, [wanted.port]);
}

/** What the worker said while something was on its way to the screen. */
const late: MessageEvent<Answer>[] = [];
let holds = 0;

/** What the worker says is heard in its order, after what is shown now has been drawn. */
export function holdUntil(shown: Promise<void>): void {
  holds += 1;
  void shown.then(() => {
    holds -= 1;
    for (let event = holds === 0 && late.shift(); event; event = holds === 0 && late.shift()) take(event);
  });
}

interface Waiting {
  ask: Ask;
  early?: (value: never) => void;
  resolve: (value: never) => void;
  reject: (failure: Failure) => void;
}

const waiting = new Map<number, Waiting>();
let next = 1;

/** How it stands; none until somebody works here. */
export const standing = $state<{ now: Standing | null }>({ now: null });
/** Counts what came from others, with the documents of the last time. */
export const news = $state<{ count: number; documents: string[] }>({ count: 0, documents: [] });

function take(event: MessageEvent<Answer>): void {
  const answer = event.data;
  if ("standing" in answer) {
    standing.now = answer.standing;
  } else if ("changed" in answer) {
    news.documents = answer.changed;
    news.count += 1;
  } else if ("lock" in answer) {
    lend(answer);
  } else if ("restart" in answer) {
    start();
    if (answer.restart) worker.postMessage({ resume: answer.restart });
    for (const { ask } of waiting.values()) worker.postMessage(ask);
  } else if ("early" in answer) {
    waiting.get(answer.id)?.early?.(answer.early as never);
  } else {
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("value" in answer) asked?.resolve(answer.value as never);
    else asked?.reject(new Failure(answer.code, answer.text));
  }
}

/** Asks the worker. */
export function ask<Name extends CallName>(call: Name, ...list: Calls[Name]["ask"]): Promise<Calls[Name]["get"]> {
  // What the page holds may be reactive; the worker gets the plain values.
  const plain = list.map((one) => (typeof one === "object" ? $state.snapshot(one) : one));
  return put(call, plain as Calls[Name]["ask"]);
}

/** Asks for what is to become durable, with plain values; what it comes to is said early, as often as the call is
    made anew. */
export function askEarly<Name extends CallName>(
  early: Early<Name>,
  call: Name,
  ...list: Calls[Name]["ask"]
): Promise<Calls[Name]["get"]> {
  return put(call, list, early);
}

function put<Name extends CallName>(call: Name, list: Calls[Name]["ask"], early?: (value: never) => void): Promise<Calls[Name]["get"]> {
  const id = next++;
  return new Promise((resolve, reject) => {
    const asked: Ask = { id, call, arguments: list };
    waiting.set(id, { ask: asked, ...(early ? { early } : {}), resolve: resolve as (value: never) => void, reject });
    worker.postMessage(asked);
  });
}

/** Shuts the work of whoever works in this tab. */
export async function leave(): Promise<void> {
  await ask("lock").catch(() => undefined);
  standing.now = null;
}
