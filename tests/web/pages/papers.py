"""A print as somebody holds it: what can be read on each page, how large it is, what it is set in, and what a camera reads of its codes."""

from __future__ import annotations

import ctypes
from contextlib import closing
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw
from werkzeug.test import TestResponse

from tests.journeys import pictures
from tests.journeys.browser import Browser


@dataclass(frozen=True)
class Paper:
    """A PDF that was read and drawn."""

    pages: list[str]
    #: In millimetres.
    sizes: list[tuple[float, float]]
    #: Its fonts, and whether each lies in the file.
    fonts: dict[str, bool]
    codes: list[str]
    #: The lines of each page: how many millimetres from its top their middle is, and what they say from left to right.
    lines: list[list[tuple[float, str]]]

    def beginning_with(self, words: str) -> list[str]:
        """The lines that begin so."""
        return [said for page in self.lines for _, said in page if said.startswith(words)]

    def says(self, words: str) -> bool:
        """Tell whether it says so, however lines are broken, and whatever room is left between Chinese and Latin characters."""
        return "".join(words.split()) in "".join(self.text.split())

    @property
    def text(self) -> str:
        return "\n".join(self.pages)


def read(content: bytes) -> Paper:
    """Read a PDF as a viewer does; in one thread at a time, since pdfium bears no more."""
    pages, sizes, fonts, codes, lines = [], [], {}, [], []
    with closing(pypdfium2.PdfDocument(content)) as document:
        for page in document:
            with closing(page), closing(page.get_textpage()) as words:
                pages.append(words.get_text_bounded())
                width, height = page.get_size()
                sizes.append((round(width / 72 * 25.4, 1), round(height / 72 * 25.4, 1)))
                for thing in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=9):
                    fonts |= _font(thing.raw)
                lines.append(_lines(words, height))
                found = pictures.codes_in(page.render(scale=3).to_pil())
                codes += [one.text for one in found]
    return Paper(pages, sizes, fonts, codes, lines)


def _lines(words: pypdfium2.PdfTextPage, height: float) -> list[tuple[float, str]]:
    # Of what follows each other on a page, pdfium guesses the lines; here what is on one height is one.
    found: list[tuple[float, list[tuple[float, str]]]] = []
    for place in range(words.count_rects()):
        left, bottom, right, top = words.get_rect(place)
        middle = (height - (top + bottom) / 2) / 72 * 25.4
        line = next((line for at, line in found if abs(at - middle) < 2), None)
        if line is None:
            found.append((middle, line := []))
        line.append((left, words.get_text_bounded(left, bottom, right, top).strip()))
    return [(round(middle, 1), " ".join(said for _, said in sorted(line) if said)) for middle, line in sorted(found)]


def _font(drawn: object) -> dict[str, bool]:
    font = raw.FPDFTextObj_GetFont(drawn)
    name = ctypes.create_string_buffer(100)
    raw.FPDFFont_GetBaseFontName(font, name, 100)
    return {name.value.decode(): raw.FPDFFont_GetIsEmbedded(font) == 1}


def get(browser: Browser, address: str) -> TestResponse:
    """Ask for a print."""
    return browser.client.get(address)


def opened(browser: Browser, address: str) -> Paper:
    """Open a print that is there."""
    answer = get(browser, address)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf"), answer.text[:2000]
    return read(answer.data)
