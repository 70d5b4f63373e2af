"""How somebody wants pages to look on this device: the size of text, light or dark, the plain version, and whether answers are read aloud.

It is a cookie, as the language is: whoever sets it needs no account, and it works where no script does.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask
from flask import Response
from flask import has_request_context
from flask import request

from ledger.web.kit.auth import is_https

LOOK_COOKIE = "look"
YEAR_S = 365 * 24 * 3600
#: Pixels, as the stylesheet calls them; the first is what everybody begins with.
SIZES = ("text-18", "text-20", "text-24", "text-30")
#: As the phone has it, or one of the two.
COLOURS = ("auto", "light", "dark")


@dataclass(frozen=True)
class Look:
    """What was chosen."""

    size: str = SIZES[0]
    colours: str = COLOURS[0]
    #: The plain version, for the elderly: larger, and of a page only what one comes for.
    is_plain: bool = False
    #: What was done is read aloud.
    is_aloud: bool = False

    @property
    def classes(self) -> str:
        """Return the classes of the page's root, which the stylesheet knows."""
        size = SIZES[2] if self.is_plain and self.size in SIZES[:2] else self.size
        return f"{size} {self.colours} elder" if self.is_plain else f"{size} {self.colours}"


def look() -> Look:
    """Return how whoever asks wants pages to look; what is in the cookie and is none of it counts for nothing."""
    words = request.cookies.get(LOOK_COOKIE, "").split(".") if has_request_context() else []
    size = next((size for size in SIZES if size in words), SIZES[0])
    colours = next((colours for colours in COLOURS if colours in words), COLOURS[0])
    return Look(size, colours, "elder" in words, "aloud" in words)


def with_look(response: Response, chosen: Look) -> Response:
    """Keep what was chosen in the browser."""
    words = [chosen.size, chosen.colours, *(["elder"] if chosen.is_plain else []), *(["aloud"] if chosen.is_aloud else [])]
    response.set_cookie(LOOK_COOKIE, ".".join(words), max_age=YEAR_S, secure=is_https(), httponly=True, samesite="Lax", path="/")
    return response


def init(app: Flask) -> None:
    """Let the templates of `app` ask."""
    app.jinja_env.globals["look"] = look
