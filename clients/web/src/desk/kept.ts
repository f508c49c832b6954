// The last answers of the server to each person of this device, so that a desk reads without a link.
// They are sealed: only the PIN of that person opens them, as everything else of theirs.

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { ANSWERS_MAX } from "./limits";

export interface Kept<T> {
  value: T;
  /** When the server said so, seconds since 1970 by this device. */
  at: number;
}

interface Sealed {
  at: number;
  iv: Uint8Array<ArrayBuffer>;
  bytes: ArrayBuffer;
}

interface Schema extends DBSchema {
  answers: { key: [string, string]; value: Sealed; indexes: { at: number } };
}

const VERSION = 1;
const CIPHER = "AES-GCM";
const IV_BYTES = 12;

let opened: Promise<IDBPDatabase<Schema>> | null = null;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("dongbo-desk", VERSION, {
    upgrade(made) {
      made.createObjectStore("answers").createIndex("at", "at");
    },
  });
  return opened;
}

/** The answers of whoever has the key. */
export class Answers {
  constructor(private readonly key: () => Promise<CryptoKey>) {}

  /** What the server last said to a person; nothing if it never did, or if this browser keeps nothing. */
  async recall<T>(person: string, path: string): Promise<Kept<T> | undefined> {
    try {
      const sealed = await (await database()).get("answers", [person, path]);
      if (!sealed) return undefined;
      const { at, iv, bytes } = sealed;
      const clear = await crypto.subtle.decrypt({ name: CIPHER, iv }, await this.key(), bytes);
      return { value: JSON.parse(new TextDecoder().decode(clear)) as T, at };
    } catch {
      return undefined;
    }
  }

  /** Keeps an answer. It can be asked for again: a browser without room loses nothing that was typed. */
  async remember(person: string, path: string, { value, at }: Kept<unknown>): Promise<void> {
    try {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const clear = new TextEncoder().encode(JSON.stringify(value));
      const bytes = await crypto.subtle.encrypt({ name: CIPHER, iv }, await this.key(), clear);
      const answers = (await database()).transaction("answers", "readwrite");
      await answers.store.put({ at, iv, bytes }, [person, path]);
      for (let over = (await answers.store.count()) - ANSWERS_MAX; over > 0; over -= 1) {
        await (await answers.store.index("at").openCursor())?.delete();
      }
      await answers.done;
    } catch {
      // Shown all the same; only a start without a link will not have it.
    }
  }
}

/** Forgets what was kept for a person. */
export async function forget(person: string): Promise<void> {
  await (await database()).delete("answers", IDBKeyRange.bound([person], [person, []]));
}
