// Checks the proof of a passbook line or of hours of service, here and nowhere else: what is scanned, chosen or pasted is sent to nobody, and no network is needed.
//
// The leaf is made anew from what the proof opens (ledger/seal/leaves.py), led up to the root by the path, and the root is looked for under
// the signatures of the log and of its witnesses. A proof comes as a file (https://c2sp.org/tlog-proof), or packed in a code on paper
// (ledger/seal/packed.py). What is said stands in the page's templates.

const form = document.querySelector("[data-check]");
const result = document.querySelector("[data-result]");
const spoken = document.querySelector("template[data-words]").content;
const { COSIGNATURE, NoteError, base64Of, bytesOf, follow, hexOf, isIncluded, keyOf, leafHash, readHashes, readHead, readNote, readNumber, sha256, signing, verifies } =
  await import(form.dataset.arithmetic);

const PROOF = "c2sp.org/tlog-proof@v1\n";
const PROMISE = "passbook-promise/v1\n";
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const FORMAT = 1;
const ENTRY = 1;
const HOURS = 2;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const ABSENT = 255;
// A code that fills a third of the picture's width is still read at this size.
const SIDE = 3_000;

// What was given last: it is checked again when a check word or keys are added.
let given = null;

// What does not hold, by the name of the sentence that says so, and what stands in it.
class Fault extends Error {
  constructor(name, values) {
    super(name);
    this.values = values;
  }
}

const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const say = (name, values = {}) => spoken.querySelector(`[data-word="${name}"]`).textContent.replace(/\{(\w+)\}/g, (_, key) => values[key]);

// --- Reading

// Bytes, read from the first to the last.
function reader(bytes) {
  let at = 0;
  const take = (length) => {
    if (at + length > bytes.length) throw new NoteError("it ends early");
    at += length;
    return bytes.slice(at - length, at);
  };
  const whole = (length) => take(length).reduce((sum, byte) => sum * 256 + byte, 0);
  return { take, whole, text: () => textOf(take(whole(1))), isDone: () => at === bytes.length };
}

function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new NoteError("not UTF-8");
  }
}

function wholeOf(bytes) {
  const text = textOf(bytes);
  const number = Number(text);
  if (!/^(0|-?[1-9]\d*)$/.test(text) || !Number.isSafeInteger(number)) throw new NoteError("not a whole number");
  return number;
}

// What opens a leaf; its first byte says of which kind. The fields are hashed as they stand, so none of them can be written otherwise.
function readOpening(bytes) {
  if (bytes[0] === ENTRY) return readSide(bytes);
  if (bytes[0] === HOURS) return readHours(bytes);
  throw new NoteError("not an opening of format 1");
}

// What is left of an opening, field by field.
function readFields(reading) {
  const fields = [];
  while (!reading.isDone()) {
    const length = reading.whole(1);
    fields.push(length === ABSENT ? null : reading.take(length));
  }
  return fields;
}

const isHash = (field) => field === null || field.length === HASH_BYTES;
const isId = (field) => field?.length === 16;

function readSide(bytes) {
  const reading = reader(bytes.slice(1));
  const [salt, entry, other] = [SALT_BYTES, HASH_BYTES, HASH_BYTES].map(reading.take);
  const fields = readFields(reading);
  const [account, number, amount, before, after, kind, deedOn, postedAt, previous] = fields;
  const isWhole = fields.length === 9 && [account, number, amount, kind, deedOn, postedAt].every(Boolean);
  if (!isWhole || !isId(account) || !isHash(previous)) throw new NoteError("a field is missing");
  const line = {
    number: wholeOf(number),
    amount: wholeOf(amount),
    before: before && wholeOf(before),
    after: after && wholeOf(after),
    kind: textOf(kind),
    deedOn: textOf(deedOn),
    postedAt: wholeOf(postedAt),
    previous,
  };
  const leaf = (own) => joined([FORMAT, ENTRY], entry, ...(line.amount < 0 ? [own, other] : [other, own]));
  return { kind: "line", told: line, salted: joined([0x11], salt, bytes.slice(1 + SALT_BYTES + 2 * HASH_BYTES)), leaf };
}

function readHours(bytes) {
  const reading = reader(bytes.slice(1));
  reading.take(SALT_BYTES);
  const fields = readFields(reading);
  const [id, account, number, kind, minutes, servedOn, recordedAt, credit, honour, previous] = fields;
  const isWhole = fields.length === 10 && fields.slice(0, 9).every(Boolean);
  if (!isWhole || !isId(id) || !isId(account) || !isHash(previous)) throw new NoteError("a field is missing");
  const hours = {
    number: wholeOf(number),
    kind: textOf(kind),
    minutes: wholeOf(minutes),
    servedOn: textOf(servedOn),
    recordedAt: wholeOf(recordedAt),
    credit: wholeOf(credit),
    honour: wholeOf(honour),
    previous,
  };
  return { kind: "hours", told: hours, salted: joined([0x12], bytes.slice(1)), leaf: (own) => joined([FORMAT, HOURS], own) };
}

// A proof as it is written down in a file.
function readProof(text) {
  const at = text.indexOf("\n\n");
  const [first, ...lines] = text.slice(0, Math.max(at, 0)).split("\n");
  if (`${first}\n` !== PROOF || !lines[0]?.startsWith("extra ") || !lines[1]?.startsWith("index ")) throw new NoteError("not a proof of a line");
  const [extra, index, ...path] = lines;
  const opening = readOpening(bytesOf(extra.slice(6)));
  return { opening, index: readNumber(index.slice(6)), path: readHashes(path), note: readNote(text.slice(at + 2)) };
}

const magic = () => Uint8Array.from(form.querySelector("[data-packed]").dataset.packed.match(/../g), (pair) => Number.parseInt(pair, 16));
const isPacked = (bytes) => magic().every((byte, at) => bytes[at] === byte);

// The same from a code on paper, which holds it as bytes.
function unpacked(bytes) {
  const reading = reader(bytes);
  if (hexOf(reading.take(magic().length)) !== hexOf(magic())) throw new NoteError("not a packed proof");
  const opening = reading.take(reading.whole(2));
  const index = reading.whole(6);
  const path = Array.from({ length: reading.whole(1) }, () => reading.take(HASH_BYTES));
  const origin = reading.text();
  const body = `${origin}\n${reading.whole(6)}\n${base64Of(reading.take(HASH_BYTES))}\n`;
  const signatures = Array.from({ length: reading.whole(1) }, () => {
    const name = reading.text() || origin;
    return `— ${name} ${base64Of(joined(reading.take(4), reading.take(reading.whole(1))))}\n`;
  });
  if (!reading.isDone()) throw new NoteError("it goes on");
  const lines = [`extra ${base64Of(opening)}`, `index ${index}`, ...path.map(base64Of)];
  return `${PROOF}${lines.join("\n")}\n\n${body}\n${signatures.join("")}`;
}

// --- Judging

function checkWord(hash) {
  const bits = new DataView(hash.buffer, hash.byteOffset).getUint32(0) >>> 2;
  const letters = Array.from({ length: 6 }, (_, place) => LETTERS[(bits >>> (5 * (5 - place))) & 31]).join("");
  return `${letters.slice(0, 3)}-${letters.slice(3)}`;
}

// As somebody types it who reads it from paper.
const plain = (word) => word.normalize("NFKC").toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");

// Whose signatures count for a head: of the keys that were pasted, where there are any, else of those that the page came with. Where the log
// changed its key, the new one is followed to by the word of the one before it, and the old one counts for no later head.
async function keysOf(origin, size) {
  const lines = form.elements.own_keys.value.split("\n").filter((line) => line.trim());
  const place = [...document.querySelectorAll("[data-log]")].find((one) => one.dataset.log === origin);
  const told = [...(place?.querySelectorAll("[data-key]") ?? [])].map(({ dataset }) => ({ vkey: dataset.key, note: dataset.note }));
  const vkeys = lines.length ? lines : told.map((one) => one.vkey);
  let keys;
  try {
    keys = await Promise.all(vkeys.map(keyOf));
  } catch (problem) {
    throw problem instanceof NoteError ? new Fault("keys") : problem;
  }
  const named = keys.filter((key) => key.kind !== COSIGNATURE && key.name === origin);
  const known = lines.length ? named.map(({ vkey }) => ({ vkey, after: 0, until: null })) : [];
  const ofLog = told.filter((one) => one.note !== undefined);
  const good = named.length ? signing(await follow(known, ofLog), size) : [];
  const log = await Promise.all(good.map((one) => keyOf(one.vkey)));
  const quorum = lines.length ? 0 : Number(place?.dataset.quorum ?? 0);
  return { log, named, witnesses: keys.filter((key) => key.kind === COSIGNATURE), quorum, isOwn: lines.length > 0, book: place?.dataset.book ?? origin };
}

// Which of the keys signed; a signature in the name of one that does not hold is a fault of that name.
async function signersOf(note, keys, fault) {
  const found = [];
  for (const key of keys) {
    try {
      if (await verifies(key, note)) found.push(key);
    } catch (problem) {
      throw problem instanceof NoteError ? new Fault(fault) : problem;
    }
  }
  return found;
}

async function judged({ opening, index, path, note }) {
  const { kind, told } = opening;
  const head = readHead(note.body);
  const own = await sha256(opening.salted);
  if (!(await isIncluded(await leafHash(opening.leaf(own)), index, head.size, path, head.root))) throw new Fault(`path-${kind}`);
  const { log, named, witnesses, ...known } = await keysOf(head.origin, head.size);
  if (!named.length) throw new Fault("unknown");
  if (!(await signersOf(note, log, "signature")).length) throw new Fault((await signersOf(note, named, "signature")).length ? "retired" : "signature");
  const cosigned = await signersOf(note, witnesses, "cosignature");
  return { kind, told, word: checkWord(own), before: told.previous && checkWord(told.previous), index, head, cosigned, witnesses, ...known };
}

// Whether the check word that was typed is this line's, or the one's before it, which this line carries on from; and of hours alike.
function matchedWord({ kind, told, word, before }) {
  const typed = plain(form.elements.word.value);
  if (!typed) return "";
  if (typed === plain(word)) return "word-same";
  if (before && typed === plain(before)) return `word-before-${kind}`;
  throw new Fault(`word-${kind}`, { number: told.number });
}

// --- Saying

const grouped = (number) => number.toLocaleString("en-US");
const signed = (number) => `${number < 0 ? "−" : "+"}${grouped(Math.abs(number))}`;
// As the book's own pages tell it, wherever this browser is, and in which zone; where the book is not known here, in the browser's.
const momentOf = (microseconds, origin) => {
  const timeZone = document.querySelector(`[data-log="${CSS.escape(origin)}"]`)?.dataset.zone;
  const moment = new Date(microseconds / 1_000);
  const named = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone, timeZoneName: "long" }).formatToParts(moment);
  return `${moment.toLocaleString("sv", { timeZone })} ${named.find((part) => part.type === "timeZoneName").value}`; // Swedish writes ISO 8601
};
const kindOf = (kind) => spoken.querySelector(`[data-kind="${CSS.escape(kind)}"]`)?.textContent ?? kind;

function show(name, values) {
  const page = document.querySelector(`template[data-${name}]`).content.cloneNode(true);
  for (const place of page.querySelectorAll("[data-put]")) {
    const value = values[place.dataset.put];
    if (value) place.textContent = value;
    else place.remove();
  }
  result.replaceChildren(page);
  result.scrollIntoView({ block: "start" });
}

const refuse = (name, values) => show("refused", { why: say(name, values) });
const long = (minutes) => say("long", { hours: grouped(Math.floor(minutes / 60)), minutes: minutes % 60 });

// What the line or the hours say, in plain words.
const saying = {
  line: (line, origin) => ({
    number: say("number", { number: line.number }),
    kind: kindOf(line.kind),
    amount: signed(line.amount),
    day: line.deedOn,
    posted: say("posted", { time: momentOf(line.postedAt, origin) }),
    sums: line.before === null ? "" : say("sums", { before: grouped(line.before), after: grouped(line.after) }),
  }),
  hours: (hours, origin) => ({
    records: say("records", { count: grouped(hours.number), time: momentOf(hours.recordedAt, origin) }),
    credit: long(hours.credit),
    honour: long(hours.honour),
    last: say("last", { day: hours.servedOn, kind: kindOf(hours.kind), long: long(hours.minutes) }),
  }),
};

function accept(found, text) {
  const { kind, told, head, cosigned, witnesses } = found;
  const matched = matchedWord(found);
  show(`holds-${kind}`, {
    ...saying[kind](told, head.origin),
    word: found.word,
    matched: matched && say(matched, { number: told.number - 1 }),
    place: say("place", { book: found.book, index: grouped(found.index + 1), size: grouped(head.size) }),
    cosigned: cosigned.length ? say("cosigned", { count: cosigned.length, all: witnesses.length, names: cosigned.map((key) => key.name).join(" · ") }) : "",
    few: cosigned.length && cosigned.length < found.quorum ? say("few", { quorum: found.quorum }) : "",
    alone: cosigned.length ? "" : say("alone"),
    whose: say(found.isOwn ? "keys-own" : "keys-page"),
    text,
  });
  const file = result.querySelector("[data-file]");
  file.href = `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`;
  file.download = `${kind}-${told.number}.tlog-proof`;
}

async function promised(text) {
  const note = readNote(text);
  const own = form.elements.own_keys.value.split("\n").filter((line) => line.trim());
  const vkeys = own.length ? own : [...document.querySelectorAll("[data-promise-key]")].map((one) => one.dataset.promiseKey);
  if (!(await signersOf(note, await Promise.all(vkeys.map(keyOf)), "signature")).length) throw new Fault("signature");
  const told = Object.fromEntries(note.body.split("\n").map((line) => [line.split(" ", 1)[0], line.slice(line.indexOf(" ") + 1)]));
  show("promised", {
    number: say("number", { number: told.line }),
    kind: kindOf(told.kind),
    amount: signed(Number(told.amount)),
    day: told.deed,
    sums: say("sums", { before: grouped(Number(told.before)), after: grouped(Number(told.after)) }),
    by: say("by", { time: momentOf(Number(told["sealed-by"]), told.log) }),
  });
}

// What was given is read and judged; whatever goes wrong is said, and nothing is shown of a line that does not hold.
async function check(what) {
  given = what;
  try {
    if (!what) throw new Fault("nothing");
    const text = typeof what === "string" ? `${what.replaceAll("\r\n", "\n").trim()}\n` : unpacked(what);
    if (text.startsWith(PROMISE)) await promised(text);
    else accept(await judged(readProof(text)), text);
  } catch (problem) {
    if (problem instanceof Fault) refuse(problem.message, problem.values);
    else if (problem instanceof NoteError) refuse("unreadable");
    else refuse("unable");
  }
}

// --- What is given

// The codes in a picture, read by the same worker as the camera's.
async function codesIn(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  const brush = canvas.getContext("2d");
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const pixels = brush.getImageData(0, 0, canvas.width, canvas.height);
  const { worker: address, reader: script, wasm } = form.querySelector("[data-scan]").dataset;
  const worker = new Worker(address);
  try {
    return await new Promise((done, fail) => {
      worker.onerror = fail;
      worker.onmessage = ({ data }) => {
        if (data.ready) worker.postMessage({ picture: pixels }, [pixels.data.buffer]);
        else if (data.unable) fail(new Error("the reader does not start"));
        else done(data.packed);
      };
      worker.postMessage({ reader: script, wasm });
    });
  } finally {
    worker.terminate();
  }
}

async function chosen(event) {
  const [file] = event.target.files;
  if (!file) return;
  given = null;
  form.elements.pasted.value = "";
  try {
    if (!file.type.startsWith("image/")) {
      const text = await file.text();
      return text.startsWith("%PDF-") ? refuse("pdf") : await check(text);
    }
    const code = (await codesIn(file)).find(isPacked);
    if (code) await check(code);
    else refuse("unseen");
  } catch {
    refuse("unseen");
  }
}

function scanned(event) {
  form.elements.pasted.value = "";
  check(event.detail);
}

function sent(event) {
  event.preventDefault();
  // The small code leads here; what proves something is the large one.
  const isAddress = form.elements.code.value !== "";
  form.elements.code.value = "";
  if (isAddress) {
    given = null;
    refuse("small");
  } else check(form.elements.pasted.value.trim() || given);
}

form.addEventListener("submit", sent);
form.addEventListener("scanned", scanned);
form.elements.file.addEventListener("change", chosen);
form.elements.pasted.addEventListener("input", () => (given = null));
form.hidden = false;
