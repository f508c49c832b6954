// Starts the page; the service worker makes every later start work without a server.

import { mount } from "svelte";
import App from "./App.svelte";
import "./tokens.css";
import "./app.css";
import { keepApp } from "./parts/update.svelte";
import { start } from "./tablet.svelte";
import { speak, spoken } from "./words/words.svelte";

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
speak(spoken.language);
const target = document.getElementById("app");
if (target) mount(App, { target });
void keepApp();
