// What can be the matter with a link, told apart by what a person can do about it.

import { Failure } from "./protocol";

/** The server was not reached: everything is safe here and is tried again. */
export const OFFLINE = "offline";
/** Something else answered: the sign-in page of a network, or a proxy. */
export const ELSEWHERE = "link-elsewhere";
/** The line is open and nothing comes. */
export const STALLED = "link-stalled";
/** What came is not what the server sent. */
export const REWRITTEN = "link-rewritten";
/** Nothing is the matter with the link: the limit of the day has no room for more. */
export const SPENT = "budget-spent";

/** With these the link was cut, and what was under way can go on. */
export const CUT: ReadonlySet<string> = new Set([OFFLINE, STALLED]);
/** With these nothing is wrong but the link: it is tried again. */
export const LINK_FAULTS: ReadonlySet<string> = new Set([OFFLINE, ELSEWHERE, STALLED, REWRITTEN]);

/** A line on which nothing has come for so long is as good as cut, milliseconds. */
const QUIET_MS = 30_000;
/** Bytes a second that a link takes at least: a request is given the time it needs before an answer is missed. */
const SLOWEST_BYTES_S = 1_000;

/** Ends a request on which nothing comes any more. */
export class Patience {
  readonly #line = new AbortController();
  #timer: ReturnType<typeof setTimeout>;
  #over = false;

  constructor(sends: number) {
    this.#timer = setTimeout(() => this.#giveUp(), QUIET_MS + (sends / SLOWEST_BYTES_S) * 1_000);
  }

  get signal(): AbortSignal {
    return this.#line.signal;
  }

  /** Something came. */
  heard(): void {
    clearTimeout(this.#timer);
    if (!this.#over) this.#timer = setTimeout(() => this.#giveUp(), QUIET_MS);
  }

  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  /** What went wrong, by its name. */
  failure(error: unknown): Failure {
    if (error instanceof Failure) return error;
    return new Failure(this.signal.aborted ? STALLED : OFFLINE, String(error));
  }

  #giveUp(): void {
    this.#line.abort();
  }
}
