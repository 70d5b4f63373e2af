// What every page has: the worker that keeps the code at hand where there is no network, and a button that reads the page aloud; and what
// a page has that waits for something.
//
// [data-say] holds the words to be said, or has them in it. What is said as an answer (role status or alert) is said by itself where
// somebody asked for that; everything else only when the button is pressed.
//
// [data-live] with [data-shown] asks that address every data-every seconds, which answers 304 as long as nothing changed; when it is no
// longer as it is shown, the page is drawn anew. Without this file such a page refreshes itself, or is opened again.

const root = document.documentElement;
const canSpeak = "speechSynthesis" in window && "SpeechSynthesisUtterance" in window;

function speak(parts) {
  const words = [...parts].map((one) => one.dataset.say || one.innerText).join(" ").trim();
  if (!canSpeak || !words) return;
  const spoken = new SpeechSynthesisUtterance(words);
  spoken.lang = root.lang === "en" ? "en" : "zh-CN";
  speechSynthesis.cancel();
  speechSynthesis.speak(spoken);
}

function offer() {
  const place = document.querySelector("[data-read]");
  if (!canSpeak || !place || !document.querySelector("[data-say]")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = place.dataset.read;
  button.addEventListener("click", () => speak(document.querySelectorAll("[data-say]")));
  place.append(button);
}

function answer() {
  if ("aloud" in root.dataset) speak(document.querySelectorAll("[data-say][role=status], [data-say][role=alert]"));
}

async function keep() {
  const registration = await navigator.serviceWorker.register(root.dataset.worker);
  // What the worker keeps was drawn as the pages looked then.
  const looks = `${root.lang} ${root.className}`;
  const before = localStorage.getItem("looks");
  localStorage.setItem("looks", looks);
  if (before !== null && before !== looks) registration.active?.postMessage("anew");
}

// --- What is waited for

const PATIENCE_MS = 5_000;
let asking = 0;

// As in fetched.js, which this file does not import: a volunteer's first page comes in three requests.
async function fetched(address, options) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(address, { ...options, signal: stop.signal });
    return { status: answer.status, headers: answer.headers, address: answer.url, text: await answer.text() };
  } finally {
    clearTimeout(timer);
  }
}

// Put a page of this service in the place of this one, as it was answered; whatever else runs here is told.
export function draw(text, address) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  if (!fresh.querySelector("#main")) throw new Error("this is no page of ours");
  document.title = fresh.title;
  document.body.replaceWith(document.adoptNode(fresh.body));
  if (address !== location.href) history.pushState(null, "", address);
  document.querySelector("[autofocus]")?.focus();
  document.dispatchEvent(new Event("drawn"));
}

function watch() {
  clearTimeout(asking);
  const place = document.querySelector("[data-live][data-shown]");
  if (place) asking = setTimeout(() => ask(place, ""), place.dataset.every * 1_000);
}

async function ask(place, tag) {
  let known = tag;
  if (!document.hidden) {
    try {
      const headers = tag ? { "If-None-Match": tag } : {};
      const given = await fetched(place.dataset.live, { headers, cache: "no-store", redirect: "manual" });
      if (!place.isConnected) return;
      // Led elsewhere (0), or told that this is not for them: whoever was signed in is no more.
      if ([0, 401, 403, 404].includes(given.status)) return location.reload();
      if (given.status === 200) {
        known = given.headers.get("ETag");
        if (tag || JSON.parse(given.text).shown !== place.dataset.shown) return await drawAnew();
      }
    } catch {
      // The network is gone, or the service: it is asked again.
    }
  }
  if (place.isConnected) asking = setTimeout(() => ask(place, known), place.dataset.every * 1_000);
}

async function drawAnew() {
  const { text, address } = await fetched(location.href, { cache: "no-store" });
  draw(text, address);
  document.dispatchEvent(new Event("news"));
}

offer();
answer();
watch();
document.addEventListener("drawn", offer);
document.addEventListener("drawn", watch);
document.addEventListener("news", answer);
// A browser that keeps nothing goes without.
if ("serviceWorker" in navigator) keep().catch(() => undefined);
