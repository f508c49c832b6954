// Who works on this device: enrolling, PINs, and what is told before anybody has signed in. Any tab may.

import { checkPin, recoveryOf, Tablet, waitAfter } from "../../core/tablet";
import { changePerson, readRows, writePeople, type Bytes, type Database, type KeptPerson } from "./durable";
import { makeLock, openLock } from "./locks";
import { Failure, now, random, thrown, type Card, type Who } from "./protocol";
import type { Given } from "./interface";
import { postJson } from "./server";

/** What a key is kept under until the server has said whose it is. */
const PENDING = "pending ";
/** What the server says of a code that can never be used for this key: nothing is kept for it. */
const CODE_SPENT = "code-unknown";

export async function people(database: Database): Promise<Card[]> {
  const all = await database.getAll("people");
  const known = all.filter((person) => !person.keyId.startsWith(PENDING));
  return Promise.all(known.map((person) => card(database, person)));
}

async function card(database: Database, person: KeptPerson): Promise<Card> {
  const { keyId, name, display, province, provinceName, lock, wrong } = person;
  const about = await database.get("about", keyId);
  return {
    keyId, name, display, province, provinceName,
    hasPin: lock !== undefined,
    unsent: about?.unsent ?? 0,
    synchronisedAt: about?.synchronisedAt ?? null,
    waitUntil: wrong && wrong.until > now() ? waits(wrong) : null,
  };
}

/** Until when nobody may try; a clock that was set back does not make it longer than it ever is. */
function waits(wrong: { count: number; until: number }): number {
  return Math.min(wrong.until, now() + waitAfter(wrong.count));
}

export async function enrol(database: Database, code: string, label: string, pin: string): Promise<Card> {
  checkPin(pin);
  // Kept before it is used: a code whose answer was lost works again for the same key only.
  const name = PENDING + code.trim();
  const pending = await database.get("people", name);
  const seed = pending?.seed ?? random(32);
  const installation = pending?.installation ?? random(8);
  if (!pending) {
    const nobody = { name: "", display: "", province: "", provinceName: "" };
    await writePeople(database, (store) => [store.put({ ...nobody, keyId: name, seed, installation })]);
  }
  let redeemed: Given<"/v1/enrolments/redeem", "post">;
  try {
    redeemed = await postJson("/v1/enrolments/redeem", { code, public_key: publicKey(seed), label });
  } catch (error) {
    if (thrown(error).code === CODE_SPENT) await writePeople(database, (store) => [store.delete(name)]);
    throw error;
  }
  const keyId = redeemed.key_id;
  const secrets = new Uint8Array([...seed, ...random(32)]);
  const person: KeptPerson = {
    keyId,
    name: redeemed.name,
    display: redeemed.display,
    province: redeemed.province,
    provinceName: redeemed.province_name,
    installation,
    lock: await makeLock(pin, keyId, secrets),
  };
  await writePeople(database, (store) => [store.put(person), store.delete(name)]);
  return card(database, person);
}

/** A tablet of no province yet, for its public key alone. */
function publicKey(seed: Uint8Array): string {
  const key = new Tablet("0".repeat(32), new Uint8Array(8), seed, new Uint8Array(), false);
  const text = key.publicKey();
  key.free();
  return text;
}

/** The secrets behind a person's PIN; that it was [`right`] is still to be said. */
export async function unlock(database: Database, keyId: string, pin: string): Promise<Who> {
  const { secrets } = await opened(database, keyId, pin);
  return { keyId, secrets };
}

/** Shuts the same secrets under another PIN. What is kept stays as it is: they alone open it. */
export async function changePin(database: Database, keyId: string, pin: string, next: string): Promise<void> {
  checkPin(next);
  const { lock, secrets } = await opened(database, keyId, pin);
  const relocked = await makeLock(next, keyId, secrets);
  secrets.fill(0);
  await right(database, keyId, { from: lock, to: relocked });
}

/** Tries a PIN. A try is counted before it is made: a reload gives none back. */
async function opened(database: Database, keyId: string, pin: string): Promise<{ lock: Bytes; secrets: Bytes }> {
  const person = await database.get("people", keyId);
  if (!person?.lock) throw new Failure("tablet-unknown", keyId);
  const { lock, wrong } = person;
  if (wrong && waits(wrong) > now()) throw new Failure("pin-wait", String(waits(wrong)));
  const count = (wrong?.count ?? 0) + 1;
  await changePerson(database, keyId, (kept) => ({ ...kept, wrong: { count, until: now() + waitAfter(count) } }));
  return { lock, secrets: await openLock(pin, keyId, lock) };
}

/** The PIN was right: the count ends, and another lock takes the place of the one it opened. */
export async function right(database: Database, keyId: string, lock?: { from: Bytes; to: Bytes }): Promise<void> {
  await changePerson(database, keyId, ({ wrong: _, ...person }) => {
    if (!lock) return person;
    // Another tab may have been quicker.
    if (!person.lock || indexedDB.cmp(person.lock, lock.from) !== 0) throw new Failure("pin-wrong", keyId);
    return { ...person, lock: lock.to };
  });
}

/** Secrets and lock for a device of before there were PINs. */
export async function firstPin(database: Database, keyId: string, pin: string): Promise<{ who: Who; lock: Uint8Array<ArrayBuffer> }> {
  const person = await database.get("people", keyId);
  if (!person?.seed) throw new Failure("tablet-unknown", keyId);
  const secrets = new Uint8Array([...person.seed, ...random(32)]);
  const lock = await makeLock(pin, keyId, secrets);
  return { who: { keyId, secrets }, lock };
}

/** What is signed and waits, as a file, without the PIN: it was sealed to be sent. */
export async function recoveryFile(database: Database, keyId: string): Promise<string> {
  const person = await database.get("people", keyId);
  if (!person) throw new Failure("tablet-unknown", keyId);
  return recoveryOf(person.province, await readRows(database, "outgoing", keyId));
}
