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
});

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

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const path = url.pathname === "/" ? "/index.html" : url.pathname;
  // Names under /assets never change their content: one of the version before is still right.
  const options = FILES.includes(path) ? { cacheName: CACHE } : {};
  if (!FILES.includes(path) && !path.startsWith("/assets/")) return;
  event.respondWith(caches.match(path, options).then((kept) => kept ?? fetch(event.request)));
});
