// A new version of the app: fetched whole beside the old one, offered, and used when somebody says so.

import { settled } from "./edits";

/** How often a page that stays open asks whether there is one. */
const LOOK_MS = 60 * 60_000;

/** Whether a new version is here and waits; whether this page was loaded before the app was allowed to reach every
    node there is now. */
export const update = $state<{ waits: boolean; policy: boolean }>({ waits: false, policy: false });

let registered: ServiceWorkerRegistration | undefined;
let accepted = false;

/** Makes every later start work without a server, and watches for what is new. */
export async function keepApp(): Promise<void> {
  if (!("serviceWorker" in navigator) || !import.meta.env.PROD) return;
  // A page with no service worker before this one runs what it just loaded: nothing is newer.
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (accepted) location.reload();
  });
  navigator.serviceWorker.addEventListener("message", (event) => {
    if (event.data === "policy") update.policy = true;
  });
  registered = await navigator.serviceWorker.register("/service-worker.js");
  const look = () => {
    update.waits = registered?.waiting != null && navigator.serviceWorker.controller !== null;
  };
  registered.addEventListener("updatefound", () => {
    registered?.installing?.addEventListener("statechange", look);
  });
  look();
  setInterval(() => void registered?.update().catch(() => undefined), LOOK_MS);
}

/** Goes over to the new version, once what stands in a cell is durable. */
export async function accept(): Promise<void> {
  if (!(await settled())) return;
  accepted = true;
  registered?.waiting?.postMessage("use");
}

/** Sees to it that from its next start on the app may reach these nodes: a server names them in its policy, and the
    files kept here may have come before it did. */
export async function allow(addresses: string[]): Promise<void> {
  if (addresses.length === 0 || !registered) return;
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage({ reach: addresses.map((address) => new URL(address).origin) });
}

/** Loads the app again, once what stands in a cell is durable. */
export async function reload(): Promise<void> {
  if (await settled()) location.reload();
}
