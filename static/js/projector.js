// The venue's code, kept fresh: asks once a second whether anything has changed, and counts down in between.
import { fetched } from "./fetched.js";

const main = document.querySelector("[data-now]");
const shown = main.querySelector("[data-shown]");
const left = main.querySelector("[data-left]");
const bar = main.querySelector("progress");
const whole = main.querySelector("[data-whole]");
let tag = "";
let until = Date.now() + main.dataset.seconds * 1000;

async function ask() {
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const answer = await fetched(main.dataset.now, { headers, cache: "no-store", redirect: "manual" });
    // Led elsewhere (0), whoever was signed in is no more: the sign-in page is no code.
    if (answer.status !== 200 && answer.status !== 304) return location.reload();
    tag = answer.headers.get("ETag") ?? tag;
    until = Date.now() + Number(answer.headers.get("X-Seconds-Left") ?? 1) * 1000;
    if (answer.status === 200) {
      const drawn = new DOMParser().parseFromString(answer.text, "text/html");
      shown.replaceChildren(...drawn.body.childNodes);
    }
  } catch {
    // Without a network the countdown runs out and says so.
  }
}

function count() {
  const seconds = Math.ceil((until - Date.now()) / 1000);
  const isLost = seconds < -1;
  bar.value = Math.max(0, seconds);
  left.textContent = isLost ? left.dataset.lost : left.dataset.left.replace("{}", Math.max(0, seconds));
  left.classList.toggle("wrong", isLost);
  main.toggleAttribute("data-stale", isLost);
}

async function stayAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // A screen that is low on power may go dark.
  }
}

bar.hidden = false;
if (document.fullscreenEnabled) {
  whole.hidden = false;
  whole.addEventListener("submit", (event) => {
    event.preventDefault();
    document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  });
}
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && stayAwake());
stayAwake();
count();
setInterval(() => { if (document.visibilityState === "visible") ask(); count(); }, 1000);
