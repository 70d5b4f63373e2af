// Sizes and places of what is seen on the page that is open, and what it weighs. Left out is what only screen readers read, what lies in a
// folded part, and what stays over the page while it is scrolled.
() => {
  const faults = new Set();
  const isSeen = (one) =>
    one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !one.closest(".skip") && one.getBoundingClientRect().right > 0;
  const says = (one) => (one.innerText || one.name || one.tagName).trim().slice(0, 20);
  // Letters of a drawing grow and shrink with it.
  const sizeOf = (holder) => {
    const drawing = holder.closest("svg");
    const width = drawing?.viewBox.baseVal?.width;
    return parseFloat(getComputedStyle(holder).fontSize) * (width ? drawing.getBoundingClientRect().width / width : 1);
  };

  // What a box that scrolls by itself has out of its sight lies over nothing.
  const isWithin = (holder, line) => {
    for (let one = holder; one !== document.body; one = one.parentElement) {
      if (getComputedStyle(one).overflowX === "visible" && getComputedStyle(one).overflowY === "visible") continue;
      const box = one.getBoundingClientRect();
      if (line.top >= box.bottom - 1 || line.bottom <= box.top + 1 || line.left >= box.right - 1 || line.right <= box.left + 1) return false;
    }
    return true;
  };

  // A line is told with the room above and below its letters, which others may use.
  const drawn = (line, size) => {
    const room = Math.max(0, line.height - size) / 2;
    return { left: line.left, right: line.right, top: line.top + room, bottom: line.bottom - room, height: line.height - 2 * room };
  };

  const words = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const holder = node.parentElement;
    if (!node.data.trim() || holder.closest("noscript, script, template, option") || !isSeen(holder)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter((line) => line.width > 1 && line.height > 1 && isWithin(holder, line));
    const size = sizeOf(holder);
    if (lines.length) words.push({ holder, lines: lines.map((line) => drawn(line, size)), said: node.data.trim().slice(0, 20), size });
  }

  const flat = words.filter((word) => !word.holder.closest("nav.tabs, .behalf, svg, [aria-hidden=true]"));
  flat.forEach((one, place) => {
    for (const other of flat.slice(place + 1)) {
      // What overlaps by less than a third of the letters is drawn apart.
      const overlaps = one.lines.some((a) =>
        other.lines.some(
          (b) =>
            Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
            Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > Math.min(a.height, b.height) / 3,
        ),
      );
      if (overlaps) faults.add(`overlap: ${one.said} / ${other.said}`);
    }
  });

  for (const one of document.querySelectorAll("body *")) {
    const isCut = /hidden|clip/.test(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1;
    if (isCut && one.innerText?.trim() && isSeen(one) && !one.closest("svg")) faults.add(`cut: ${says(one)}`);
  }
  const beyond = document.documentElement.scrollWidth - innerWidth;
  if (beyond > 1) faults.add(`wider than the screen by ${beyond} px`);

  let target = Infinity;
  let small = "";
  for (const one of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
    // A link within a sentence is as high as its line.
    const isWithinText = one.matches("p a, li a, td a, dd a") && getComputedStyle(one).display === "inline";
    if (!isSeen(one) || isWithinText) continue;
    const box = ((one.matches("[type=checkbox], [type=radio]") && one.closest("label")) || one).getBoundingClientRect();
    const least = Math.min(box.width, box.height);
    if (least && least < target) [target, small] = [least, says(one)];
  }

  const parts = performance.getEntriesByType("resource").filter((part) => !/icon|apple-touch|webmanifest/.test(part.name));
  const [whole] = performance.getEntriesByType("navigation");
  return {
    faults: [...faults].slice(0, 6),
    text: Math.round(Math.min(...words.map((word) => word.size)) * 10) / 10,
    target: Number.isFinite(target) ? Math.round(target * 10) / 10 : null,
    small,
    requests: 1 + parts.length,
    bytes: whole.transferSize + parts.reduce((sum, part) => sum + part.transferSize, 0),
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
  };
}
