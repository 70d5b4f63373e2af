// Asks for the page again after so many seconds, as its <noscript> does where nothing runs: for what changes with time.
const shown = document.querySelector("[data-again]");
if (shown) setTimeout(() => location.replace(shown.dataset.at || location.href), Number(shown.dataset.again) * 1000);
