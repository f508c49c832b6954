// What begins before anything else of the page: the worker, which has its own way to go.

import { start } from "./tablet.svelte";

// The policy of the server allows scripts of its own alone; workers are named by their address.
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): unknown;
}
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
trustedTypes?.createPolicy("default", {
  createScriptURL: (url) => {
    if (new URL(url, location.href).origin === location.origin) return url;
    throw new TypeError(`a script of another origin: ${url}`);
  },
});

start();
