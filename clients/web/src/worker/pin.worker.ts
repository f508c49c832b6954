// Turns a PIN into a key, for one lock. It takes twenty megabytes, which WebAssembly never gives back: they go with
// this worker.

import init, { makeLock, openLock } from "../../core/tablet";
import type { LockWanted } from "./protocol";

export type ToLock =
  | ({ pin: string; keyId: string } & ({ lock: Uint8Array } | { secrets: Uint8Array; fresh: Uint8Array }))
  /** What it made has arrived: the page is asked to end this worker. */
  | { end: true };
export type FromLock = { bytes: Uint8Array<ArrayBuffer> } | { failed: string };

onmessage = ({ data: { core, port } }: MessageEvent<LockWanted>) => {
  const begun = init({ module_or_path: core });
  const say = (said: FromLock) => port.postMessage(said);
  port.onmessage = async ({ data }: MessageEvent<ToLock>) => {
    if ("end" in data) return postMessage({ end: true });
    const { pin, keyId } = data;
    try {
      await begun;
      const bytes = "lock" in data ? openLock(pin, keyId, data.lock) : makeLock(pin, keyId, data.secrets, data.fresh);
      say({ bytes: bytes as Uint8Array<ArrayBuffer> });
    } catch (error) {
      say({ failed: error instanceof Error ? error.message : String(error) });
    }
  };
};
