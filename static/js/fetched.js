// Asking the service without leaving the page: the code on a phone, the projector and the till; pages that wait have their own (page.js).

const PATIENCE_MS = 5_000;

// An answer, all of it within its time: where the service hangs, whoever asked is told so and may ask again.
export async function fetched(address, options, patience = PATIENCE_MS) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience);
  try {
    const answer = await fetch(address, { ...options, signal: stop.signal });
    return { status: answer.status, headers: answer.headers, address: answer.url, text: await answer.text() };
  } finally {
    clearTimeout(timer);
  }
}
