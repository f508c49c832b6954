// One exchange with the node, under a poison mark: what an answer brings is named durably before it is
// taken. A panic in the core ends the worker; the next one reads the mark, asks for one part at a time,
// and leaves out the part that does it until another version of the app comes.

import { brings } from "../../core/tablet";
import { VERSION } from "../version";
import type { Mark } from "./durable";
import { Failure, now, random } from "./protocol";
import { SPENT } from "./link";
import type { DeviceSession } from "./server";
import type { Work } from "./work";

/** Starts that found the same answer half taken, with no panic seen: then it counts as one. A tab that
    was killed once at this moment is no panic. */
const TRIES_MAX = 2;
/** The core cannot take the catalogue as it stands: nothing is exchanged until another version. */
const CATALOGUE_POISON = "poison-catalogue";
const LEFT_OUT = "left-out";

interface Received {
  /** Who answered. */
  node: string;
  again: boolean;
  /** Parts of ours that the node has taken. */
  acknowledged: number;
  documents: string[];
  notices: { code: string; part: string }[];
}

const none = (): Mark => ({
  taking: null, panicked: false, tries: 0, careful: false, stopped: false, without: [], version: VERSION,
});

/** What a start makes of the mark it finds. */
export function judged(found: Mark | undefined): { mark: Mark; readAgain: boolean } {
  if (!found) return { mark: none(), readAgain: false };
  if (found.version !== VERSION && (found.without.length > 0 || found.stopped)) {
    return { mark: { ...none(), careful: true }, readAgain: true };
  }
  const mark = { ...found, version: VERSION };
  if (mark.taking === null) return { mark, readAgain: false };
  mark.tries += 1;
  if (mark.panicked || mark.tries >= TRIES_MAX) {
    const [only] = mark.taking;
    if (mark.taking.length === 1 && only !== undefined) mark.without = [...mark.without, only];
    mark.stopped = mark.taking.length === 0;
    mark.careful = true;
    mark.tries = 0;
  }
  return { mark: { ...mark, taking: null, panicked: false }, readAgain: false };
}

/** What the page is told of parts that are left out. */
export const leftOut = (mark: Mark): { code: string; part: string }[] =>
  mark.without.map((part) => ({ code: LEFT_OUT, part }));

export async function exchange(work: Work, session: DeviceSession): Promise<Received> {
  const { mark } = work;
  if (mark.stopped) throw new Failure(CATALOGUE_POISON, "the catalogue cannot be taken by this version");
  const frame = await work.step((tablet) => tablet.request(mark.careful, now(), work.anyway));
  if (frame.length === 0) throw new Failure(SPENT, "the limit of the day has no room for more");
  const packed = await session.exchange(frame as Uint8Array<ArrayBuffer>).catch(async (error: unknown) => {
    await spent(work, session);
    throw error;
  });
  const answer = await work.step((tablet) => tablet.unpacked(packed));
  const brought = JSON.parse(brings(answer)) as { parts: string[]; records: number };
  const taking = brought.parts.filter((part) => !mark.without.includes(part));
  const brings_something = taking.length + brought.records > 0;
  if (brings_something) await work.keepMark({ ...mark, taking });
  const without = JSON.stringify(mark.without);
  const taken = brings_something ? { ...mark, taking: null, tries: 0 } : undefined;
  const traffic = session.takeTraffic();
  const received = await work.step((tablet) => {
    const received = JSON.parse(tablet.receive(answer, now(), random(8), without)) as Received;
    tablet.spend(traffic.bytes, traffic.connections, received.acknowledged > 0, now());
    return received;
  }, taken);
  // All is read: from here on as much at a time as fits.
  if (mark.careful && !received.again) await work.keepMark({ ...work.mark, careful: false });
  return received;
}

/** What travelled counts, whatever came of it. */
async function spent(work: Work, session: DeviceSession): Promise<void> {
  const { bytes, connections } = session.takeTraffic();
  await work.step((tablet) => tablet.spend(bytes, connections, false, now()));
}
