"""Draws the icons of the app in static/img, the passbook of icon.svg in the sizes that phones ask for: `python -m scripts.icons`."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from PIL import ImageDraw

FOLDER = Path(__file__).parents[1] / "static/img"
COVER, GILT, PAPER, GROUND = "#981b1e", "#f0cf7c", "#fff7ea", "#fbf7ef"
#: The side of icon.svg, and how many times larger everything is drawn before it is made smaller.
SIDE, FINER = 64, 8
#: The heart, as icon.svg has it: from a point by curves, each given by two points that pull and the one where it ends.
HEART = (
    ((32, 44), (32, 44), (20, 36.8), (20, 28.5)),
    ((20, 28.5), (20, 24.8), (23, 21.8), (26.7, 21.8)),
    ((26.7, 21.8), (29, 21.8), (30.9, 22.8), (32, 24.3)),
    ((32, 24.3), (33.1, 22.8), (35, 21.8), (37.3, 21.8)),
    ((37.3, 21.8), (41, 21.8), (44, 24.8), (44, 28.5)),
    ((44, 28.5), (44, 36.8), (32, 44), (32, 44)),
)


def drawn(pixels: int, *, ground: str | None = None, share: float = 1.0) -> Image.Image:
    """Return the icon; with a ground, which phones cut into their own shapes, it takes only a share of the side."""
    side = pixels * FINER
    picture = Image.new("RGBA", (side, side), ground or (0, 0, 0, 0))
    draw, unit = ImageDraw.Draw(picture), side * share / SIDE
    edge = side * (1 - share) / 2

    def at(x: float, y: float) -> tuple[float, float]:
        return edge + x * unit, edge + y * unit

    draw.rounded_rectangle((at(10, 6), at(54, 58)), radius=7 * unit, fill=COVER)
    draw.rounded_rectangle((at(14, 10), at(50, 54)), radius=4 * unit, outline=GILT, width=round(1.5 * unit))
    draw.polygon([at(*_on(curve, step / 40)) for curve in HEART for step in range(40)], fill=PAPER)
    return picture.resize((pixels, pixels), Image.Resampling.LANCZOS)


def _on(curve: tuple[tuple[float, float], ...], part: float) -> tuple[float, float]:
    rest = 1 - part
    weights = (rest**3, 3 * rest**2 * part, 3 * rest * part**2, part**3)
    x, y = (sum(weight * point[axis] for weight, point in zip(weights, curve, strict=True)) for axis in (0, 1))
    return x, y


def main() -> None:
    """Draw all of them."""
    drawn(192).save(FOLDER / "icon-192.png", optimize=True)
    drawn(512).save(FOLDER / "icon-512.png", optimize=True)
    drawn(512, ground=GROUND, share=0.8).convert("RGB").save(FOLDER / "maskable-512.png", optimize=True)
    drawn(180, ground=GROUND, share=0.9).convert("RGB").save(FOLDER / "apple-touch.png", optimize=True)


if __name__ == "__main__":
    main()
