// The sounds of a till: two rising notes for what was taken, a low one for what was not. Made here, so that no file is fetched for them.

const NOTES = { ok: [[660, 0], [990, 0.14]], no: [[196, 0], [165, 0.2]] };
const LENGTH_S = 0.18;
let player = null;

function play(kind) {
  // A browser lets a page be heard once somebody has touched it: at a till they have, unless it was opened anew.
  if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
  player ??= new AudioContext();
  player.resume().catch(() => undefined);
  for (const [pitch, after] of NOTES[kind]) {
    const note = player.createOscillator();
    const loudness = player.createGain();
    const begins = player.currentTime + after;
    note.type = kind === "ok" ? "sine" : "square";
    note.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.25, begins);
    loudness.gain.exponentialRampToValueAtTime(0.001, begins + LENGTH_S);
    note.connect(loudness).connect(player.destination);
    note.start(begins);
    note.stop(begins + LENGTH_S);
  }
}

function sound() {
  const kind = document.querySelector("[data-sound]")?.dataset.sound;
  if (kind in NOTES && "AudioContext" in window) play(kind);
}

document.addEventListener("drawn", sound);
