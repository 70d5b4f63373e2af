"""The tariff in the office: each rate with its days, the caps, and setting a new rate after seeing what it would cost."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from flask import Blueprint
from flask import g
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import funds
from ledger import reports
from ledger import tariff
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import session
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import say
from ledger.web.kit.reach import against_part_of_book
from ledger.web.kit.templating import named
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write

pages = Blueprint("tariff", __name__)

NAME_LENGTH_MAX = 100
#: The preview is of so many months.
MONTHS = 3


@dataclass(frozen=True)
class New:
    """A rate that is thought of."""

    row: tariff.RateRow
    valid_from: date


@dataclass(frozen=True)
class Preview:
    """What the deeds of the last months would have cost under a new rate, beside the one in force."""

    since: date
    deeds: int
    #: Of these nobody said how long they took.
    untimed: int
    #: What they were credited with, or will be; under the rate in force and under the new one, both before caps.
    told: int
    before: int | None
    after: int
    #: What the funds that are open have left.
    left: int

    @property
    def monthly(self) -> int:
        """Return what the new rate costs more in a month; below zero where it costs less."""
        return (self.after - (self.before or 0)) // MONTHS

    @property
    def share(self) -> int | None:
        """Return what a month of it takes of what the funds have left, in whole percent, rounded up."""
        return -(-100 * self.after // (MONTHS * self.left)) if self.left else None


@pages.get("/staff/tariff")
@allow(*reports.READERS)
def rates() -> ResponseReturnValue:
    """Show every rate with its days, past, in force and coming, and the caps."""
    found: dict[str, dict[str, list[tariff.Rate]]] = defaultdict(lambda: defaultdict(list))
    for rate in sorted(tariff.rates(session(), me().book_id), key=lambda rate: (rate.deed, rate.valid_from)):
        found[rate.category][rate.deed].append(rate)
    caps = sorted(
        (limit for limit in tariff.limits(session(), me().book_id) if limit.valid_to is None or limit.valid_to >= me().today),
        key=lambda limit: (limit.category or "", limit.deed or "", tariff.PERIODS.index(limit.period), limit.valid_from),
    )
    categories = tariff.categories(session(), me().book_id)
    return render_template(
        "ledger/tariff/rates.html", categories=categories, rates=found, caps=caps, today=me().today, sets=_sets(),
        names={category.code: category for category in categories},
        deeds={rate.deed: rate for deeds in found.values() for rates in deeds.values() for rate in rates},
    )  # fmt: skip


def _sets() -> bool:
    return me().has("administrator") and against_part_of_book() is None


@pages.get("/staff/tariff/rate")
@allow("administrator")
def rate_form() -> ResponseReturnValue:
    """Ask what a deed is to be worth from a day on and, where that is said, show what it would cost; nothing is kept of that."""
    last = _last(forms.text("deed")) if forms.text("deed") else None
    new = _thought_of() if "points" in (request.form if request.method == "POST" else request.args) else None
    return render_template(
        "ledger/tariff/rate.html",
        last=last,
        categories=[(category.code, named(category)) for category in tariff.categories(session(), me().book_id)],
        asked=request.form if request.method == "POST" else request.args,
        new=new,
        preview=_preview(new, last) if new else None,
        today=me().today,
        months=MONTHS,
    )


@pages.post("/staff/tariff/rate")
@allow("administrator", fresh=True)
@form_write(rate_form)
def set_rate() -> str | Refusal:
    """Set what a deed is worth from a day on; the rate before it ends the day before."""
    new = _read()
    outcome = against_part_of_book() or tariff.define_rate(session(), act(), new.row, valid_from=new.valid_from)
    return outcome if isinstance(outcome, Refusal) else url_for("tariff.rates", _anchor=new.row.deed)


def _last(deed: str) -> tariff.Rate:
    found = sorted(tariff.rates_of(session(), me().book_id, [deed]), key=lambda rate: rate.valid_from)
    if not found:
        raise NotFound("deed")
    return found[-1]


def _thought_of() -> New | None:
    """Return the rate that the page is asked about, or say what is wrong with it."""
    try:
        return _read()
    except Invalid as problem:
        g.problem = body_of(problem)
        say(g.problem)
        return None


def _read() -> New:
    last = _last(forms.text("deed")) if forms.text("deed") else None
    category = last.category if last else forms.choice("category", *(one.code for one in tariff.categories(session(), me().book_id)))
    name_zh, name_en = forms.words("name_zh", NAME_LENGTH_MAX), forms.words("name_en", NAME_LENGTH_MAX)
    deed = last.deed if last else tariff.deed_code(name_en)
    if not deed:
        raise Invalid("text-malformed", "name_en")
    row = tariff.RateRow(
        category, deed, name_zh, name_en, forms.choice("unit", *tariff.UNITS), forms.points("points"), forms.text("with_photo") == "yes"
    )
    return New(row, forms.day("valid_from"))


def _preview(new: New, last: tariff.Rate | None) -> Preview:
    since = reports.three_months_before(me().today)
    done = reports.done_of(session(), me().book_id, new.row.deed, since, me().today)
    open_funds = funds.open_funds(session(), me().book_id, me().today)
    return Preview(
        since=since,
        deeds=sum(one.times for one in done),
        untimed=sum(one.times for one in done if one.minutes is None),
        told=sum(one.points for one in done),
        before=reports.cost_of(done, last.unit, last.points) if last else None,
        after=reports.cost_of(done, new.row.unit, new.row.points),
        left=sum(funds.left_in(session(), me().book_id, [fund.id for fund in open_funds]).values()),
    )
