"""QR codes drawn: the matrix by `qrcode`, as one SVG path for pages and prints, and in half blocks for a terminal."""

from __future__ import annotations

import qrcode
from markupsafe import Markup
from markupsafe import escape
from qrcode.constants import ERROR_CORRECT_M
from qrcode.util import MODE_8BIT_BYTE
from qrcode.util import QRData

#: Modules of white around a code, as ISO/IEC 18004 asks for.
QUIET = 4


def matrix(told: str | bytes) -> list[list[bool]]:
    """Return the modules of the code of a text or of bytes, without the quiet zone; upper-case addresses make small codes."""
    # Which mask is best is tried at length; of bytes that are mostly hashes any is as good.
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0, mask_pattern=None if isinstance(told, str) else 0)
    code.add_data(told if isinstance(told, str) else QRData(told, mode=MODE_8BIT_BYTE))  # type: ignore[call-overload]  # it takes its own constants
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.get_matrix()]


def path(told: str | bytes) -> tuple[int, str]:
    """Return how many modules wide the code of a text or of bytes is, with its quiet zone, and what is dark in it as a path of SVG."""
    modules = matrix(told)
    runs = []
    for y, row in enumerate(modules):
        x = 0
        while x < len(row):
            run = next((step for step in range(x, len(row)) if not row[step]), len(row)) - x
            if run:
                runs.append(f"M{x + QUIET} {y + QUIET}h{run}v1h-{run}z")
            x += run + 1
    return len(modules) + 2 * QUIET, "".join(runs)


def svg(told: str | bytes, label: str) -> Markup:
    """Return the code of a text or of bytes as an SVG picture that says `label` to those who cannot see it."""
    side, drawn = path(told)
    return Markup(
        '<svg class="qr" role="img" aria-label="{}" viewBox="0 0 {} {}" shape-rendering="crispEdges">'
        '<rect width="100%" height="100%" fill="#fff"/><path d="{}" fill="#000"/></svg>'
    ).format(escape(label), side, side, drawn)


def terminal(text: str) -> str:
    """Return the code of `text` in half blocks, dark on light, for a terminal."""
    modules = matrix(text)
    width = len(modules) + 2 * QUIET
    blank = [False] * width
    rows = [blank] * QUIET + [[False] * QUIET + row + [False] * QUIET for row in modules] + [blank] * (QUIET + len(modules) % 2)
    pairs = zip(rows[::2], rows[1::2], strict=False)
    return "\n".join("".join(_HALF[upper, lower] for upper, lower in zip(*pair, strict=True)) for pair in pairs)


#: Inverted, since terminals are dark: what is light in the code is drawn.
_HALF = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
