// The way to the server: sessions by the device key, and exchanges of frames that go on after a cut.

import { UnderWay, type Tablet } from "../../core/tablet";
import type { Given, Path, Schemas, Taken } from "./interface";
import { Failure, type Left } from "./protocol";
import { CUT, ELSEWHERE, OFFLINE, Patience, STALLED } from "./link";

const JSON_KIND = "application/json";
const FRAME_KIND = "application/octet-stream";
/** Cuts in a row that brought nothing before the link is given up for now. */
const FRUITLESS_MAX = 4;
/** The wait after a cut that brought nothing, milliseconds; each is twice the one before. */
const FRUITLESS_MS = 25;

/** What travelled: bodies both ways, and over how many connections. */
export interface Traffic {
  bytes: number;
  connections: number;
}

/** Sends something; gives the answer of the server itself, and of nothing that stands between. */
async function post(url: string, body: BodyInit, kind: string, patience: Patience, token?: string): Promise<Response> {
  const headers: Record<string, string> = { "content-type": kind };
  if (token) headers["authorization"] = `Bearer ${token}`;
  let response: Response;
  try {
    // Our server sends nobody elsewhere.
    response = await fetch(url, { method: "POST", headers, body, cache: "no-store", redirect: "manual", signal: patience.signal });
  } catch (error) {
    throw patience.failure(error);
  }
  patience.heard();
  const said = response.headers.get("content-type") ?? "";
  if (response.type === "opaqueredirect") throw new Failure(ELSEWHERE, `${url}: sent elsewhere`);
  if (response.ok) {
    if (said.startsWith("text/html")) throw new Failure(ELSEWHERE, `${url}: a page for an answer`);
    return response;
  }
  const problem = (await response.json().catch(() => ({}))) as Partial<Schemas["Problem"]>;
  // What stands between us and the server answers with no code of ours.
  const none = said.startsWith("text/html") && response.status < 500 ? ELSEWHERE : OFFLINE;
  throw new Failure(problem.code ?? none, `${url}: ${response.status}`);
}

/** `at` is the address of a node; without it the one this app came from. What travels is added to the traffic. */
export async function postJson<P extends Path>(path: P, body: Taken<P>, at = "", traffic?: Traffic): Promise<Given<P, "post">> {
  const text = JSON.stringify(body);
  if (traffic) traffic.connections += 1;
  if (traffic) traffic.bytes += text.length;
  const patience = new Patience(text.length);
  try {
    const response = await post(at + path, text, JSON_KIND, patience);
    const said = await response.text();
    if (traffic) traffic.bytes += said.length;
    return JSON.parse(said) as Given<P, "post">;
  } catch (error) {
    throw patience.failure(error);
  } finally {
    patience.end();
  }
}

/** What one connection brought before it ended. */
interface Brought {
  bytes: Uint8Array;
  /** Why it ended early. */
  cut: Failure | null;
}

async function postFrame(at: string, body: Uint8Array<ArrayBuffer>, token: string, came: Came): Promise<Brought> {
  const patience = new Patience(body.length);
  const pieces: Uint8Array[] = [];
  let count = 0;
  let cut: Failure | null = null;
  try {
    const reader = (await post(`${at}/v1/sync`, body, FRAME_KIND, patience, token)).body?.getReader();
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      patience.heard();
      pieces.push(read.value);
      count += read.value.length;
      came(pieces[0] ?? read.value, count);
    }
  } catch (error) {
    const failure = patience.failure(error);
    if (!CUT.has(failure.code)) throw failure;
    cut = failure;
  } finally {
    patience.end();
  }
  return { bytes: new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer()), cut };
}

/** Told while a connection brings something: its first bytes, and how many came so far. */
type Came = (first: Uint8Array, count: number) => void;

const NOTHING = new Uint8Array();
/** Bytes that say how long an answer is: the head of a piece and that of the frame in it. */
const HEAD_BYTES = 64;

/** A session of one device with one node. */
export class DeviceSession {
  #token: { text: string; link: string; until: number } | null = null;
  /** What travelled since it was last asked for. */
  #traffic: Traffic = { bytes: 0, connections: 0 };
  /** An exchange that a cut link left in the middle. */
  #underWay: UnderWay | null = null;

  constructor(
    /** The address of the node; empty: the one this app came from. */
    private readonly at: string,
    private readonly tablet: Tablet,
    private readonly keyId: string,
    /** Told how much is left of an exchange, with everything that comes. */
    private readonly goes: (left: Left) => void,
  ) {}

  async #signIn(): Promise<string> {
    const challenge = await postJson("/v1/device/challenge", { key_id: this.keyId }, this.at, this.#traffic);
    const { province, node, nonce } = challenge;
    const signature = this.tablet.signChallenge(province, node, nonce);
    const session = await postJson("/v1/device/session", { key_id: this.keyId, nonce, signature }, this.at, this.#traffic);
    const until = performance.now() + (session.expires_in_s - 30) * 1000;
    // A tenth of its length, with every request of a slow link.
    this.#token = { text: session.access_token, link: session.link_token ?? session.access_token, until };
    return session.access_token;
  }

  /** Gives a node that does not know this device the catalogue records it lost. */
  async #giveBack(): Promise<boolean> {
    let last: number | null = null;
    for (;;) {
      const records: string[] = last === null ? [] : JSON.parse(this.tablet.recordsAfter(last));
      if (last !== null && records.length === 0) return true;
      const held = await postJson("/v1/catalogue", { records }, this.at, this.#traffic);
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

  /** What travelled since this was last called. */
  takeTraffic(): Traffic {
    const traffic = { ...this.#traffic };
    Object.assign(this.#traffic, { bytes: 0, connections: 0 });
    return traffic;
  }

  /** A token for reading; `refused` is one that the server no longer takes. */
  token(refused: string | null): Promise<string> {
    if (refused !== null && this.#token?.text === refused) this.#token = null;
    return this.#fresh();
  }

  /** Brings a frame to the server and its answer back, over as many connections as it takes; what a cut left is
      gone on with. */
  async exchange(frame: Uint8Array): Promise<Uint8Array> {
    if (!this.#underWay?.is(frame)) {
      this.#underWay?.free();
      this.#underWay = new UnderWay(frame);
    }
    const answer = await this.#carried(this.#underWay);
    this.#underWay.free();
    this.#underWay = null;
    return answer;
  }

  async #carried(frame: UnderWay): Promise<Uint8Array> {
    for (let fruitless = 0; ; ) {
      const [there = 0, here = 0] = frame.progress();
      const came: Came = (first, count) => {
        const [send = 0, receive = null] = frame.left(first.subarray(0, HEAD_BYTES), count);
        this.goes({ send, receive });
      };
      came(NOTHING, 0);
      const { bytes, cut } = await this.#sent(frame.said() as Uint8Array<ArrayBuffer>, came);
      const answer = frame.take(bytes, cut !== null);
      if (answer) return answer;
      const [nowThere = 0, nowHere = 0] = frame.progress();
      if (nowThere !== there || nowHere !== here) {
        fruitless = 0;
        continue;
      }
      fruitless += 1;
      // Half a minute of silence was patience enough: whoever waits is told before it is tried again.
      if (fruitless > FRUITLESS_MAX || cut?.code === STALLED) throw cut ?? new Failure(OFFLINE, "an exchange that does not go on");
      if (cut) await new Promise((over) => setTimeout(over, FRUITLESS_MS << fruitless));
    }
  }

  /** One connection, with a token that holds. */
  async #sent(body: Uint8Array<ArrayBuffer>, came: Came): Promise<Brought> {
    for (let second = false; ; second = true) {
      await this.#fresh();
      let count = 0;
      try {
        return await postFrame(this.at, body, this.#token?.link ?? "", (first, bytes) => came(first, (count = bytes)));
      } catch (error) {
        const over =
          error instanceof Failure &&
          (error.code === "token-expired" || error.code === "sign-in-required");
        if (second || !over) throw error;
        this.#token = null;
      } finally {
        this.#traffic.connections += 1;
        this.#traffic.bytes += body.length + count;
      }
    }
  }
}
