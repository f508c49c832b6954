// The way to the server: sessions by the device key, and exchanges of frames.

import type { Tablet } from "../../core/tablet";
import type { Given, Path, Schemas, Taken } from "./interface";
import { Failure } from "./protocol";

/** The server was not reached: everything is safe here and is tried again. */
export const OFFLINE = "offline";

async function post(path: string, body: BodyInit, kind: string, token?: string): Promise<Response> {
  const headers: Record<string, string> = { "content-type": kind };
  if (token) headers["authorization"] = `Bearer ${token}`;
  let response: Response;
  try {
    response = await fetch(path, { method: "POST", headers, body, cache: "no-store" });
  } catch (error) {
    throw new Failure(OFFLINE, String(error));
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as Partial<Schemas["Problem"]>;
  // What stands between us and the server answers with no code of ours.
  throw new Failure(problem.code ?? OFFLINE, `${path}: ${response.status}`);
}

export async function postJson<P extends Path>(path: P, body: Taken<P>, token?: string): Promise<Given<P, "post">> {
  const response = await post(path, JSON.stringify(body), "application/json", token);
  return (await response.json()) as Given<P, "post">;
}

/** A session of one device. */
export class DeviceSession {
  #token: { text: string; until: number } | null = null;

  constructor(
    private readonly tablet: Tablet,
    private readonly keyId: string,
  ) {}

  async #signIn(): Promise<string> {
    const challenge = await postJson("/v1/device/challenge", { key_id: this.keyId });
    const { province, node, nonce } = challenge;
    const signature = this.tablet.signChallenge(province, node, nonce);
    const session = await postJson("/v1/device/session", { key_id: this.keyId, nonce, signature });
    const until = performance.now() + (session.expires_in_s - 30) * 1000;
    this.#token = { text: session.access_token, until };
    return session.access_token;
  }

  /** Gives a node that does not know this device the catalogue records it lost. */
  async #giveBack(): Promise<boolean> {
    let last: number | null = null;
    for (;;) {
      const records: string[] = last === null ? [] : JSON.parse(this.tablet.recordsAfter(last));
      if (last !== null && records.length === 0) return true;
      const held = await postJson("/v1/catalogue", { records });
      if (last !== null && held.last <= last) return false;
      last = held.last;
    }
  }

  async #fresh(): Promise<string> {
    if (this.#token && performance.now() < this.#token.until) return this.#token.text;
    try {
      return await this.#signIn();
    } catch (error) {
      const unknown = error instanceof Failure && error.code === "device-key-unknown";
      if (!unknown || !(await this.#giveBack())) throw error;
      return this.#signIn();
    }
  }

  /** A token for reading; `refused` is one that the server no longer takes. */
  token(refused: string | null): Promise<string> {
    if (refused !== null && this.#token?.text === refused) this.#token = null;
    return this.#fresh();
  }

  /** Sends a frame and gives the answer's. */
  async exchange(frame: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    for (let second = false; ; second = true) {
      const token = await this.#fresh();
      try {
        const answer = await post("/v1/sync", frame, "application/octet-stream", token);
        return new Uint8Array(await answer.arrayBuffer());
      } catch (error) {
        const over =
          error instanceof Failure &&
          (error.code === "token-expired" || error.code === "sign-in-required");
        if (second || !over) throw error;
        this.#token = null;
      }
    }
  }
}
