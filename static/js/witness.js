// A till watches the log: it keeps the last head that it saw, has the newest one proven to carry on from it, and says so under a key of its
// own that nothing can read out (cosignature/v1 of https://c2sp.org/tlog-cosignature). Where the newest one does not carry on, the log was
// rewritten or cut: the till says so on its screen until it is shown one that does, and to the service.
//
// Key and head lie in the browser's own store, by device: a device that is paired anew begins anew. So do the log's keys, as they were when the
// till first saw them: later ones only count where one that it knows vouches for them. A browser that has no Ed25519 watches nothing, and the
// till is the same without it.

import { COSIGNATURE, base64Of, bytesOf, cosign, follow, hexOf, isConsistent, keyOf, readHashes, readHead, readNote, sha256, signing, verifies, vkeyOf } from "./log.js";

const EVERY_MS = 60_000;
const PATIENCE_MS = 8_000;
const CONFLICT = 409;
const NO_CONTENT = 204;

const place = document.querySelector("template[data-witness]");
const log = place?.dataset;
let isRegistered = null;
let shown = null;

// --- What is kept

function kept(mode, work) {
  return new Promise((done, fail) => {
    const opening = indexedDB.open("witness", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("log");
    opening.onerror = () => fail(opening.error);
    opening.onsuccess = () => {
      const change = opening.result.transaction("log", mode);
      const asked = work(change.objectStore("log"));
      change.oncomplete = () => {
        opening.result.close();
        done(asked.result);
      };
      change.onabort = () => fail(change.error);
    };
  });
}

const recall = () => kept("readonly", (store) => store.get(log.device));
const keep = (own) => kept("readwrite", (store) => store.put(own, log.device));

// The key is called after itself and the log, so that no two are called alike.
async function begin(origin) {
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const name = `till-${hexOf((await sha256(raw)).slice(0, 4))}.${origin}`;
  const own = { origin, vkey: await vkeyOf(name, COSIGNATURE, raw), key: pair.privateKey, size: 0, root: "", note: "", cosigned: 0, refused: null };
  await keep(own);
  await navigator.storage?.persist?.().catch(() => false);
  return own;
}

// --- What is asked, and said

const patiently = (options) => ({ ...options, signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store", redirect: "manual" });

// The newest head and what proves that it carries on from `size` leaves; of one that has fewer there is no proof.
async function newest(size) {
  const answer = await fetch(`${log.head}?from=${size}`, patiently());
  if (answer.ok) {
    const { note, proof } = await answer.json();
    return { note: readNote(note), proof: readHashes(proof) };
  }
  if (answer.status !== CONFLICT) return null;
  const whole = await fetch(log.checkpoint, patiently());
  if (!whole.ok) return null;
  const note = readNote(await whole.text());
  // It has grown meanwhile: it is looked at again.
  return readHead(note.body).size < size ? { note, proof: [] } : null;
}

async function isSigned(note, keys) {
  for (const { vkey } of signing(keys, readHead(note.body).size)) if (await verifies(await keyOf(vkey), note)) return true;
  return false;
}

// What is kept, with the log's keys as far as they are vouched for by those that were first seen; and whether the service tells one that is not.
async function known() {
  const given = JSON.parse(log.keys);
  const own = (await recall()) ?? (await begin((await keyOf(given[0].vkey)).name));
  const keys = await follow(own.keys ?? [], given);
  if (keys.length !== own.keys?.length) await keep({ ...own, keys });
  const isStrange = given.some(({ vkey }) => !keys.some((one) => one.vkey === vkey));
  return { ...own, keys, isStrange };
}

async function told(address, fields) {
  const secret = place.content.querySelector("[name=_csrf]").value;
  const body = new URLSearchParams({ ...fields, _csrf: secret, _key: crypto.randomUUID().replaceAll("-", "") });
  const answer = await fetch(address, patiently({ method: "POST", body }));
  // A form that was carried out leads on.
  return answer.type === "opaqueredirect" || answer.status === NO_CONTENT;
}

// --- Watching

async function look() {
  const own = await known();
  warn(own);
  const found = await newest(own.size);
  if (!found || !(await isSigned(found.note, own.keys))) return;
  const head = readHead(found.note.body);
  const carriesOn = head.origin === own.origin && (await isConsistent(own.size, bytesOf(own.root), head.size, head.root, found.proof));
  // Where the service will not have the key, it is not asked again until the page is opened anew.
  isRegistered ??= own.vkey === log.own || (await told(log.register, { key: own.vkey }));
  await (carriesOn ? agree(own, found.note, head) : refuse(own, found.note, head));
}

// What was seen is kept before anybody is told: a till that ends between the two has seen it.
async function agree(own, note, head) {
  const seen = { ...own, size: head.size, root: base64Of(head.root), note: note.text, refused: null };
  await keep(seen);
  warn({ ...seen, agreedAt: new Date() });
  if (!isRegistered || own.cosigned === head.size) return;
  const line = await cosign(await keyOf(own.vkey), own.key, note, Math.floor(Date.now() / 1_000));
  if (await told(log.cosign, { size: head.size, line })) await keep({ ...seen, cosigned: head.size });
}

async function refuse(own, note, head) {
  const root = base64Of(head.root);
  const before = own.refused?.root === root && own.refused.size === head.size ? own.refused : { size: head.size, root, isTold: false };
  await keep({ ...own, refused: before });
  warn({ ...own, refused: before });
  if (before.isTold || !isRegistered) return;
  // Both are told, each as the log signed it: whoever is to believe it can hold them against each other.
  if (await told(log.refuse, { seen: own.note, note: note.text })) await keep({ ...own, refused: { ...before, isTold: true } });
}

// The notice stands over whatever the till shows.
function warn(own) {
  shown = own;
  reassure(own);
  document.querySelector("body > [data-alarm]")?.remove();
  if (!own.refused && !own.isStrange) return;
  const notice = place.content.querySelector("[data-alarm]").cloneNode(true);
  const words = notice.querySelector("[data-words]");
  words.textContent = own.refused ? words.dataset.words.replace("{seen}", own.size).replace("{shown}", own.refused.size) : words.dataset.strange;
  document.body.prepend(notice);
}

// Where the page has room for it, it is told that all is well, up to where, and when that was seen.
function reassure({ size, agreedAt }) {
  const room = document.querySelector("[data-watching]");
  if (!room || !agreedAt) return;
  const time = agreedAt.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  room.textContent = room.dataset.watching.replace("{seen}", size.toLocaleString("en-US")).replace("{time}", time);
  room.hidden = false;
}

// Two windows of one till look one after the other, so that what was seen never becomes less.
async function watch() {
  if (document.hidden) return;
  try {
    await navigator.locks.request("witness", look);
  } catch {
    // No Ed25519, no network, or an answer that is none: it is tried again, and nobody is kept waiting.
  }
}

if (place && window.crypto?.subtle && navigator.locks && window.indexedDB) {
  watch();
  setInterval(watch, EVERY_MS);
  document.addEventListener("visibilitychange", watch);
  document.addEventListener("drawn", () => shown && warn(shown));
}
