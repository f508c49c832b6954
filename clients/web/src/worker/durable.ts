// The database of this browser. A write is reported only when the browser says that it is on the disk,
// and only the tab that owns the data writes: each write looks whether it still does.

import { openDB, type DBSchema, type IDBPDatabase, type IDBPObjectStore, type IDBPTransaction } from "idb";
import type { KeptNodes } from "./nodes";
import { Failure, OWNER_LOST, TAB_OLDER } from "./protocol";

export type Bytes = Uint8Array<ArrayBuffer>;

export interface KeptPerson {
  keyId: string;
  name: string;
  display: string;
  province: string;
  provinceName: string;
  installation: Bytes;
  /** The two secrets of this person, shut under their PIN. */
  lock?: Bytes;
  /** The 32 secret bytes of the device key, in clear: of a device of before there were PINs, and
      while an enrolment code is being redeemed. */
  seed?: Bytes;
  /** PINs that were wrong since the last that was right, and until when nobody may try. */
  wrong?: { count: number; until: number };
}

/** What is told of a person before sign-in: counts and times, nothing else. */
export interface About {
  unsent: number;
  synchronisedAt: number | null;
  /** Which nodes were met, and when: their addresses are in the policy of the app, for everybody to read. */
  nodes?: KeptNodes;
}

/** What was being taken from the node when the worker ended. */
export interface Mark {
  /** The parts of the answer being taken; none: nothing is. */
  taking: string[] | null;
  panicked: boolean;
  tries: number;
  /** Ask for one part at a time. */
  careful: boolean;
  /** Nothing can be exchanged by this version. */
  stopped: boolean;
  /** Parts that are left out, since taking them ends the worker. */
  without: string[];
  /** The version of the app that judged. */
  version: string;
}

interface Schema extends DBSchema {
  people: { key: string; value: KeptPerson };
  /** What each person's tablet has made durable: sealed rows, once there is a PIN. */
  truth: { key: [string, Bytes]; value: Bytes };
  /** Signed parts that wait, in clear: they are to leave, with or without the PIN. */
  outgoing: { key: [string, Bytes]; value: Bytes };
  about: { key: string; value: About };
  marks: { key: string; value: Mark };
  /** Which tab owns the data. */
  owner: { key: string; value: { epoch: string; protocol: number } };
}

type Store = keyof Pick<Schema, "people" | "truth" | "outgoing" | "about" | "marks" | "owner">;
export type Database = IDBPDatabase<Schema>;

const VERSION = 2;
/** Rises when tabs of two versions of the app could not share one owner. */
const PROTOCOL = 1;
const OWNER = "owner";

export function openDatabase(): Promise<Database> {
  return openDB<Schema>("dongbo", VERSION, {
    upgrade(database, from) {
      if (from < 1) {
        database.createObjectStore("people", { keyPath: "keyId" });
        database.createObjectStore("truth");
      }
      for (const store of ["outgoing", "about", "marks", "owner"] as const) {
        database.createObjectStore(store);
      }
    },
    // A tab of a later version needs another shape: this one gives way, and says so at its next call.
    blocking(_current, _later, event) {
      (event.target as IDBDatabase).close();
    },
  });
}

/** Everything of one person in a store, packed as the core reads it. */
export async function readRows(database: Database, store: "truth" | "outgoing", keyId: string): Promise<Bytes> {
  const range = IDBKeyRange.bound([keyId], [keyId, []]);
  const transaction = database.transaction(store);
  const [keys, values] = await Promise.all([
    transaction.store.getAllKeys(range),
    transaction.store.getAll(range),
    transaction.done,
  ]);
  const pieces: Uint8Array[] = [];
  keys.forEach(([, key], index) => {
    const value = values[index];
    if (value) pieces.push(length(key), new Uint8Array(key), PUT, length(value), value);
  });
  return joined(pieces);
}

const PUT = new Uint8Array([1]);

function length(of: Uint8Array | ArrayBuffer): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, of.byteLength);
  return bytes;
}

function joined(pieces: Uint8Array[]): Bytes {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Packed writes one by one; a removal has no value. */
export function* unpacked(writes: Uint8Array): Generator<[key: Bytes, value: Bytes | null]> {
  const view = new DataView(writes.buffer, writes.byteOffset, writes.byteLength);
  const take = (at: number): [Bytes, number] => {
    const end = at + 4 + view.getUint32(at);
    return [writes.slice(at + 4, end) as Bytes, end];
  };
  for (let at = 0; at < writes.length; ) {
    const [key, afterKey] = take(at);
    if (view.getUint8(afterKey) === 1) {
      const [value, after] = take(afterKey + 1);
      yield [key, value];
      at = after;
    } else {
      yield [key, null];
      at = afterKey + 1;
    }
  }
}

type Writing = IDBPTransaction<Schema, Store[], "readwrite">;

/** Puts packed writes into a store, under a person. */
export function put(
  transaction: Writing,
  store: "truth" | "outgoing",
  keyId: string,
  writes: Uint8Array,
): Promise<unknown>[] {
  const into = transaction.objectStore(store);
  return [...unpacked(writes)].map(([key, value]) =>
    value ? into.put(value, [keyId, key]) : into.delete([keyId, key]),
  );
}

/** The right to write: held by one tab at a time, and checked inside every write. */
export class Fence {
  constructor(
    readonly database: Database,
    readonly epoch: string,
  ) {}

  /** Takes the right from whoever had it. */
  async raise(): Promise<void> {
    const { transaction, done } = durable(this.database, ["owner"]);
    const store = transaction.objectStore("owner");
    const before = await store.get(OWNER);
    if (before && before.protocol > PROTOCOL) {
      transaction.abort();
      await done.catch(() => undefined);
      throw new Failure(TAB_OLDER, "a later version of the app owns the data");
    }
    await store.put({ epoch: this.epoch, protocol: PROTOCOL }, OWNER);
    await done;
  }

  /** Makes writes durable as a whole, or none of them if another tab has taken the right. */
  async write(stores: Store[], act: (transaction: Writing) => Promise<unknown>[]): Promise<void> {
    const { transaction, done } = durable(this.database, [...stores, "owner"]);
    const owner = transaction.objectStore("owner").get(OWNER);
    const writes = act(transaction).map((write) => write.catch(() => undefined));
    if ((await owner)?.epoch !== this.epoch) {
      transaction.abort();
      await Promise.all([...writes, done.catch(() => undefined)]);
      throw new Failure(OWNER_LOST, "another tab owns the data now");
    }
    await Promise.all([...writes, done]);
  }
}

function durable(database: Database, stores: Store[]): { transaction: Writing; done: Promise<void> } {
  let transaction: Writing;
  try {
    transaction = database.transaction(stores, "readwrite", { durability: "strict" });
  } catch (error) {
    // The connection was given up for a tab of a later version.
    throw new Failure(TAB_OLDER, String(error));
  }
  const { done } = transaction;
  done.catch(() => undefined);
  return { transaction, done };
}

/** Writes that no owner is needed for: who works here, and their PINs. */
export async function writePeople(
  database: Database,
  act: (people: IDBPObjectStore<Schema, Store[], "people", "readwrite">) => Promise<unknown>[],
): Promise<void> {
  const { transaction, done } = durable(database, ["people"]);
  const writes = act(transaction.objectStore("people")).map((write) => write.catch(() => undefined));
  await Promise.all([...writes, done]);
}

/** Changes one person as they are kept at this moment; if `change` throws, they stay as they are. */
export async function changePerson(
  database: Database,
  keyId: string,
  change: (kept: KeptPerson) => KeptPerson,
): Promise<void> {
  const { transaction, done } = durable(database, ["people"]);
  const people = transaction.objectStore("people");
  try {
    const kept = await people.get(keyId);
    if (!kept) throw new Failure("tablet-unknown", keyId);
    people.put(change(kept)).catch(() => undefined);
  } catch (error) {
    transaction.abort();
    await done.catch(() => undefined);
    throw error;
  }
  await done;
}
