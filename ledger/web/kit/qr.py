"""QR codes drawn: the matrix by `qrcode`, as one SVG path for pages and prints, and in half blocks for a terminal."""

from __future__ import annotations

import qrcode
from markupsafe import Markup
from markupsafe import escape
from qrcode.constants import ERROR_CORRECT_M

#: Modules of white around a code, as ISO/IEC 18004 asks for.
QUIET = 4


def matrix(text: str) -> list[list[bool]]:
    """Return the modules of the code of `text`, without the quiet zone; upper-case addresses make small codes."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.get_matrix()]


def path(text: str) -> tuple[int, str]:
    """Return how many modules wide the code of `text` is, with its quiet zone, and what is dark in it as the path of an SVG picture."""
    modules = matrix(text)
    runs = []
    for y, row in enumerate(modules):
        x = 0
        while x < len(row):
            run = next((step for step in range(x, len(row)) if not row[step]), len(row)) - x
            if run:
                runs.append(f"M{x + QUIET} {y + QUIET}h{run}v1h-{run}z")
            x += run + 1
    return len(modules) + 2 * QUIET, "".join(runs)


def svg(text: str, label: str) -> Markup:
    """Return the code of `text` as an SVG picture that says `label` to those who cannot see it."""
    side, drawn = path(text)
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
