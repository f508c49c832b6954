// Turns a PIN into a key, for one lock. It takes twenty megabytes, which WebAssembly never gives back: they go with
// this worker.

import init, { makeLock, openLock } from "../../core/tablet";

export type ToLock = { core: WebAssembly.Module } | { pin: string; keyId: string } & ({ lock: Uint8Array } | { secrets: Uint8Array; fresh: Uint8Array });
export type FromLock = { bytes: Uint8Array<ArrayBuffer> } | { failed: string };

const say = (said: FromLock) => postMessage(said);
let begun: Promise<unknown>;

onmessage = async ({ data }: MessageEvent<ToLock>) => {
  if ("core" in data) {
    begun = init({ module_or_path: data.core });
    return;
  }
  const { pin, keyId } = data;
  try {
    await begun;
    const bytes = "lock" in data ? openLock(pin, keyId, data.lock) : makeLock(pin, keyId, data.secrets, data.fresh);
    say({ bytes: bytes as Uint8Array<ArrayBuffer> });
  } catch (error) {
    say({ failed: error instanceof Error ? error.message : String(error) });
  }
};
