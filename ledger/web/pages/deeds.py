"""What the pages about deeds share: the choice of deeds, a deed read from its form, claims as they are listed, and what became of a set."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import render_template
from flask import request
from flask import url_for
from flask_babel import gettext

from ledger import claims
from ledger import people
from ledger import tariff
from ledger.claims import ClaimRow
from ledger.claims import Moved
from ledger.claims import NewDeed
from ledger.claims import Telling
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.tokens import digits_of
from ledger.web.kit import forms
from ledger.web.kit import pictures
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import moment
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.problems import PROBLEMS
from ledger.web.kit.reach import in_words
from ledger.web.kit.reach import reach
from ledger.web.kit.reach import shown_name
from ledger.web.kit.templating import named
from ledger.web.kit.templating import points
from ledger.web.kit.writing import act

#: How many claims a page lists; what is ticked on it is one set.
AT_ONCE = 50
#: How many can be chosen in one form, also by their numbers.
CHOSEN_MAX = 200
#: So many deeds that one proposed of late are offered first.
LATE = 4
_HANDLE = re.compile(r"(?<!\d)\d{4}[ -]?\d{4}(?!\d)", re.ASCII)
_MOMENT = re.compile(r"(19|20|21)\d{2}-\d{2}-\d{2}T\d{2}:\d{2}", re.ASCII)


def deed_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the deeds of today's tariff, category by category, as the options of a choice."""
    rates = tariff.rates_on(session(), me().book_id, me().today)
    groups = [
        (named(category), [(rate.deed, priced(rate)) for rate in rates if rate.category == category.code])
        for category in tariff.categories(session(), me().book_id)
    ]
    return [(category, deeds) for category, deeds in groups if deeds]


def deed_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the same for a form in which deeds are tapped: what one proposed for others of late stands first."""
    groups = deed_choices()
    words = {code: said for _, deeds in groups for code, said in deeds}
    proposed_before = claims.reported_by(session(), me().book_id, me().person_id, limit=AT_ONCE)
    late = [code for code in dict.fromkeys(row.rate.deed for row in proposed_before) if code in words][:LATE]
    return [(gettext("最近报过的"), [(code, words[code]) for code in late]), *groups] if late else groups


def priced(rate: tariff.Rate) -> str:
    """Return a deed with what it earns."""
    told = {"deed": named(rate), "points": points(rate.points)}
    if rate.unit == "hour":
        return str(gettext("%(deed)s（每小时 %(points)s 分）", **told))
    if rate.unit == "activity":
        return str(gettext("%(deed)s（每场 %(points)s 分）", **told))
    return str(gettext("%(deed)s（每次 %(points)s 分）", **told))


def deed_from_form() -> NewDeed:
    """Return the deed that a form tells of."""
    day = forms.day("deed_on")
    return NewDeed(
        deed=forms.words("deed", 64),
        deed_on=day,
        place=forms.words("place", 200, least=0),
        minutes=forms.whole("minutes", 1, 1440) if forms.text("minutes") else None,
        starts_at=_moment("starts_at", f"{day.isoformat()}T{began}") if (began := forms.text("starts_at")) else None,
        text=forms.words("text", 500, least=0, lines=True),
        photos=pictures.photos(),
    )


def moment_of(name: str) -> datetime:
    """Return the moment that was typed on the book's own clock."""
    return _moment(name, forms.words(name, 16))


def _moment(name: str, typed: str) -> datetime:
    try:
        if not _MOMENT.fullmatch(typed):
            raise ValueError(typed)
        return datetime.fromisoformat(typed).replace(tzinfo=ZoneInfo(me().zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("time-malformed", name) from None


def ticked(name: str) -> list[UUID]:
    """Return the ids that were ticked, each once."""
    try:
        return list(dict.fromkeys(UUID(value) for value in request.form.getlist(name)))
    except ValueError:
        raise Invalid("id-malformed", name) from None


def chosen(name: str, *more: UUID) -> list[UUID]:
    """Return the ids that were ticked and `more`; raise Invalid where there is none, or more than one set can be."""
    ids = list(dict.fromkeys((*ticked(name), *more)))
    if not ids:
        raise Invalid("nothing-chosen", name)
    if len(ids) > CHOSEN_MAX:
        raise Invalid("too-many-chosen", name, most=CHOSEN_MAX)
    return ids


def persons_typed(name: str) -> list[UUID]:
    """Return the persons whose passbook numbers were typed, in whatever way they were set apart."""
    typed = unicodedata.normalize("NFKC", forms.words(name, 4000, least=0, lines=True))
    handles = [digits_of(found) for found in _HANDLE.findall(typed)]
    persons = people.by_handles(session(), me().book_id, handles)
    unknown = [handle for handle in handles if handle not in persons] or re.sub(r"[,;、，；]", " ", _HANDLE.sub(" ", typed)).split()
    if unknown:
        raise Invalid("passbook-unknown", name, numbers="、".join(unknown[:5]))
    return [persons[handle].id for handle in dict.fromkeys(handles)]


@dataclass(frozen=True)
class Listed:
    """A claim with the names of those in it and what is told."""

    row: ClaimRow
    #: Who gets the points.
    who: str
    reporter: str
    told: Telling
    #: What was told with the last decision.
    note: str | None
    days: int
    #: Why two must approve it, where two must.
    why_two: tuple[str, ...]


def queued(step: str, states: Collection[str], *, halfway: bool | None = None) -> Page:
    """Return the claims in `states` that whoever asks may take `step` on, the oldest first, from where the address says."""
    after: Any = read_cursor(request.args.get("cursor"), moment, UUID)
    rows = claims.queue(session(), me().book_id, reach(step), states, halfway=halfway, after=after, limit=AT_ONCE + 1)
    return page_of(rows, AT_ONCE, lambda row: [row.claim.reported_at, row.id])


def listed(rows: Sequence[ClaimRow]) -> list[Listed]:
    """Return claims as a page lists them, everything read for all of them at once."""
    current, vault, book = session(), services().vault, me().book
    now = services().clock.now()
    persons = {person_id for row in rows for person_id in (row.claim.person_id, row.claim.reporter_id) if person_id}
    names = people.names_of(current, vault, book.id, persons)
    teams = people.teams_by_id(current, book.id, {row.claim.team_id for row in rows if row.claim.team_id})
    is_open = in_words(rows)
    opened = [row for row in rows if row.id in is_open]
    told = {row.id: Telling() for row in rows} | claims.told_of(current, vault, book.id, [row.claim for row in opened])
    notes: dict[UUID, dict[int, str]] = {row.id: {} for row in rows} | claims.notes_of(current, vault, book.id, opened)
    names |= {team.id: team.name for team in teams.values()}
    why = claims.why_two(current, book, claims.risks_of(current, book.id, rows), me().today)
    return [
        Listed(
            row,
            shown_name(row, names, is_open),
            names[row.claim.reporter_id] if row.id in is_open else people.masked_name(names[row.claim.reporter_id]),
            told[row.id],
            notes[row.id].get(row.decision),
            (now - row.claim.reported_at).days,
            why[row.id],
        )
        for row in rows
    ]


def address_of_outcomes(endpoint: str, ids: Sequence[UUID], outcomes: Iterable[Any], **of: UUID | int | None) -> str:
    """Return the address that shows what became of each of `ids`: those done, and by its code why each other was not."""
    grouped: dict[str, list[str]] = {}
    for asked, outcome in zip(ids, outcomes, strict=True):
        refused = isinstance(outcome, Refusal)
        grouped.setdefault(outcome.code if refused else "done", []).append((asked if refused else getattr(outcome, "id", asked)).hex)
    return url_for(endpoint, **of, **grouped)  # type: ignore[arg-type]


def outcomes_asked() -> tuple[list[UUID], dict[str, list[UUID]]]:
    """Return what an address of outcomes says: the ids of those done, and the others by the code of why not."""
    grouped = {code: _ids(request.args.getlist(code)) for code in request.args if code == "done" or code in PROBLEMS}
    return grouped.pop("done", []), grouped


def _ids(texts: Collection[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in list(texts)[:CHOSEN_MAX]]
    except ValueError:
        raise Invalid("id-malformed", "outcomes") from None


def proposed(source: str, person_ids: Sequence[UUID], team_ids: Sequence[UUID] = ()) -> str | Refusal:
    """Propose the deed of a form for each of these; one who is refused alone sees the form again, of several each is shown."""
    told = deed_from_form()
    deeds = [replace(told, person_id=person_id) for person_id in person_ids] + [replace(told, team_id=team_id) for team_id in team_ids]
    outcomes = claims.propose(session(), act(), services().vault, reach("propose"), source, deeds)
    if len(outcomes) == 1 and isinstance(outcomes[0], Refusal):
        return outcomes[0]
    return address_of_outcomes("leader.proposals_made", [*person_ids, *team_ids], outcomes)


def turned_down(step: str, ids: Sequence[UUID]) -> list[Moved | Refusal]:
    """Return or refuse the ticked deeds, with the reason and the note of the form."""
    turn_down = claims.return_ if step == "return" else claims.refuse
    note = forms.words("note", claims.TEXT_LENGTH_MAX, least=0, lines=True)
    return turn_down(session(), act(), services().vault, reach(step), ids, reason=forms.choice("reason", *claims.REASONS), note=note)


def outcomes_page(step: str, back: str) -> str:
    """Return the page that shows what became of the deeds that were ticked for `step`, with the way back."""
    done, refused = outcomes_asked()
    ids = [*done, *(claim_id for ids in refused.values() for claim_id in ids)]
    found = {one.row.id: one for one in listed(claims.among(session(), me().book_id, ids, reach(step)))}
    return render_template("ledger/claims/outcomes.html", claims=found, done=done, refused=refused, back=back)
