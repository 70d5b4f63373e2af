"""Setting the tariff: categories, rates and caps are rows with dates; an old price stays for the deeds of its days."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.points import POINTS_MAX
from ledger.points import is_amount
from ledger.tariff import queries
from ledger.tariff.model import Cap
from ledger.tariff.model import Category
from ledger.tariff.model import Rate
from ledger.tariff.rules import CATEGORIES
from ledger.tariff.rules import MEASURES
from ledger.tariff.rules import PERIODS
from ledger.tariff.rules import UNITS
from ledger.tariff.rules import UNSEEN_DEEDS_MAX
from ledger.tariff.rules import UNSEEN_MINUTES_MAX
from ledger.tariff.rules import RateRow
from ledger.tariff.rules import RowFault
from ledger.tariff.rules import read_rows


@dataclass(frozen=True)
class TariffReport:
    """What an import of a tariff did; where it found faults it wrote nothing."""

    added: int
    changed: int
    unchanged: int
    faults: tuple[RowFault, ...] = ()


def define_categories(session: Session, act: Act) -> None:
    """Give the book the eight categories, those it has already stay as they are; with the first ones come the caps on what nobody saw."""
    there = {category.code for category in queries.categories(session, act.book_id)}
    rows = [
        {"book_id": act.book_id, "code": code, "name_zh": zh, "name_en": en, "rank": rank, "always_two": always_two, "without_text": silent}
        for rank, (code, zh, en, always_two, silent) in enumerate(CATEGORIES)
        if code not in there
    ]
    if rows:
        session.execute(insert(Category), rows)
    if not there:
        for measure, most in (("minutes", UNSEEN_MINUTES_MAX), ("deeds", UNSEEN_DEEDS_MAX)):
            define_cap(session, act, period="activity", measure=measure, most=most, valid_from=date.min, unless_checked_in=True)


def import_tariff(session: Session, act: Act, rows: Iterable[Mapping[str, str]], *, valid_from: date) -> TariffReport:
    """Take in a tariff's table, in force from `valid_from`, all of it or nothing; what is in force already and the same is left alone."""
    read, faults = read_rows(rows)
    if faults:
        return TariffReport(0, 0, 0, tuple(faults))
    define_categories(session, act)
    in_force = {rate.deed: rate for rate in queries.rates_on(session, act.book_id, valid_from)}
    same = [row for row in read if row.deed in in_force and _is_same(row, in_force[row.deed])]
    for row in read:
        if row not in same:
            outcome = define_rate(session, act, row, valid_from=valid_from)
            if isinstance(outcome, Refusal):
                raise Invalid(outcome.code, outcome.field, **outcome.data)
    changed = sum(row.deed in in_force for row in read) - len(same)
    return TariffReport(len(read) - len(same) - changed, changed, len(same))


def _is_same(row: RateRow, rate: Rate) -> bool:
    return row == (rate.category, rate.deed, rate.name_zh, rate.name_en, rate.unit, rate.points, rate.with_photo)


def define_rate(session: Session, act: Act, new: RateRow, *, valid_from: date) -> Rate | Refusal:
    """Set what a deed is worth from a day on; the rate before it ends the day before. Only the operator sets one for days that are past."""
    if not is_amount(new.points):
        raise Invalid("amount-malformed", "points")
    if new.unit not in UNITS:
        raise Invalid("choice-malformed", "unit")
    if new.category not in _locked_categories(session, act.book_id):
        raise Invalid("choice-malformed", "category")
    if refused := _in_the_past(session, act, valid_from):
        return refused
    this = (Rate.book_id == act.book_id, Rate.deed == new.deed)
    last = session.execute(select(Rate).where(*this).order_by(Rate.valid_from.desc()).limit(1)).scalar_one_or_none()
    if last is not None and last.valid_from >= valid_from:
        return Refusal("rate-not-after-the-last", "valid_from", {"deed": new.deed, "last": last.valid_from.isoformat()})
    if last is not None and (last.valid_to is None or last.valid_to >= valid_from):
        session.execute(update(Rate).where(*this, Rate.id == last.id).values(valid_to=valid_from - timedelta(days=1)))
    rate = Rate(book_id=act.book_id, id=new_id(), valid_from=valid_from, valid_to=None, **new._asdict())
    session.add(rate)
    session.flush()
    return rate


def _in_the_past(session: Session, act: Act, valid_from: date) -> Refusal | None:
    # What was done on days that are past is paid by the tariff of those days; an operator takes over old books.
    if act.actor == OPERATOR or valid_from >= (today := local_day(act.at, areas.book(session, act.book_id).zone)):
        return None
    return Refusal("rate-in-the-past", "valid_from", {"today": today.isoformat()})


def _locked_categories(session: Session, book_id: UUID) -> set[str]:
    # They stand for the whole tariff: two prices or two caps set at once follow each other.
    wanted = select(Category.code).where(Category.book_id == book_id).order_by(Category.code)
    return set(session.execute(wanted.with_for_update(key_share=True)).scalars())


def define_cap(
    session: Session,
    act: Act,
    *,
    period: str,
    measure: str,
    most: int,
    valid_from: date,
    category: str | None = None,
    deed: str | None = None,
    unless_checked_in: bool = False,
) -> Cap | Refusal:
    """Set the most that a person (or a team) can earn in a period from a day on; the same cap before it ends the day before."""
    if period not in PERIODS or measure not in MEASURES:
        raise Invalid("choice-malformed", "period" if period not in PERIODS else "measure")
    if type(most) is not int or not 0 <= most <= POINTS_MAX:
        raise Invalid("number-out-of-range", "most", least=0, most=POINTS_MAX)
    if category not in {None} | _locked_categories(session, act.book_id):
        raise Invalid("choice-malformed", "category")
    if deed is not None and not queries.rates_of(session, act.book_id, [deed]):
        raise Invalid("choice-malformed", "deed")
    if refused := _in_the_past(session, act, valid_from):
        return refused
    same = {"category": category, "deed": deed, "period": period, "measure": measure, "unless_checked_in": unless_checked_in}
    this = (Cap.book_id == act.book_id, *(getattr(Cap, column) == value for column, value in same.items()))
    last = session.execute(select(Cap).where(*this).order_by(Cap.valid_from.desc()).limit(1)).scalar_one_or_none()
    if last is not None and last.valid_from >= valid_from:
        return Refusal("cap-not-after-the-last", "valid_from", {"last": last.valid_from.isoformat()})
    if last is not None:
        last.valid_to = valid_from - timedelta(days=1)
    cap = Cap(book_id=act.book_id, id=new_id(), most=most, valid_from=valid_from, valid_to=None, **same)
    session.add(cap)
    session.flush()
    return cap
