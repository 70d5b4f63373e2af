"""What templates are given besides their values: points, days and times as people read them, forms, and codes."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask
from flask import current_app
from flask import g
from flask import request
from flask_babel import gettext
from jinja2 import StrictUndefined
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from ledger.web.kit import qr
from ledger.web.kit.addresses import own_address
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.extensions import language
from ledger.web.kit.parts import had
from ledger.web.kit.problems import problem_body
from ledger.web.kit.writing import csrf_token
from ledger.web.kit.writing import form_key

#: Where nobody is signed in, and so no book says.
DEFAULT_ZONE = "Asia/Shanghai"
#: The fields of forms into which people write in their own words.
_WORDS = ("title", "place", "text", "note", "numbers")


def points(amount: int) -> str:
    """Return points grouped by thousands."""
    return f"{amount:,}"


def signed(amount: int) -> str:
    """Return points with their sign, for a passbook line."""
    return f"{amount:+,}".replace("-", "−")


def yuan(fen: int) -> str:
    """Return hundredths of a yuan as yuan."""
    return f"{fen // 100:,}.{fen % 100:02}"


def local(moment: datetime, form: str = "%Y-%m-%d %H:%M") -> str:
    """Return a moment on the book's own clock."""
    who = maybe_me()
    return moment.astimezone(ZoneInfo(who.zone if who else DEFAULT_ZONE)).strftime(form)


def span(starts_at: datetime, ends_at: datetime) -> Markup:
    """Return from when until when, on the book's own clock; the day of the end only where it is another."""
    (first, began), (last, ended) = (local(moment).split() for moment in (starts_at, ends_at))
    dated = Markup("<time>{}</time> {}")
    return Markup("{} – {}").format(dated.format(first, began), ended if last == first else dated.format(last, ended))


def day(value: date) -> str:
    """Return a day."""
    return value.isoformat()


def named(thing: object) -> str:
    """Return the name of a category or rate in the language of the page; an English one begins with a capital."""
    is_english = language() == "en"
    name = str(getattr(thing, "name_en" if is_english else "name_zh"))
    return name[:1].upper() + name[1:] if is_english else name


def entry_kind(kind: str) -> str:
    """Return what an entry is called in a passbook, by its kind."""
    names = {
        "award": gettext("善行积分"),
        "redemption": gettext("兑换"),
        "void": gettext("撤销兑换"),
        "clawback": gettext("更正收回"),
        "gift": gettext("转赠"),
        "donation": gettext("捐赠"),
        "expiry": gettext("到期"),
        "closing": gettext("销户"),
    }
    return str(names[kind])


def spaced(number: str) -> str:
    """Return a number of a passbook or card in groups of four, as it is read out."""
    return " ".join(number[place : place + 4] for place in range(0, len(number), 4))


def typed(name: str, default: object = "") -> str:
    """Return what was typed into a field of a form that is drawn again, else `default`."""
    return request.form.get(name, str(default)) if request.method == "POST" else str(default)


def form_fields() -> Markup:
    """Return the hidden fields that every form carries."""
    return Markup('<input type="hidden" name="_key" value="{}"><input type="hidden" name="_csrf" value="{}">').format(
        form_key(), csrf_token()
    )  # fmt: skip


def problem() -> object:
    """Return what was wrong with the form that is drawn again, if anything."""
    return g.get("problem")


def acted_for() -> str | None:
    """Return the name of the person on whose behalf the session acts, if on somebody's."""
    who = maybe_me()
    return who.acted_for_name if who else None


def mandate_ended() -> bool:
    """Tell whether the session has just ceased to act on somebody's behalf, since its mandate has ended."""
    return bool(g.get("mandate_ended", False))


def words_typed() -> list[str]:
    """Return what somebody wrote into a form that could not be taken: words alone, and nothing that lets anybody in."""
    return [words for name in _WORDS for words in request.form.getlist(name) if words.strip()]


def form_page() -> str | None:
    """Return the address of the page whose form was sent, where it has the form's own."""
    try:
        current_app.url_map.bind("").match(request.path, "GET")
    except HTTPException:
        return None
    return request.path


def wrong_at(label: str) -> str:
    """Keep the label of the field that was wrong, for what stands above the form."""
    g.wrong_field = label
    return ""


def wrong_field() -> str | None:
    """Return the label of the field that was wrong, if the page has it."""
    found: str | None = g.get("wrong_field")
    return found


def sentence(code: str) -> str:
    """Return what to say of a problem of which only the code is known."""
    return str(problem_body(code)["detail"])


def init(app: Flask) -> None:
    """Give the templates of `app` all this."""
    # A name that a view forgot to give is a mistake, not an empty place.
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters |= {"points": points, "signed": signed, "yuan": yuan, "local": local, "day": day, "named": named}
    app.jinja_env.filters |= {"entry_kind": entry_kind, "spaced": spaced}
    app.jinja_env.globals |= {"typed": typed, "form_fields": form_fields, "problem": problem, "maybe_me": maybe_me}
    app.jinja_env.globals |= {"wrong_at": wrong_at, "wrong_field": wrong_field}
    app.jinja_env.globals |= {"own_address": own_address}
    app.jinja_env.globals |= {"words_typed": words_typed, "form_page": form_page}
    app.jinja_env.globals |= {"acted_for": acted_for, "mandate_ended": mandate_ended}
    app.jinja_env.globals |= {"language": language, "qr": qr.svg, "sentence": sentence, "had": had, "span": span}
