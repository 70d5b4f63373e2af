"""The figures that the look has to meet, for elderly eyes and hands: read from the stylesheet itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "static/css/app.css").read_text("utf-8")
LIGHT, BY_PHONE, DARK = (re.findall(rf":root{which} \{{(.*?)\}}", CSS, re.DOTALL)[0] for which in ("", r":not\(\.light\)", r"\.dark"))


def colours(theme: str) -> dict[str, str]:
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", LIGHT))
    return light if theme == "light" else light | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", DARK))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_dark_is_the_same_whether_the_phone_or_its_owner_chose_it() -> None:
    assert DARK.replace("color-scheme: dark;", "").split() == BY_PHONE.split()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(theme: str) -> None:
    has = colours(theme)
    pairs = [(words, ground) for words in ("ink", "ink-soft", "in", "out", "warn", "bad", "good", "red") for ground in ("paper", "sheet")]
    pairs += [("ink", "wash"), ("bad", "wash"), ("ink", "wash-good"), ("on-cover", "cover"), ("gilt", "cover"), ("gilt", "cover-deep")]
    weak = [
        (words, ground, round(contrast(has[words], has[ground]), 2)) for words, ground in pairs if contrast(has[words], has[ground]) < 4.5
    ]
    assert weak == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_balance_stands_out_most(theme: str) -> None:
    has = colours(theme)
    assert contrast(has["on-cover"], has["cover"]) >= 7
    assert contrast(has["on-cover"], has["cover-deep"]) >= 7


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fields_and_buttons_have_an_edge_that_is_seen(theme: str) -> None:
    has = colours(theme)
    for edge in ("edge", "red", "focus"):
        assert contrast(has[edge], has["paper"]) >= 3
        assert contrast(has[edge], has["sheet"]) >= 3


def test_the_tills_answers_are_read_from_afar() -> None:
    for colour in re.findall(r"\.answer\.(?:ok|no) \{ background: (#[0-9a-f]{6})", CSS):
        assert contrast("#ffffff", colour) >= 7


def test_text_begins_at_18_pixels_and_is_never_smaller() -> None:
    assert "html { font-size: 112.5%" in CSS
    assert "px/" not in CSS
    assert [size for size in re.findall(r"font(?:-size)?: (?:\d+ )?(\.?\d+(?:\.\d+)?)(?:rem|em)", CSS) if float(size) < 1] == []


def test_what_is_pressed_is_large_enough() -> None:
    assert "--tap: 60px" in CSS
    assert "--touch: 44px" in CSS
    sizes = {r"\.btn, button": "tap", "input, select, textarea": "tap", r"\.tick": "touch", r"\.btn\.small": "touch"}
    for what, size in sizes.items():
        assert re.search(rf"{what} \{{[^}}]*min-height: var\(--{size}\)", CSS), what
