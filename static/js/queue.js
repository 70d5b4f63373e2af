// The queue by keyboard: each key follows a link or presses a button of the page, which does the same without it.
const STEPS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };
const rows = [...document.querySelectorAll(".queue a")];
const folded = document.querySelector("#turn-down");
let at = rows.findIndex((row) => row.matches("[aria-current]"));
// Once the page is being left, nothing that is on it is decided any more: the next keys are meant for what comes.
let isLeaving = false;
let step = "return";

function move(by) {
  const next = Math.min(Math.max(at + by, 0), rows.length - 1);
  if (next === at) return;
  at = next;
  isLeaving = true;
  location.assign(rows[at].href);
}

function turnDown(key) {
  step = key === "r" ? "return" : "refuse";
  folded.open = true;
  folded.querySelector("[type=radio]:checked, [type=radio]").focus();
}

function press(button) {
  isLeaving = true;
  button.click();
}

function inReasons(event) {
  if (event.key === "Enter" && event.target.type === "radio") {
    if (event.target.form.reportValidity()) press(folded.querySelector(`[value=${step}]`));
  } else if (event.key === "Escape") {
    folded.open = false;
    folded.querySelector("summary").focus();
  } else return;
  event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (folded?.contains(target) && target !== folded.querySelector("summary")) return inReasons(event);
  if (target.closest("textarea, select, input:not([type=checkbox])")) return;
  const button = isLeaving ? null : document.querySelector(`button[data-key="${CSS.escape(key)}"]`);
  if (STEPS[key]) move(STEPS[key]);
  else if (button) press(button);
  else if ((key === "r" || key === "x") && folded && !isLeaving) turnDown(key);
  else return;
  event.preventDefault();
});
// Whoever comes back by the browser's own button finds the keys awake.
addEventListener("pageshow", () => { isLeaving = false; });
