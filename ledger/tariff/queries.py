"""What is asked of the tariff: the categories, the rates of a day, the caps."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy import and_
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.tariff.model import Cap
from ledger.tariff.model import Category
from ledger.tariff.model import Rate
from ledger.tariff.rules import Limit


def categories(session: Session, book_id: UUID) -> Sequence[Category]:
    """Return the book's categories in the order of the screen."""
    return session.execute(select(Category).where(Category.book_id == book_id).order_by(Category.rank)).scalars().all()


def _in_force(on: date) -> ColumnElement[bool]:
    return and_(Rate.valid_from <= on, or_(Rate.valid_to.is_(None), Rate.valid_to >= on))


def rates_on(session: Session, book_id: UUID, on: date) -> Sequence[Rate]:
    """Return the rates in force on a day, by category and name."""
    wanted = (
        select(Rate)
        .join(Category, and_(Category.book_id == Rate.book_id, Category.code == Rate.category))
        .where(Rate.book_id == book_id, _in_force(on))
        .order_by(Category.rank, Rate.deed)
    )
    return session.execute(wanted).scalars().all()


def rate_for(session: Session, book_id: UUID, deed: str, on: date) -> Rate | None:
    """Return the rate of a deed in force on a day."""
    return session.execute(select(Rate).where(Rate.book_id == book_id, Rate.deed == deed, _in_force(on))).scalar_one_or_none()


def rates(session: Session, book_id: UUID) -> Sequence[Rate]:
    """Return every rate the book has or had."""
    return session.execute(select(Rate).where(Rate.book_id == book_id)).scalars().all()


def rates_of(session: Session, book_id: UUID, deeds: Collection[str]) -> Sequence[Rate]:
    """Return every rate these deeds have or had, for a set of deeds on many days."""
    return session.execute(select(Rate).where(Rate.book_id == book_id, Rate.deed.in_(deeds))).scalars().all()


def rates_by_id(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, Rate]:
    """Return those of `ids` that are rates of the book."""
    return {rate.id: rate for rate in session.execute(select(Rate).where(Rate.book_id == book_id, Rate.id.in_(ids))).scalars()}


def always_two(session: Session, book_id: UUID) -> set[str]:
    """Return the categories that take two approvers, however small."""
    return set(session.execute(select(Category.code).where(Category.book_id == book_id, Category.always_two.is_(True))).scalars())


def without_text(session: Session, book_id: UUID) -> set[str]:
    """Return the categories whose deeds are told without a text, so that nobody is named whom they concern."""
    return set(session.execute(select(Category.code).where(Category.book_id == book_id, Category.without_text.is_(True))).scalars())


def limits(session: Session, book_id: UUID) -> list[Limit]:
    """Return the book's caps as they are applied."""
    caps = session.execute(select(Cap).where(Cap.book_id == book_id)).scalars()
    return [
        Limit(cap.category, cap.deed, cap.period, cap.measure, cap.most, cap.unless_checked_in, cap.valid_from, cap.valid_to)
        for cap in caps
    ]  # fmt: skip
