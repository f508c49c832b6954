// An administrator's session by password. Its tokens are in memory alone and go with the page.

import { spoken } from "../words/words.svelte";
import type { Given, Path, Schemas, Taken } from "../worker/interface";

/** Something was not done; the server's own sentence says why. */
export class Refused extends Error {
  readonly code: string;
  readonly #problem: Partial<Schemas["Problem"]>;
  constructor(problem: Partial<Schemas["Problem"]>) {
    super(problem.code ?? "offline");
    this.code = problem.code ?? "offline";
    this.#problem = problem;
  }
  /** In the language of the page; none if the server was not reached. */
  get sentence(): string | undefined {
    return spoken.language === "vi" ? this.#problem.message_vi : this.#problem.message_en;
  }
}

async function reached(request: Promise<Response>): Promise<Response> {
  const response = await request.catch(() => null);
  if (!response) throw new Refused({});
  if (response.ok) return response;
  throw new Refused((await response.json().catch(() => ({}))) as Partial<Schemas["Problem"]>);
}

async function body<T>(response: Response): Promise<T> {
  return (response.status === 204 ? null : await response.json()) as T;
}

/** Asks without a session. */
export async function send<P extends Path>(path: P, request: Taken<P>): Promise<Given<P, "post">> {
  const headers = { "content-type": "application/json" };
  const asked = { method: "POST", headers, body: JSON.stringify(request), cache: "no-store" } as const;
  return body(await reached(fetch(path, asked)));
}

/** Reads without a session. */
export async function look<P extends Path>(path: P): Promise<Given<P, "get">> {
  return body(await reached(fetch(path, { cache: "no-store" })));
}

/** A path with its variable parts filled in. */
function at(path: string, parts: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name] ?? ""));
}

/** What the server says of a token whose time is over. */
const EXPIRED = "token-expired";
/** Seconds before its end at which a token is exchanged. */
const EARLY_S = 30;

function sent(path: string, request: RequestInit, token: string): Promise<Response> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  return reached(fetch(path, { ...request, headers, cache: "no-store" }));
}

/** Whoever signed in on this page, until they leave it: the administrator's pages share them. */
export const signedIn: { session: Session | null } = { session: null };

export class Session {
  #now: Schemas["Session"];
  #until = 0;
  #renewing: Promise<void> | null = null;
  readonly person: string;

  private constructor(session: Schemas["Session"]) {
    this.#now = session;
    this.#take(session);
    this.person = session.person;
  }

  static async signIn(name: string, password: string): Promise<Session> {
    return new Session(await send("/v1/session", { name, password }));
  }

  async #ask(path: string, request: RequestInit): Promise<Response> {
    if (performance.now() >= this.#until) await this.#renew(this.#now.access_token);
    const { access_token } = this.#now;
    try {
      return await sent(path, request, access_token);
    } catch (error) {
      // The clock of a page may stand still while the computer sleeps: the server knows better what is over.
      if (!(error instanceof Refused) || error.code !== EXPIRED) throw error;
      await this.#renew(access_token);
      return sent(path, request, this.#now.access_token);
    }
  }

  /** Exchanges the session of a token that is over, once for all who ask. */
  async #renew(over: string): Promise<void> {
    const { access_token, refresh_token } = this.#now;
    if (over !== access_token || !refresh_token) return;
    this.#renewing ??= send("/v1/session/refresh", { refresh_token })
      .then((session) => this.#take(session))
      .finally(() => (this.#renewing = null));
    await this.#renewing;
  }

  #take(session: Schemas["Session"]): void {
    this.#now = session;
    this.#until = performance.now() + (session.expires_in_s - EARLY_S) * 1000;
  }

  async get<P extends Path>(path: P, query: Record<string, string> = {}): Promise<Given<P, "get">> {
    return body(await this.#ask(`${path}?${new URLSearchParams(query)}`, {}));
  }

  async post<P extends Path>(
    path: P,
    request: Taken<P>,
    parts: Record<string, string> = {},
  ): Promise<Given<P, "post">> {
    const asked = { method: "POST", body: JSON.stringify(request ?? {}) };
    return body(await this.#ask(at(path, parts), asked));
  }

  /** A text as it is, letter for letter. */
  async text(path: Path, parts: Record<string, string>): Promise<string> {
    return (await this.#ask(at(path, parts), {})).text();
  }

  /** Sends JSON that is written already: what is signed is signed as it stands. */
  async postText(path: Path, text: string): Promise<void> {
    await this.#ask(path, { method: "POST", body: text });
  }

  async end(): Promise<void> {
    const { refresh_token } = this.#now;
    if (refresh_token) await send("/v1/session/end", { refresh_token });
  }
}
