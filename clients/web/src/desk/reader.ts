// Asking the server for figures, with this device's session; what it said last time without a link.

import { ask } from "../tablet.svelte";
import { Failure } from "../worker/protocol";
import { recall, remember, type Kept } from "./kept";

export const now = (): number => Math.floor(Date.now() / 1000);

/** The link is down: what was kept is shown. */
export const OFFLINE = "offline";

/** Asks with a token, once more with a new one if it was refused. */
export async function get(path: string, signal?: AbortSignal): Promise<Response> {
  let refused: string | null = null;
  for (;;) {
    const token: string = await ask("token", refused);
    const headers = { authorization: `Bearer ${token}` };
    let response: Response;
    try {
      response = await fetch(path, { headers, cache: "no-store", ...(signal ? { signal } : {}) });
    } catch (error) {
      throw new Failure(OFFLINE, String(error));
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as { code?: string };
    const code = problem.code ?? OFFLINE;
    const again = refused === null && (code === "token-expired" || code === "sign-in-required");
    if (!again) throw new Failure(code, `${path}: ${response.status}`);
    refused = token;
  }
}

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

/** An address with its query. */
export function address(path: string, query: Record<string, string>): string {
  return `${path}?${new URLSearchParams(query).toString()}`;
}
