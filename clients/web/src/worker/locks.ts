// Locks under a PIN: opened and made in a worker that ends with it. The page makes that worker and this one talks to it
// through a port. A worker that makes another one stands still until the page has answered; where the service worker
// takes the page over in that moment, Firefox leaves both waiting for each other.

import type { FromLock, ToLock } from "./pin.worker";
import type { Bytes } from "./durable";
import { random, type LockWanted } from "./protocol";

interface Locker {
  port: MessagePort;
  /** Settles with what it made; fails if it ended, also before it was asked. */
  made: Promise<Bytes>;
  ended: () => void;
}

/** The core, compiled once for this worker and those of the locks. */
let core: Promise<WebAssembly.Module>;
let wanted: (lock: LockWanted, port: MessagePort) => void;
/** The next one is there before a PIN is typed. */
let ready: Locker | null = null;
const lockers = new Map<number, Locker>();
let next = 1;

/** `want` asks the page for the worker of a lock. */
export function prepare(compiled: Promise<WebAssembly.Module>, want: typeof wanted): void {
  core = compiled;
  wanted = want;
  void begun().then((locker) => (ready = locker), () => undefined);
}

async function begun(): Promise<Locker> {
  const module = await core;
  const id = next++;
  const { port1: port, port2 } = new MessageChannel();
  let ended = (): void => undefined;
  const made = new Promise<Bytes>((resolve, reject) => {
    ended = () => reject(new Error("vault-memory: the worker of the lock ended"));
    port.onmessage = ({ data }: MessageEvent<FromLock>) => ("bytes" in data ? resolve(data.bytes) : reject(new Error(data.failed)));
  });
  made.catch(() => undefined);
  const locker = { port, made, ended };
  lockers.set(id, locker);
  wanted({ lock: id, core: module, port: port2 }, port2);
  void made.finally(() => lockers.delete(id)).catch(() => undefined);
  return locker;
}

/** The worker of a lock came to nothing, says the page. */
export function lockEnded(id: number): void {
  const locker = lockers.get(id);
  if (locker === ready) ready = null;
  locker?.ended();
}

async function done(asked: ToLock): Promise<Bytes> {
  const locker = ready ?? (await begun());
  ready = null;
  try {
    locker.port.postMessage(asked);
    return await locker.made;
  } finally {
    locker.port.postMessage({ end: true } satisfies ToLock);
    locker.port.close();
  }
}

/** Shuts the two secrets of a person under a PIN. */
export const makeLock = (pin: string, keyId: string, secrets: Bytes): Promise<Bytes> => done({ pin, keyId, secrets, fresh: random(FRESH) });
/** The two secrets behind a lock. */
export const openLock = (pin: string, keyId: string, lock: Bytes): Promise<Bytes> => done({ pin, keyId, lock });

/** Random bytes of a lock. */
const FRESH = 40;
