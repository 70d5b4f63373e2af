// Draws the pay codes of this phone, with the network or without it, from a key that was given to it once and that nothing can read out.
//
// The key and all that a code says besides lie in the browser's own store; the code is the very one of ledger/tokens.py. Without this file,
// or without a key, the service draws the code and the page asks for itself again.

import { fetched } from "./fetched.js";

const STEP_S = 30;
const STEPS_MS = STEP_S * 1_000;
const LOOKS_MS = 2_000;
const QUIET = 4;
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SVG = "http://www.w3.org/2000/svg";

// --- The code

// What is shown in a step of time: for scanning, and to type.
export async function codeAt(key, step) {
  const said = new Uint8Array([112, 97, 121, 0, 0, 0, 0, 0, 0, 0, 0]); // "pay", and the step in eight bytes
  new DataView(said.buffer).setUint32(7, step);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, said));
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of mac.subarray(0, 10)) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31];
  }
  const number = mac.subarray(24).reduce((sum, byte) => (sum * 256 + byte) % 1_000_000, 0);
  return { text, digits: String(number).padStart(6, "0") };
}

// The key as the browser keeps it: good for drawing codes, and for nothing else.
export function imported(raw) {
  return crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

// --- What is kept

function kept(mode, work) {
  return new Promise((done, fail) => {
    const opening = indexedDB.open("passbook", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("phone");
    opening.onerror = () => fail(opening.error);
    opening.onsuccess = () => {
      const change = opening.result.transaction("phone", mode);
      const asked = work(change.objectStore("phone"));
      change.oncomplete = () => {
        opening.result.close();
        done(asked.result);
      };
      change.onabort = () => fail(change.error);
    };
  });
}

const recall = () => kept("readonly", (store) => store.get("this"));
const keep = (phone) => kept("readwrite", (store) => store.put(phone, "this"));
const forget = () => kept("readwrite", (store) => store.delete("this"));

// --- The page with the code

const section = document.querySelector("[data-pay]");
const isOffline = section?.dataset.pay === "offline";
let phone = null;
let generate = null;
let correction = null;
let shown = 0;
let used = 0;
let tag = "";
let isTold = false;

async function begin() {
  phone = await recall();
  if (!isOffline) {
    // A passbook that changed hands or its number, or another sign-in: what is kept draws nothing any more.
    if (phone && phone.id && phone.handle !== section.dataset.handle) await forget().then(() => (phone = null));
    phone ??= await ask();
  }
  if (!phone?.id) return without();
  ({ generate, correction } = await import(section.dataset.qr));
  section.querySelector("[data-drawn]").replaceChildren(section.querySelector("[data-own]").content.cloneNode(true));
  await draw();
  setInterval(draw, 250);
  document.addEventListener("visibilitychange", draw);
  await news();
  look();
}

// Let the service give this phone a key, unless it was told that this phone is to have none.
async function ask() {
  const form = section.querySelector("form");
  if (!form || !window.crypto?.subtle) return null;
  const answer = await fetched(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "error" });
  if (answer.status !== 200) return null;
  const { key, ...given } = JSON.parse(answer.text);
  const raw = Uint8Array.from(atob(key), (character) => character.charCodeAt(0));
  const made = { ...given, key: await imported(raw), ahead: given.now - Date.now() };
  raw.fill(0);
  await keep(made);
  await navigator.storage?.persist?.().catch(() => false);
  return made;
}

// No key, and so no code of one's own: the service's is drawn anew, or it is said what can be done without a network.
function without() {
  const form = section.querySelector("form");
  if (form && phone) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      end();
    });
  }
  if (isOffline) section.querySelector("[data-none]").hidden = false;
  else setTimeout(() => location.reload(), Number(section.dataset.looks) * 1_000);
}

async function draw() {
  const now = Date.now() + phone.ahead;
  const step = Math.floor(now / STEPS_MS);
  const left = STEP_S - (Math.floor(now / 1_000) % STEP_S);
  const place = (name) => section.querySelector(`[data-${name}]`);
  if (now > phone.until) {
    place("drawn").hidden = true;
    place("none").hidden = false;
    return;
  }
  if (step !== shown) {
    shown = step;
    const { text, digits } = await codeAt(phone.key, step);
    if (step !== shown) return;
    place("number").textContent = `${phone.handle.slice(0, 4)} ${phone.handle.slice(4)}`;
    place("digits").textContent = `${digits.slice(0, 3)} ${digits.slice(3)}`;
    place("picture").replaceChildren(picture(`${phone.address}${phone.book}-${phone.handle}-${text}`));
    place("picture").dataset.step = step;
  }
  const isUsed = used === step;
  place("code").hidden = isUsed;
  place("used").hidden = !isUsed;
  place("bar").value = left;
  for (const one of section.querySelectorAll("[data-left]")) one.textContent = one.dataset.left.replace("%s", left);
}

function picture(text) {
  const code = generate(text, { minCorrectionLevel: correction.M });
  let runs = "";
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) {
      const from = x;
      while (code.get(x, y)) x += 1;
      if (x > from) runs += `M${from + QUIET} ${y + QUIET}h${x - from}v1h-${x - from}z`;
    }
  }
  const side = code.size + 2 * QUIET;
  const svg = made("svg", { class: "qr", role: "img", "aria-label": section.dataset.pictures, viewBox: `0 0 ${side} ${side}` });
  svg.append(made("rect", { width: "100%", height: "100%", fill: "#fff" }));
  svg.append(made("path", { d: runs, fill: "#000", "shape-rendering": "crispEdges" }));
  return svg;
}

function made(tagName, attributes) {
  const one = document.createElementNS(SVG, tagName);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  return one;
}

// --- What happens meanwhile

// Led elsewhere (0), whoever was signed in is no more.
const asked = (address, headers = {}) => fetched(address, { headers, cache: "no-store", redirect: "manual" });

// Ask as long as the page is looked at: whether anything changed, and only then what.
async function look() {
  if (!document.hidden) {
    try {
      const answer = await asked(section.dataset.live, tag ? { "If-None-Match": tag } : {});
      const isNew = answer.status === 200 && tag !== "";
      tag = answer.headers.get("ETag") ?? tag;
      if (isNew || !isTold || answer.status === 0) await news();
    } catch {
      // There is no network, and the code needs none.
    }
  }
  setTimeout(look, LOOKS_MS);
}

// Whether the code was used and what was paid, and whether this phone is still one of those that draw codes.
async function news() {
  const sent = Date.now();
  let told;
  try {
    const answer = await asked(`${section.dataset.news}?phone=${phone.id}`);
    if (answer.status === 0) return await end();
    if (answer.status !== 200) return;
    told = JSON.parse(answer.text);
  } catch {
    return;
  }
  isTold = true;
  if (!told.is_good) return await end();
  const ahead = told.now - (sent + Date.now()) / 2;
  if (Math.abs(ahead - phone.ahead) > 1_000) await keep((phone = { ...phone, ahead }));
  used = told.used;
  if (isOffline) document.querySelector("[data-back]").hidden = false;
  else document.querySelector("[data-lately]").innerHTML = told.lately;
  document.dispatchEvent(new Event("news"));
  await draw();
}

// Forget what is kept: signed out or ended from elsewhere, the key is good for nothing any more; or this phone is to have one after all.
async function end() {
  await forget();
  location.reload();
}

// --- The list of one's phones

const phones = document.querySelector("[data-phones]");

async function check() {
  const here = await recall();
  if (here?.id && !phones.dataset.phones.split(" ").includes(here.id)) await keep({ declined: true });
}

if (phones) check().catch(() => undefined);
if (section) {
  begin().catch(() => without());
  // Not needed for the code, so nobody waits for it.
  addEventListener("load", () => import(section.dataset.page));
}
