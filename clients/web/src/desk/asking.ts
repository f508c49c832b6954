// One question to the server, with the token of a session.

import { Failure } from "../worker/protocol";

export const now = (): number => Math.floor(Date.now() / 1000);

/** The link is down: what was kept is shown. */
export const OFFLINE = "offline";

/** Asks with a token, once more with a new one if it was refused. */
export async function answered(
  tokenAfter: (refused: string | null) => Promise<string>,
  path: string,
  signal?: AbortSignal,
): Promise<Response> {
  let refused: string | null = null;
  for (;;) {
    const token: string = await tokenAfter(refused);
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

/** An address with its query. */
export function address(path: string, query: Record<string, string>): string {
  return `${path}?${new URLSearchParams(query).toString()}`;
}
