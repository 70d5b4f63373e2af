// What every page has: the worker that keeps the code at hand where there is no network, and a button that reads the page aloud.
//
// [data-say] holds the words to be said, or has them in it. What is said as an answer (role status or alert) is said by itself where
// somebody asked for that; everything else only when the button is pressed.

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

offer();
answer();
document.addEventListener("drawn", offer);
document.addEventListener("news", answer);
// A browser that keeps nothing goes without.
if ("serviceWorker" in navigator) keep().catch(() => undefined);
