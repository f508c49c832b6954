// Locks under a PIN: opened and made in a worker that ends with it.

import type { FromLock, ToLock } from "./pin.worker";
import type { Bytes } from "./durable";
import { random } from "./protocol";

/** The core, compiled once for this worker and those of the locks. */
let core: Promise<WebAssembly.Module>;
/** The next one is there before a PIN is typed. */
let ready: Worker | null = null;

export function prepare(compiled: Promise<WebAssembly.Module>): void {
  core = compiled;
  void begun().then((worker) => (ready = worker), () => undefined);
}

async function begun(): Promise<Worker> {
  const module = await core;
  const worker = new Worker(new URL("./pin.worker.ts", import.meta.url), { type: "module" });
  worker.postMessage({ core: module } satisfies ToLock);
  return worker;
}

async function done(asked: ToLock): Promise<Bytes> {
  const worker = ready ?? (await begun());
  ready = null;
  try {
    return await new Promise<Bytes>((resolve, reject) => {
      worker.onerror = () => reject(new Error("vault-memory: the worker of the lock ended"));
      worker.onmessage = ({ data }: MessageEvent<FromLock>) => ("bytes" in data ? resolve(data.bytes) : reject(new Error(data.failed)));
      worker.postMessage(asked);
    });
  } finally {
    worker.terminate();
  }
}

/** Shuts the two secrets of a person under a PIN. */
export const makeLock = (pin: string, keyId: string, secrets: Bytes): Promise<Bytes> => done({ pin, keyId, secrets, fresh: random(FRESH) });
/** The two secrets behind a lock. */
export const openLock = (pin: string, keyId: string, lock: Bytes): Promise<Bytes> => done({ pin, keyId, lock });

/** Random bytes of a lock. */
const FRESH = 40;
