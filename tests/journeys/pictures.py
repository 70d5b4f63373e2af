"""From the picture of a code on a page to what a phone's camera reads of it: drawn in pixels, found and decoded by zxing-cpp."""

from __future__ import annotations

import re

import zxingcpp
from PIL import Image
from PIL import ImageDraw

from ledger.web.kit import qr

_SVG = re.compile(r'<svg class="qr"[^>]*viewBox="0 0 (\d+) (\d+)"[^>]*>(.*?)</svg>', re.DOTALL)
_PATH = re.compile(r'<path d="([^"]*)"')
_RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z")
PIXELS = 6


def of(text: str) -> Image.Image:
    """Return the code of a text as a picture, with its quiet zone."""
    return drawn(qr.svg(text, "code"))


def drawn(html: str) -> Image.Image:
    """Return the one code on a page as a picture."""
    ((width, height, inside),) = _SVG.findall(html)
    picture = Image.new("L", (int(width) * PIXELS, int(height) * PIXELS), 255)
    draw = ImageDraw.Draw(picture)
    path = _PATH.search(inside)
    assert path
    assert _RUN.sub("", path[1]) == "", "the path is made of runs and nothing else"
    for x, y, run, back in _RUN.findall(path[1]):
        assert run == back
        left, top = int(x) * PIXELS, int(y) * PIXELS
        draw.rectangle((left, top, left + int(run) * PIXELS - 1, top + PIXELS - 1), fill=0)
    return picture


def codes_in(picture: Image.Image) -> list[zxingcpp.Barcode]:
    """Return the QR codes in a picture. Looking for all kinds, a reader now and then sees bars of another among a large one's modules."""
    return zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)


def scan(html: str) -> str:
    """Return what the one code on a page says."""
    # As a camera holds it: not quite straight, on a grey table.
    held = drawn(html).rotate(4, expand=True, fillcolor=150)
    (found,) = codes_in(held)
    return str(found.text)
