"""Pictures as cameras, phones and people who mean harm make them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image
from PIL import ImageDraw

#: What a phone writes into a picture, and nobody has to know.
SECRETS = (b"Huawei P30 of Chen", b"32/1 3/1", b"comment by Chen", b"profile of Chen")


def scene(seed: int = 1, size: tuple[int, int] = (900, 600)) -> Image.Image:
    """A picture in which something is seen: blocks of other greys for every seed."""
    image = Image.new("RGB", size, "white")
    draw, state = ImageDraw.Draw(image), seed
    for row in range(8):
        for column in range(9):
            state = (state * 1103515245 + 12345) % 2**31
            box = (column * size[0] // 9, row * size[1] // 8, (column + 1) * size[0] // 9, (row + 1) * size[1] // 8)
            draw.rectangle(box, fill=(state >> 16) % 256 * 0x010101)
    return image


def written(image: Image.Image, kind: str = "JPEG", **how: Any) -> bytes:
    """The picture as a file of a kind."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def photo(seed: int = 1, *, turned: int = 1, size: tuple[int, int] = (900, 600)) -> bytes:
    """A photo with everything that a phone writes beside it; `turned` is its orientation."""
    exif = Image.Exif()
    exif[0x0110], exif[0x0112] = SECRETS[0].decode(), turned
    exif.get_ifd(0x8825).update({1: "N", 2: (32.0, 3.0, 0.0), 29: "32/1 3/1"})
    return written(scene(seed, size), exif=exif, comment=SECRETS[2], icc_profile=SECRETS[3] * 20, quality=90)


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is very large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(bytes(1000))) + _chunk(b"IEND", b"")


def with_a_broken_end() -> bytes:
    """A whole PNG, but for a part behind its pixels that is shorter than it must be: an IndexError while it is decoded."""
    whole, end = written(scene(), "PNG"), _chunk(b"IEND", b"")
    return whole.removesuffix(end) + _chunk(b"iCCP", b"a\0") + end


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)
