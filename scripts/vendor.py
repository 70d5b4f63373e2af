"""Copy what the pages and prints take from npm, with its licences, and keep a manifest of it (`make vendor`; `--check` wants no npm).

What is large is compressed once here: it is kept beside itself in gzip and Brotli.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
import subprocess  # nosec B404
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
MANIFEST = ROOT / "static" / "vendor" / "MANIFEST.json"
FONTS = "templates/print/fonts"
#: Whatever is larger is sent compressed.
PLAIN_BYTES_MAX = 100_000


@dataclass(frozen=True)
class Taken:
    """One file of a package, and where it goes."""

    package: str
    source: str
    target: str
    #: A font of which only the characters of GB 2312 and Latin are kept.
    is_subset: bool = False


TAKEN = (
    Taken("lean-qr", "index.mjs", "static/vendor/lean-qr/index.mjs"),
    Taken("lean-qr", "LICENSE", "static/vendor/lean-qr/LICENSE"),
    Taken("zxing-wasm", "dist/iife/reader/index.js", "static/vendor/zxing-wasm/reader.js"),
    Taken("zxing-wasm", "dist/reader/zxing_reader.wasm", "static/vendor/zxing-wasm/zxing_reader.wasm"),
    Taken("zxing-wasm", "LICENSE", "static/vendor/zxing-wasm/LICENSE"),
    # Names are written with rare characters, so the text's font is whole; headings are our own words.
    Taken("@expo-google-fonts/noto-sans-sc", "400Regular/NotoSansSC_400Regular.ttf", f"{FONTS}/NotoSansSC-Regular.ttf"),
    Taken("@expo-google-fonts/noto-serif-sc", "700Bold/NotoSerifSC_700Bold.ttf", f"{FONTS}/NotoSerifSC-Bold.ttf", is_subset=True),
    Taken("@expo-google-fonts/noto-sans-sc", "LICENSE_FONT", f"{FONTS}/LICENSE"),
    Taken("axe-core", "axe.min.js", "tests/browser/vendor/axe.min.js"),
    Taken("axe-core", "LICENSE", "tests/browser/vendor/LICENSE"),
)


def copy() -> None:
    """Copy every file anew as npm gives it, and write the manifest."""
    if (npm := shutil.which("npm")) is None:
        sys.exit("需要 npm（Node.js） / npm (Node.js) is needed for this")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for given in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(ROOT / given, folder)
        subprocess.run([npm, "ci", "--silent"], cwd=folder, check=True)  # nosec B603
        entries = [entry for one in TAKEN for entry in _take(one, folder / "node_modules" / one.package)]
    MANIFEST.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def _take(one: Taken, package: Path) -> list[dict[str, str | int]]:
    """Copy one file, compressed too where it is large, and return what the manifest says of it."""
    target = ROOT / one.target
    target.parent.mkdir(parents=True, exist_ok=True)
    content = (package / one.source).read_bytes()
    target.write_bytes(_subset(content) if one.is_subset else content)
    told = json.loads((package / "package.json").read_text(encoding="utf-8"))
    about = {"package": told["name"], "version": told["version"], "licence": told["license"]}
    return [
        {"path": path.relative_to(ROOT).as_posix(), **about, "bytes": path.stat().st_size, "sha384": _sha384(path)}
        for path in (target, *_compressed(target))
    ]


def faults() -> list[str]:
    """Return what is missing, changed, or there without being in the manifest."""
    entries = {entry["path"]: entry for entry in json.loads(MANIFEST.read_text(encoding="utf-8"))}
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = []
    for path, entry in entries.items():
        if not (ROOT / path).is_file():
            found.append(f"{path} is missing")
        elif _sha384(ROOT / path) != entry["sha384"]:
            found.append(f"{path} is not what was copied")
        if locked[f"node_modules/{entry['package']}"]["version"] != entry["version"]:
            found.append(f"{path} is not of the version that package-lock.json names")
    for folder in (MANIFEST.parent, ROOT / FONTS, ROOT / "tests" / "browser" / "vendor"):
        there = (path.relative_to(ROOT).as_posix() for path in folder.rglob("*") if path.is_file() and path != MANIFEST)
        found += [f"{path} is not in the manifest" for path in there if path not in entries]
    return found


def _sha384(path: Path) -> str:
    return base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


def _compressed(path: Path) -> list[Path]:
    """Write what is sent in place of a large file of the pages."""
    if not path.is_relative_to(MANIFEST.parent) or path.stat().st_size <= PLAIN_BYTES_MAX:
        return []
    import brotli

    content = path.read_bytes()
    small = {".gz": gzip.compress(content, 9, mtime=0), ".br": brotli.compress(content)}
    for ending, packed in small.items():
        path.with_name(path.name + ending).write_bytes(packed)
    return [path.with_name(path.name + ending) for ending in small]


def _subset(font: bytes) -> bytes:
    from io import BytesIO

    from fontTools import subset

    rows = (bytes((high, low)) for high in range(0xA1, 0xF8) for low in range(0xA1, 0xFF))
    text = "".join(row.decode("gb2312", "ignore") for row in rows) + "".join(map(chr, range(0x20, 0x250))) + "−–—‘’“”…·¥✓✕"
    options = subset.Options(layout_features=["kern", "vert", "locl", "tnum", "lnum"], hinting=False, name_IDs=["*"])
    whole, small = subset.load_font(BytesIO(font), options), BytesIO()
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=text)
    subsetter.subset(whole)
    subset.save_font(whole, small, options)
    return small.getvalue()


def main() -> None:
    """Copy, or check what was copied."""
    if "--check" not in sys.argv:
        copy()
    if found := faults():
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
