// The database of this browser. A write is reported only when the browser says that it is on the disk.

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Card } from "./protocol";

export interface KeptPerson extends Card {
  /** The 32 secret bytes of the device key. */
  seed: Uint8Array<ArrayBuffer>;
  installation: Uint8Array<ArrayBuffer>;
}

interface Schema extends DBSchema {
  people: { key: string; value: KeptPerson };
  /** Truth keys of each person's tablet. */
  truth: { key: [string, Uint8Array<ArrayBuffer>]; value: Uint8Array<ArrayBuffer> };
}

export type Database = IDBPDatabase<Schema>;

const VERSION = 1;

export function openDatabase(): Promise<Database> {
  return openDB<Schema>("dongbo", VERSION, {
    upgrade(database) {
      database.createObjectStore("people", { keyPath: "keyId" });
      database.createObjectStore("truth");
    },
  });
}

/** Everything a tablet has made durable, packed as the core reads it. */
export async function readTruth(database: Database, keyId: string): Promise<Uint8Array> {
  const range = IDBKeyRange.bound([keyId], [keyId, []]);
  const transaction = database.transaction("truth");
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

function joined(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Makes the writes of one step durable as a whole. */
export async function keep(database: Database, keyId: string, writes: Uint8Array): Promise<void> {
  if (writes.length === 0) return;
  const transaction = database.transaction("truth", "readwrite", { durability: "strict" });
  const view = new DataView(writes.buffer, writes.byteOffset, writes.byteLength);
  const take = (at: number): [Uint8Array<ArrayBuffer>, number] => {
    const end = at + 4 + view.getUint32(at);
    return [writes.slice(at + 4, end), end];
  };
  const all: Promise<unknown>[] = [];
  for (let at = 0; at < writes.length; ) {
    const [key, afterKey] = take(at);
    if (view.getUint8(afterKey) === 1) {
      const [value, after] = take(afterKey + 1);
      all.push(transaction.store.put(value, [keyId, key]));
      at = after;
    } else {
      all.push(transaction.store.delete([keyId, key]));
      at = afterKey + 1;
    }
  }
  await Promise.all([...all, transaction.done]);
}
