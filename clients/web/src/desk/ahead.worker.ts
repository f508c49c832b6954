// Reads ahead what lies below a desk, beside the page: one answer after the other. The page has the session.

import { answered } from "./asking";
import { Answers } from "./kept";
import { Reading } from "./reading";
import type { Asked, Whole } from "./shapes";
import { Failure } from "../worker/protocol";

export type ToReading =
  | { person: string; asked: Asked; whole: Whole; changed: ReadonlySet<string>; key: CryptoKey }
  /** None: nobody works here any more. */
  | { token: string | null };
/** A token is asked for, after one that was refused; or it has ended, well or not. */
export type FromReading = { token: string | null } | { done: boolean };

const say = (said: FromReading) => postMessage(said);

let token: string | null = null;
let given: (token: string | null) => void = () => undefined;

/** The token that the page gave last, unless it was refused. */
async function tokenAfter(refused: string | null): Promise<string> {
  if (token === null || token === refused) {
    const next = new Promise<string | null>((resolve) => (given = resolve));
    say({ token: refused });
    token = await next;
  }
  if (token === null) throw new Failure("closed", "nobody works here");
  return token;
}

onmessage = async ({ data }: MessageEvent<ToReading>) => {
  if ("token" in data) return given(data.token);
  const { person, asked, whole, changed, key } = data;
  const answers = new Answers(() => Promise.resolve(key));
  const reading = new Reading(person, asked, whole, changed, answers, (path) => answered(tokenAfter, path));
  const ended = (done: boolean) => say({ done });
  return reading.all().then(() => ended(true), () => ended(false));
};
