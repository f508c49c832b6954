// Asking the server for figures, with this device's session; what it said last time without a link.

import { ask } from "../tablet.svelte";
import { Failure } from "../worker/protocol";
import { answered, now, OFFLINE } from "./asking";
import { Answers, type Kept } from "./kept";

/** The last answers, kept for whoever works in this tab. */
const answers = new Answers(() => ask("deskKey"));
export const recall = answers.recall.bind(answers);
export const remember = answers.remember.bind(answers);

/** Asks with this device's session. */
export const get = (path: string, signal?: AbortSignal): Promise<Response> => answered((refused) => ask("token", refused), path, signal);

export interface Read<T> extends Kept<T> {
  /** Just said, not remembered. */
  live: boolean;
}

/** What the server says, or said last; nothing if it was never asked and cannot be now. */
export async function read<T>(person: string, path: string): Promise<Read<T> | null> {
  try {
    const value = (await (await get(path)).json()) as T;
    const at = now();
    void remember(person, path, { value, at });
    return { value, at, live: true };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== OFFLINE) throw error;
    const kept = await recall<T>(person, path);
    return kept ? { ...kept, live: false } : null;
  }
}
