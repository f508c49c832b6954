// Keeps the app on the device: every later start works without a server. A new version is fetched whole
// before it counts, and is used from the next start on, never in the middle of an edit.

const CACHE = "app-__VERSION__";
const FILES = __FILES__;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const path = url.pathname === "/" ? "/index.html" : url.pathname;
  if (!FILES.includes(path)) return;
  event.respondWith(
    caches.match(path, { cacheName: CACHE }).then((kept) => kept ?? fetch(event.request)),
  );
});
