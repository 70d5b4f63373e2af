// A long list of boxes to tick: finds among them by what is typed, and says how many are ticked. Without it the list is scrolled.
for (const list of document.querySelectorAll("[data-pick]")) {
  const ticks = [...list.querySelectorAll(".tick")];
  const find = Object.assign(document.createElement("input"), { type: "search", autocomplete: "off" });
  find.setAttribute("aria-label", list.dataset.find);
  find.placeholder = list.dataset.find;
  const said = Object.assign(document.createElement("p"), { className: "soft num" });
  said.setAttribute("role", "status");

  const none = Object.assign(document.createElement("p"), { className: "note", textContent: list.dataset.none, hidden: true });

  const look = () => {
    const wanted = find.value.replace(/\s/g, "");
    for (const tick of ticks) tick.hidden = !tick.textContent.replace(/\s/g, "").includes(wanted) && !tick.control.checked;
    none.hidden = ticks.some((tick) => !tick.hidden);
  };
  const count = () => {
    const chosen = ticks.filter((tick) => tick.control.checked).length;
    said.textContent = chosen ? list.dataset.count.replace("{}", chosen) : "";
  };
  find.addEventListener("input", look);
  // Enter finds; it does not send the form.
  find.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  list.addEventListener("change", count);
  list.querySelector("legend").after(...(ticks.length > 8 ? [find] : []), said, none);
  count();
}
