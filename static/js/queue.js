// The queue by keyboard: each key presses a link or a button of the page, which does the same without it.
const SAME = { ArrowDown: "j", ArrowUp: "k" };
const folded = document.querySelector("#turn-down");
let pressed = false;
let step = "return";

function turnDown(key) {
  if (!folded) return;
  step = key === "r" ? "return" : "refuse";
  folded.open = true;
  folded.querySelector("[type=radio]:checked, [type=radio]").focus();
}

document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat || pressed) return;
  if (folded?.contains(target) && target.type === "radio" && event.key === "Enter") {
    event.preventDefault();
    target.form.requestSubmit(folded.querySelector(`[value=${step}]`));
    return;
  }
  if (event.key === "Escape" && folded?.open) {
    folded.open = false;
    folded.querySelector("summary").focus();
    return;
  }
  if (target.closest("textarea, select, input:not([type=checkbox])")) return;
  const key = SAME[event.key] ?? event.key;
  const found = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (found) {
    event.preventDefault();
    pressed = true;
    found.click();
  } else if (key === "r" || key === "x") {
    event.preventDefault();
    turnDown(key);
  }
});
// Whoever comes back by the browser's own button finds the keys awake.
addEventListener("pageshow", () => { pressed = false; });
