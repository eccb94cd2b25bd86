// The kiosk's service worker: keeps the shell (page, styles, scripts), so that a device that is switched on while
// the network is down shows its first screen. The server writes SHELL before this file: the addresses, and a
// version that changes with their content. What a device asks or sends is never kept here, nor looked at.

const PREFIX = "hl-kiosk-shell-";
const NAME = PREFIX + SHELL.version;
const KEPT = new Set(SHELL.files);

/** All of the shell or nothing, without cookies: what is kept is what anybody would be shown. */
async function fill() {
  const cache = await caches.open(NAME);
  try {
    await Promise.all([SHELL.page].concat(SHELL.files).map(async (address) => {
      const answer = await fetch(address, { credentials: "omit", cache: "no-store" });
      if (!answer.ok || answer.redirected) throw new TypeError(`${address}: ${answer.status}`);
      await cache.put(address, answer);
    }));
  } catch (error) {
    await caches.delete(NAME);
    throw error;
  }
}

async function tidy() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== NAME).map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function kept(address, request) {
  const answer = await caches.match(address, { cacheName: NAME, ignoreVary: true });
  return answer || fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(tidy()));
// The page says when nobody stands at it; until then the worker before goes on.
self.addEventListener("message", (event) => {
  if (event.data === "now") event.waitUntil(self.skipWaiting());
});
self.addEventListener("fetch", (event) => {
  const asked = new URL(event.request.url);
  if (event.request.method !== "GET" || asked.origin !== self.location.origin) return;
  const page = event.request.mode === "navigate" && asked.pathname === SHELL.page;
  if (page || KEPT.has(asked.pathname)) event.respondWith(kept(page ? SHELL.page : asked.pathname, event.request));
});
