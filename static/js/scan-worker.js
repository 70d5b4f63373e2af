// Reads QR codes from pictures, beside the page. It is told first where the reader and its WebAssembly lie, then sent one picture at a time.
// Only this script's own answer may compile WebAssembly (ledger/web/kit/assets.py); the page may not.

let reading = null;

onmessage = async ({ data }) => {
  if (data.reader) {
    try {
      importScripts(data.reader);
      const placed = { locateFile: (name, folder) => (name.endsWith(".wasm") ? data.wasm : folder + name) };
      reading = ZXingWASM.prepareZXingModule({ overrides: placed, fireImmediately: true });
      await reading;
      postMessage({ ready: true });
    } catch {
      postMessage({ unable: true });
    }
    return;
  }
  try {
    await reading;
    // What is seen and cannot be read is told too: half a code, or one that is held over.
    const seen = await ZXingWASM.readBarcodes(data.picture, { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 4, returnErrors: true });
    const whole = seen.filter((one) => one.isValid && one.text);
    postMessage({ texts: whole.map((one) => one.text), packed: whole.map((one) => one.bytes), isPart: !whole.length && seen.length > 0 });
  } catch {
    postMessage({ texts: [], packed: [], isPart: false });
  }
};
