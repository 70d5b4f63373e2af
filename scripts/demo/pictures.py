"""Photos of the demonstration, drawn: nobody's stairs and nobody's street."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image
from PIL import ImageDraw

from ledger.claims import NewPhoto
from ledger.web.kit.pictures import drawn

SIZE = (1200, 900)


@cache
def stairs(*, cleared: bool) -> NewPhoto:
    """Draw a staircase with boxes on it, or without."""
    image = Image.new("RGB", SIZE, "#cfc8ba")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 420, 900), fill="#b9c7c4")
    draw.rectangle((80, 120, 340, 520), fill="#e8f1f5", outline="#5d6b70", width=14)
    for step in range(7):
        draw.rectangle((420 + 90 * step, 820 - 100 * step, 1200, 920 - 100 * step), fill=("#9a938a", "#8a837a")[step % 2])
    draw.line((430, 640, 1130, -140), fill="#6b4a2f", width=22)
    if not cleared:
        for left, top, side, colour in ((520, 560, 210, "#b5844f"), (700, 470, 160, "#c79a63"), (120, 620, 240, "#a9743f")):
            draw.rectangle((left, top, left + side, top + side), fill=colour, outline="#6d4c28", width=8)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=90)
    return drawn(written.getvalue())
