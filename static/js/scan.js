// Scans a code with the camera and sends it off in the field of its form. Without this file, or a camera, the form takes a photo or digits.
//
// [data-scan] is the part of a form with the camera's picture, what is said, and a button. It carries the addresses of the worker, and the
// sentences: refused, none, busy, dark, unseen, part, other, unable. With data-auto the camera opens by itself. With data-packed a code
// that holds bytes and begins with these is told as the event "scanned", and sent nowhere.

const SIDE = 960;
const PAUSE_MS = 80;
// After so long without a code somebody is told what may help.
const PATIENCE_MS = 10_000;
// A code is seen in part for a moment whenever it comes into the picture.
const PART_MS = 1_500;
const DARK = 50;

let worker = null;
let isUnable = false;
let stream = null;
// Whether the camera was open, so that it opens again on the next page that is drawn in this one's place.
let wasOpen = false;
let answered = null;

function start(part) {
  if (worker) return;
  worker = new Worker(part.dataset.worker);
  worker.onmessage = ({ data }) => {
    if (data.unable) fail();
    else if (!data.ready) answered?.(data);
  };
  worker.onerror = fail;
  worker.postMessage({ reader: part.dataset.reader, wasm: part.dataset.wasm });
}

function fail() {
  isUnable = true;
  close();
  const part = document.querySelector("[data-scan]");
  if (part) say(part, part.dataset.unable);
}

function close() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  for (const view of document.querySelectorAll("[data-scan] video")) view.hidden = true;
  for (const button of document.querySelectorAll("[data-scan] button")) button.hidden = false;
}

function say(part, words) {
  const said = part.querySelector("[data-said]");
  if (said.textContent !== words) said.textContent = words;
  said.hidden = !words;
  if (words) said.scrollIntoView({ block: "nearest" });
}

const FAULTS = { NotAllowedError: "refused", SecurityError: "refused", NotReadableError: "busy", AbortError: "busy" };

async function open(part) {
  if (stream || isUnable) return;
  start(part);
  say(part, "");
  const wanted = { video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } } };
  try {
    if (!navigator.mediaDevices) throw new DOMException("", "NotFoundError");
    stream = await navigator.mediaDevices.getUserMedia(wanted);
  } catch (problem) {
    wasOpen = false;
    say(part, part.dataset[FAULTS[problem.name] ?? "none"]);
    return;
  }
  // Another page may have been drawn, or the camera opened, while somebody was asked.
  if (!part.isConnected) return close();
  wasOpen = true;
  const view = part.querySelector("video");
  view.srcObject = stream;
  view.hidden = false;
  part.querySelector("button").hidden = true;
  await view.play().catch(() => undefined);
  look(part, view, stream);
}

async function look(part, view, own) {
  const canvas = document.createElement("canvas");
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  const began = performance.now();
  let partSince = 0;
  while (stream === own && part.isConnected) {
    if (view.videoWidth && !document.hidden) {
      const scale = Math.min(1, SIDE / Math.max(view.videoWidth, view.videoHeight));
      canvas.width = Math.round(view.videoWidth * scale);
      canvas.height = Math.round(view.videoHeight * scale);
      brush.drawImage(view, 0, 0, canvas.width, canvas.height);
      const picture = brush.getImageData(0, 0, canvas.width, canvas.height);
      const light = brightness(picture.data);
      const { texts, packed, isPart } = await read(picture);
      if (stream !== own || !part.isConnected) return;
      const bytes = packed.find((one) => isPacked(part, one));
      if (bytes) return told(part, bytes);
      const text = texts.find((one) => isOwn(part, one));
      if (text) return found(part, text);
      const now = performance.now();
      partSince = isPart ? partSince || now : 0;
      if (texts.length) say(part, part.dataset.other);
      else if (partSince && now - partSince > PART_MS) say(part, part.dataset.part);
      else if (now - began > PATIENCE_MS) say(part, light < DARK ? part.dataset.dark : part.dataset.unseen);
    }
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
}

function read(picture) {
  return new Promise((done) => {
    answered = done;
    worker.postMessage({ picture }, [picture.data.buffer]);
  });
}

function brightness(pixels) {
  let sum = 0;
  let count = 0;
  for (let place = 0; place < pixels.length; place += 404) {
    sum += pixels[place] + 2 * pixels[place + 1] + pixels[place + 2];
    count += 4;
  }
  return sum / count;
}

const isOwn = (part, text) => text.trim().toUpperCase().startsWith(`${part.dataset.own.toUpperCase()}/`);

const isPacked = ({ dataset }, bytes) => dataset.packed?.match(/../g).every((pair, at) => Number.parseInt(pair, 16) === bytes[at]);

function told(part, bytes) {
  close();
  part.dispatchEvent(new CustomEvent("scanned", { bubbles: true, detail: bytes }));
}

function found(part, text) {
  close();
  const form = part.closest("form");
  form.elements.code.value = text;
  if (form.requestSubmit) form.requestSubmit();
  else form.submit();
}

function begin() {
  close();
  const part = document.querySelector("[data-scan]");
  if (!part) return;
  part.hidden = false;
  part.querySelector("button").addEventListener("click", () => open(part));
  start(part);
  if ((wasOpen || "auto" in part.dataset) && !part.closest("form").elements.code.value) open(part);
}

addEventListener("pagehide", close);
document.addEventListener("drawn", begin);
begin();
