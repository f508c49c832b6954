// Keeps the app on the device: every later start works without a server. A new version is fetched whole
// before it counts, and is used when a person accepts it or from the next start on, never in the middle of
// an edit.

const CACHE = "app-__VERSION__";
const FILES = __FILES__;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

// A person has accepted the new version in one of the tabs.
self.addEventListener("message", (event) => {
  if (event.data === "use") self.skipWaiting();
  if (event.data.reach) event.waitUntil(renewPolicy(event.data.reach));
});

const POLICY = "content-security-policy";

// The server's policy names the nodes that the app may reach; a page and its workers follow the one that their file was
// kept with. When a node is missing there, the policy of today takes its place; it holds from the next start on.
async function renewPolicy(origins) {
  const cache = await caches.open(CACHE);
  const kept = (await cache.match("/index.html"))?.headers.get(POLICY) ?? "";
  if (origins.every((origin) => kept.split(/[ ;]+/).includes(origin))) return;
  const fresh = await fetch("/index.html", { cache: "no-store" }).catch(() => undefined);
  const policy = fresh?.ok ? fresh.headers.get(POLICY) : null;
  if (!policy || policy === kept) return;
  for (const path of FILES.filter((path) => path === "/index.html" || path.includes("worker"))) {
    const file = await cache.match(path);
    if (!file) continue;
    const headers = new Headers(file.headers);
    headers.set(POLICY, policy);
    // What is kept is kept as it is read.
    headers.delete("content-encoding");
    headers.delete("content-length");
    await cache.put(path, new Response(await file.blob(), { headers }));
  }
  for (const client of await self.clients.matchAll()) client.postMessage("policy");
}

// The version before stays: another tab may still be in the middle of an edit with it.
self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const older = (await caches.keys()).filter((name) => name !== CACHE);
      await Promise.all(older.slice(0, -1).map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

/** What few people need is not fetched for everybody: it comes when it is asked for, and stays. */
async function fetched(event, path) {
  const answer = await fetch(event.request);
  if (answer.ok && path.endsWith(".wasm")) {
    const copy = answer.clone();
    event.waitUntil(caches.open(CACHE).then((cache) => cache.put(path, copy)));
  }
  return answer;
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const path = url.pathname === "/" ? "/index.html" : url.pathname;
  // Names under /assets never change their content: one of the version before is still right.
  const options = FILES.includes(path) ? { cacheName: CACHE } : {};
  if (!FILES.includes(path) && !path.startsWith("/assets/")) return;
  event.respondWith(caches.match(path, options).then((kept) => kept ?? fetched(event, path)));
});
