// The worker of a phone: pages come from the network, as ever; where there is none, the code still does, from a page that is kept here.
//
// VERSION and FILES stand before this (redeem/web/pages/phone.py): a new release is another version, and is kept as a whole. Nothing that
// is anybody's is kept: of pages only those that are drawn as for nobody. The one that checks proofs is kept anew whenever
// it is opened, with the keys that it came with.

const CODE = "/code/offline";
const OFFLINE = "/offline";
const CHECK = "/check";
const SHOWN = { "/code": CODE, [CHECK]: CHECK };
const CACHE = `passbook ${VERSION}`;
// So long a page is waited for, where there is something to show in its place. Others are waited for as long as the browser likes.
const PATIENCE_MS = { "/code": 2_000, "/check": 6_000, "/": 6_000, "/home": 6_000, "/me": 6_000 };

self.addEventListener("install", (event) => event.waitUntil(keep(FILES).then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(forget()));
self.addEventListener("message", (event) => event.waitUntil(keep([CODE, OFFLINE, CHECK])));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request, address.pathname));
  else if (FILES.includes(address.pathname + address.search)) event.respondWith(file(request));
});

async function keep(files) {
  await (await caches.open(CACHE)).addAll(files);
}

async function forget() {
  const others = (await caches.keys()).filter((name) => name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function file(request) {
  return (await caches.match(request)) ?? fetch(request);
}

async function page(request, path) {
  const stop = new AbortController();
  const timer = path in PATIENCE_MS ? setTimeout(() => stop.abort(), PATIENCE_MS[path]) : 0;
  try {
    // The referrer is said again: pages that lead back, as the choice of language does, would not know where to.
    const answer = await fetch(request, { signal: stop.signal, referrer: request.referrer });
    if (path === CHECK && answer.ok) await (await caches.open(CACHE)).put(CHECK, answer.clone());
    if (answer.status < 500 || !(path in SHOWN)) return answer;
  } catch {
    // No network, or nobody answers.
  } finally {
    clearTimeout(timer);
  }
  return (await caches.match(SHOWN[path] ?? OFFLINE)) ?? Response.error();
}
