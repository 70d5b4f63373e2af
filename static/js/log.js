// The log's arithmetic in a browser: the Merkle tree of RFC 9162, and notes, checkpoints and cosignatures as C2SP writes them down
// (signed-note, tlog-checkpoint, tlog-cosignature). The same rules as ledger/seal/merkle.py and ledger/seal/notes.py; no page is needed.
//
// What cannot be read throws a NoteError. Hashes and signatures are the browser's own (WebCrypto), so most of this is awaited.

export class NoteError extends Error {}

export const ED25519 = 0x01;
export const COSIGNATURE = 0x04;

const HASH_BYTES = 32;
const DASH = "— ";
const SIGNATURES_MAX = 64;
const PROOF_MAX = 63;

const utf8 = (text) => new TextEncoder().encode(text);
const isSame = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function number64(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

export const base64Of = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
export const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

// One value is written in one way: what the browser would read as well, but nobody writes, is not taken.
export function bytesOf(base64) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    throw new NoteError("not base64");
  }
  if (base64Of(bytes) !== base64) throw new NoteError("not base64 as it is written by anybody");
  return bytes;
}

// --- The tree

export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

export const leafHash = (data) => sha256(joined([0], data));
export const nodeHash = (left, right) => sha256(joined([1], left, right));

const half = (number) => Math.floor(number / 2);
const isSize = (number) => Number.isSafeInteger(number) && number >= 0;

// Whether `path` proves that a leaf with this hash is number `index` of the tree of `size` leaves with this root (RFC 9162, 2.1.3.2).
export async function isIncluded(leaf, index, size, path, root) {
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  let [at, last, found] = [index, size - 1, leaf];
  for (const step of path) {
    if (last === 0 || step.length !== HASH_BYTES) return false;
    if (at % 2 || at === last) {
      found = await nodeHash(step, found);
      while (at && !(at % 2)) [at, last] = [half(at), half(last)];
    } else found = await nodeHash(found, step);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && isSame(found, root);
}

// Whether `proof` shows that the tree of `size` leaves begins with the one of `old` leaves (RFC 9162, 2.1.4.2); of no leaves all begin.
export async function isConsistent(old, oldRoot, size, root, proof) {
  if (!isSize(old) || !isSize(size) || old > size || proof.some((step) => step.length !== HASH_BYTES)) return false;
  if (old === 0) return proof.length === 0;
  if (old === size) return proof.length === 0 && isSame(oldRoot, root);
  let power = old;
  while (power % 2 === 0) power /= 2;
  const [first, ...steps] = power === 1 ? [oldRoot, ...proof] : proof;
  if (!first) return false;
  let [at, last, foundOld, found] = [old - 1, size - 1, first, first];
  while (at % 2) [at, last] = [half(at), half(last)];
  for (const step of steps) {
    if (last === 0) return false;
    if (at % 2 || at === last) {
      foundOld = await nodeHash(step, foundOld);
      found = await nodeHash(step, found);
      while (at && !(at % 2)) [at, last] = [half(at), half(last)];
    } else found = await nodeHash(found, step);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && isSame(foundOld, oldRoot) && isSame(found, root);
}

export function readHashes(lines) {
  const hashes = lines.map(bytesOf);
  if (hashes.length > PROOF_MAX || hashes.some((one) => one.length !== HASH_BYTES)) throw new NoteError("a proof has at most 63 hashes of 32 bytes");
  return hashes;
}

// --- Notes

export function readSignature(line) {
  const [name, encoded, ...rest] = line.slice(DASH.length).split(" ");
  if (!line.startsWith(DASH) || !name || !encoded || rest.length) throw new NoteError("a signature has a dash, a name and base64");
  const whole = bytesOf(encoded);
  if (whole.length < 5) throw new NoteError("a signature has an id and a value");
  return { line, name: checkedName(name), id: hexOf(whole.slice(0, 4)), value: whole.slice(4) };
}

// A note's text may have empty lines; its signatures stand after the last one.
export function readNote(text) {
  const at = text.lastIndexOf("\n\n");
  if (at < 0 || !text.endsWith("\n") || at + 2 >= text.length || /[\u0000-\u0009\u000b-\u001f]/.test(text)) {
    throw new NoteError("a note has a text, an empty line and signatures, each ending its line");
  }
  const lines = text.slice(at + 2, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) throw new NoteError("too many signatures");
  return { text, body: text.slice(0, at + 1), signatures: lines.map(readSignature) };
}

export function readNumber(text) {
  const number = Number(text);
  if (!/^(0|[1-9]\d*)$/.test(text) || !isSize(number)) throw new NoteError("not a whole number");
  return number;
}

export function readHead(body) {
  const [origin, size, root, ...extensions] = body.split("\n").slice(0, -1);
  if (!body.endsWith("\n") || !origin || size === undefined || root === undefined || extensions.includes("")) {
    throw new NoteError("a checkpoint has an origin, a size and a root");
  }
  const hash = bytesOf(root);
  if (hash.length !== HASH_BYTES) throw new NoteError("a root has 32 bytes");
  return { origin, size: readNumber(size), root: hash, extensions };
}

// --- Keys

function checkedName(name) {
  if (!name || /[\s+]/.test(name)) throw new NoteError("a key's name is not empty and has neither spaces nor plus signs");
  return name;
}

// What stands before each signature of a key, and in its `vkey`.
async function idOf(name, material) {
  return (await sha256(joined(utf8(`${name}\n`), material))).slice(0, 4);
}

export async function vkeyOf(name, kind, publicBytes) {
  const material = joined([kind], publicBytes);
  return `${checkedName(name)}+${hexOf(await idOf(name, material))}+${base64Of(material)}`;
}

export async function keyOf(vkey) {
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(vkey.trim()) ?? [];
  if (!encoded) throw new NoteError("a key has a name, an id and the key itself, joined by +");
  const material = bytesOf(encoded);
  if (material.length !== 33 || ![ED25519, COSIGNATURE].includes(material[0])) throw new NoteError("only Ed25519 keys are known");
  if (hexOf(await idOf(checkedName(name), material)) !== id) throw new NoteError("the key's id does not belong to it");
  return { vkey: vkey.trim(), name, kind: material[0], id, public: material.slice(1) };
}

const cosigned = (seconds, body) => utf8(`cosignature/v1\ntime ${seconds}\n${body}`);

async function holds(key, value, body) {
  let [signature, message] = [value, utf8(body)];
  if (key.kind === COSIGNATURE) {
    if (value.length < 8 || value[0] > 127) return false;
    signature = value.slice(8);
    message = cosigned(new DataView(value.buffer, value.byteOffset).getBigUint64(0), body);
  }
  const imported = await crypto.subtle.importKey("raw", key.public, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", imported, signature, message);
}

// Whether this key signed the note; a signature in its name that does not hold throws.
export async function verifies(key, note) {
  const own = note.signatures.filter((one) => one.name === key.name && one.id === key.id);
  for (const one of own) if (!(await holds(key, one.value, note.body))) throw new NoteError(`a signature in the name of ${key.name} does not hold`);
  return own.length > 0;
}

// --- The keys of a log, one after the other

const CHANGE = "passbook-log-key/v1";

// Whether this key, which no other one had followed, signed that `vkey` follows it after so many leaves; the size, or null.
async function vouched(before, vkey, text) {
  try {
    const note = readNote(text);
    const [kind, told, after, ...rest] = note.body.split("\n");
    if (kind !== CHANGE || told !== vkey || rest.join() !== "" || before.until !== null || readNumber(after) < before.after) return null;
    return (await verifies(await keyOf(before.vkey), note)) ? readNumber(after) : null;
  } catch (problem) {
    if (problem instanceof NoteError) return null;
    throw problem;
  }
}

// The keys that are known, and those that they vouch for, of what is told; where none is known the first one that is told is taken. Each has
// the size after which it signs, and the one up to which it did where another key followed.
export async function follow(known, told) {
  const keys = known.map((one) => ({ ...one }));
  for (const { vkey, note } of told) {
    if (!keys.length) keys.push({ vkey, after: 0, until: null });
    else if (note) {
      for (const before of keys) {
        const after = await vouched(before, vkey, note);
        if (after === null) continue;
        before.until = after;
        const own = keys.find((one) => one.vkey === vkey);
        if (own) own.after = after;
        else keys.push({ vkey, after, until: null });
        break;
      }
    }
  }
  return keys;
}

// Those of a log's keys that a head of so many leaves may be signed with.
export const signing = (keys, size) => keys.filter((one) => (!one.after || one.after < size) && (one.until === null || size <= one.until));

// The line that says that a witness saw this head, at this moment, and that it carries on from all that it saw before.
export async function cosign(key, privateKey, note, seconds) {
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, cosigned(seconds, note.body)));
  return `${DASH}${key.name} ${base64Of(joined(idBytes(key), number64(seconds), signature))}`;
}

const idBytes = (key) => Uint8Array.from(key.id.match(/../g), (pair) => Number.parseInt(pair, 16));
