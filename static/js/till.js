// The till, made quick: forms are sent without leaving the page, so that the camera and the scanner stay ready; a scanner that types is heard
// wherever the cursor is; and what got no answer is asked again under the same key, so that nothing is taken twice.
//
// Without this file the same forms are sent as forms are.

import { fetched } from "./fetched.js";
import { draw } from "./page.js";
import "./scan.js";
import "./sound.js";

const PATIENCE_MS = 8_000;
const AGAIN_MS = 2_000;
const BUSY = 503;
// A scanner types faster than anybody, and longer.
const KEY_MS = 60;
const SCAN_LENGTH_MIN = 8;
const KEPT = "till.asked";

let asked = null;
let isOnTheWay = false;
let timer = 0;

// --- Sending

function fieldsOf(form, button) {
  const data = new FormData(form);
  if (button?.name) data.append(button.name, button.value);
  const files = [...data].filter(([, value]) => value instanceof File);
  for (const [name, file] of files) if (!file.name) data.delete(name);
  return files.some(([, file]) => file.name) ? data : new URLSearchParams(data);
}

function send(event) {
  const form = event.target;
  if (!form.matches("form[data-till]")) return;
  event.preventDefault();
  if (asked) return again();
  form.setAttribute("aria-busy", "true");
  ask({ address: form.action, body: fieldsOf(form, event.submitter) });
}

async function ask(what) {
  asked = what;
  keep();
  isOnTheWay = true;
  try {
    const { status, text, address } = await fetched(what.address, { method: "POST", body: what.body }, PATIENCE_MS);
    // Of a request that was sent twice, the one that came too soon says nothing of the other.
    if (status === BUSY) lost();
    else show(text, address);
  } catch {
    lost();
  } finally {
    isOnTheWay = false;
  }
}

function show(text, address) {
  draw(text, address);
  // The service is still at it.
  if (document.querySelector("[data-unsure]")) return later();
  asked = null;
  keep();
  document.dispatchEvent(new Event("news"));
}

// No answer came: whether it was taken is not known, and it is asked again until it is.
function lost() {
  if (!document.querySelector(".answer.wait")) {
    const page = document.querySelector("template[data-lost]").content.cloneNode(true);
    for (const child of document.body.children) if (child.tagName !== "TEMPLATE") child.hidden = true;
    document.body.append(page);
    document.querySelector(".answer.wait button").focus();
    document.querySelector(".answer.wait button").addEventListener("click", again);
  }
  later();
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(again, AGAIN_MS);
}

function again(event) {
  event?.preventDefault();
  clearTimeout(timer);
  if (asked && !isOnTheWay) ask(asked);
}

// A page that is opened anew asks on; a PIN and a picture are kept nowhere, so they are asked for while the page is there.
function keep() {
  const isKept = asked && asked.body instanceof URLSearchParams && !asked.body.has("_pin");
  try {
    if (isKept) sessionStorage.setItem(KEPT, JSON.stringify({ address: asked.address, body: asked.body.toString() }));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // A browser that keeps nothing asks on as long as the page is there.
  }
}

function resume() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    if (kept) ask({ address: kept.address, body: new URLSearchParams(kept.body) });
  } catch {
    // There is nothing kept.
  }
}

// --- Going on, in the same page

async function follow(link) {
  try {
    const { text, address } = await fetched(link.href, {}, PATIENCE_MS);
    draw(text, address);
    return true;
  } catch {
    location.assign(link.href);
    return false;
  }
}

function click(event) {
  const link = event.target.closest?.("a[data-on]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  follow(link);
}

// --- The scanner that types

let typed = "";
let last = 0;
let before = null;

function key(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Enter") {
    const text = typed;
    typed = "";
    if (text.length >= SCAN_LENGTH_MIN && event.timeStamp - last < 2 * KEY_MS) {
      event.preventDefault();
      event.stopPropagation();
      given(text);
    }
    return;
  }
  if (event.key.length !== 1) return;
  if (event.timeStamp - last > KEY_MS) {
    typed = "";
    const field = document.activeElement;
    before = field?.matches?.("input") && field.name !== "code" ? { field, value: field.value } : null;
  }
  typed += event.key;
  last = event.timeStamp;
}

async function given(text) {
  if (before) before.field.value = before.value;
  before = null;
  if (asked) return;
  const next = document.querySelector("a[data-next]");
  if (next && !(await follow(next))) return;
  const field = document.querySelector("form[data-till] [name=code]");
  if (!field) return;
  field.value = text;
  const form = field.form;
  const amount = form.elements.points;
  if (!next || !amount || amount.value) form.requestSubmit();
  else amount.focus();
}

// --- The keys on the screen

function press(event) {
  const button = event.target.closest?.("[data-keys] button");
  if (!button) return;
  const field = button.closest("form").elements.points;
  if (button.value === "back") field.value = field.value.slice(0, -1);
  else if (button.value === "clear") field.value = "";
  else field.value += button.value;
}

// The keys are shown, which moves what the cursor is in; what there is nothing to type into is read from its top.
function ready() {
  for (const keys of document.querySelectorAll("[data-keys]")) keys.hidden = false;
  const first = document.querySelector("[autofocus]");
  first?.focus({ preventScroll: true });
  if (first?.matches("input")) first.scrollIntoView({ block: "center" });
  else scrollTo(0, 0);
}

document.addEventListener("submit", send);
document.addEventListener("click", click);
document.addEventListener("click", press);
// The cursor stays where the scanner types.
document.addEventListener("pointerdown", (event) => event.target.closest?.("[data-keys]") && event.preventDefault());
document.addEventListener("keydown", key, true);
document.addEventListener("drawn", ready);
addEventListener("popstate", () => location.reload());
ready();
resume();
