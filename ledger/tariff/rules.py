"""The arithmetic of the tariff: what a deed is worth, what the caps leave of it, and the reading of a tariff's table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ledger.errors import Refusal
from ledger.points import POINTS_MAX
from ledger.points import for_minutes

UNITS = ("hour", "deed", "activity")
PERIODS = ("day", "month", "year", "activity")
MEASURES = ("points", "minutes", "deeds")
COLUMNS = ("category", "deed", "deed_zh", "unit", "points")
#: What a table may have besides: whether the deed is reported with a photo.
PHOTO_COLUMN, PHOTO_WORDS = "photo", {"": False, "no": False, "否": False, "yes": True, "是": True}

#: Code, name in both languages, whether it always takes two approvers, and whether it is told without a text, so that nobody is named
#: whom it concerns: the seven of the Dingshan model, and patrol.
CATEGORIES = (
    ("study_education", "学习教育", "Study and education", False, False),
    ("cultural_propaganda", "文化宣传", "Culture and publicity", False, False),
    ("environmental_maintenance", "环境维护", "Environment", False, False),
    ("dispute_mediation", "矛盾调解", "Mediation", False, True),
    ("hardship_assistance", "困难帮扶", "Helping in hardship", False, False),
    ("public_welfare_service", "公益服务", "Public welfare", False, False),
    ("outstanding_contribution", "突出贡献", "Outstanding contribution", True, False),
    ("patrol", "治安巡逻", "Patrol", False, False),
)
#: The caps that a book begins with: of what was not checked out, at most this many minutes of one activity count, and one deed at most
#: so many times a day.
UNSEEN_MINUTES_MAX = 120
UNSEEN_DEEDS_MAX = 5


class RateRow(NamedTuple):
    """One row of a tariff's table."""

    category: str
    deed: str
    name_zh: str
    name_en: str
    unit: str
    points: int
    #: Whoever reports it themselves shows a photo of it.
    with_photo: bool = False


class RowFault(NamedTuple):
    """What is wrong with a row, by line and column."""

    line: int
    column: str
    value: str


def read_rows(rows: Iterable[Mapping[str, str]]) -> tuple[list[RateRow], list[RowFault]]:
    """Return the rates of a table with the columns `COLUMNS`, perhaps `PHOTO_COLUMN`, and what cannot be taken; the first row is line 2."""
    known = {code for code, *_ in CATEGORIES}
    read: list[RateRow] = []
    faults: list[RowFault] = []
    for line, row in enumerate(rows, start=2):
        texts = {column: (row.get(column) or "").strip() for column in (*COLUMNS, PHOTO_COLUMN)}
        points = int(texts["points"]) if re.fullmatch(r"[0-9]{1,12}", texts["points"]) else 0
        bad = {
            "category": texts["category"] not in known,
            "deed": not deed_code(texts["deed"]) or deed_code(texts["deed"]) in {rate.deed for rate in read},
            "deed_zh": not texts["deed_zh"],
            "unit": texts["unit"] not in UNITS,
            "points": not 1 <= points <= POINTS_MAX,
            PHOTO_COLUMN: texts[PHOTO_COLUMN].lower() not in PHOTO_WORDS,
        }
        faults += [RowFault(line, column, texts[column]) for column in bad if bad[column]]
        if not any(bad.values()):
            code, with_photo = deed_code(texts["deed"]), PHOTO_WORDS[texts[PHOTO_COLUMN].lower()]
            read.append(RateRow(texts["category"], code, texts["deed_zh"], texts["deed"], texts["unit"], points, with_photo))
    return read, faults


def deed_code(text: str) -> str:
    """Return the code of a deed: its English name in small letters, joined by underscores."""
    return "_".join(re.findall(r"[a-z0-9]+", text.lower()))[:64]


def points_for(unit: str, points: int, minutes: int | None) -> int:
    """Return what a deed earns at a rate: by the hour rounded down, by the deed or activity as it stands."""
    return for_minutes(points, minutes or 0) if unit == "hour" else points


@dataclass(frozen=True)
class Done:
    """A deed as the caps count it."""

    category: str
    deed: str
    on: date
    points: int
    minutes: int
    activity: object
    checked_in: bool


@dataclass(frozen=True)
class Limit:
    """A cap as it is applied."""

    category: str | None
    deed: str | None
    period: str
    measure: str
    most: int
    unless_checked_in: bool
    valid_from: date
    valid_to: date | None


def within_caps(new: Done, unit: str, rate_points: int, before: Sequence[Done], limits: Sequence[Limit]) -> Done | Refusal:
    """Return what the caps leave of `new`, given what was done `before`; a Refusal naming the cap where they leave nothing."""
    minutes, points = new.minutes, new.points
    for limit in sorted(limits, key=lambda limit: MEASURES.index(limit.measure) != MEASURES.index("minutes")):
        if not _applies(limit, new):
            continue
        left = max(0, limit.most - sum(_measured(limit.measure, done) for done in before if _counts(limit, done, new)))
        if limit.measure == "deeds" and left < 1:
            points = 0
        # Time is limited where it is paid for.
        elif limit.measure == "minutes" and unit == "hour" and minutes > left:
            minutes = left
            points = min(points, points_for(unit, rate_points, minutes))
        elif limit.measure == "points":
            points = min(points, left)
        if points < 1:
            return Refusal("cap-reached", "deed", {"period": limit.period, "measure": limit.measure, "most": limit.most})
    return Done(new.category, new.deed, new.on, points, minutes, new.activity, new.checked_in)


def _applies(limit: Limit, new: Done) -> bool:
    is_valid = limit.valid_from <= new.on and (limit.valid_to is None or new.on <= limit.valid_to)
    return is_valid and _concerns(limit, new) and not (limit.unless_checked_in and new.checked_in)


def _concerns(limit: Limit, done: Done) -> bool:
    return limit.category in {None, done.category} and limit.deed in {None, done.deed}


def _counts(limit: Limit, done: Done, new: Done) -> bool:
    if not _concerns(limit, done) or (limit.unless_checked_in and done.checked_in):
        return False
    match limit.period:
        case "day":
            return done.on == new.on
        case "month":
            return (done.on.year, done.on.month) == (new.on.year, new.on.month)
        case "year":
            return done.on.year == new.on.year
    # Where no activity is named, the same deed on the same day is taken for one.
    return done.activity == new.activity and (new.activity is not None or (done.deed, done.on) == (new.deed, new.on))


def _measured(measure: str, done: Done) -> int:
    return {"points": done.points, "minutes": done.minutes, "deeds": 1}[measure]
