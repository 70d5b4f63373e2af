"""Changing the keys: what was sealed by the master key before is sealed by today's, and people are found under today's pepper.

It is done in sets, each in a transaction of its own, while the service serves; whoever begins again goes on where something is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger.people import queries
from ledger.people.joining import application_context
from ledger.people.model import Application
from ledger.people.model import PersonKey
from ledger.people.model import SearchHash
from ledger.people.rules import PERSONAL_FIELDS
from ledger.people.rules import search_values
from ledger.people.vault import Vault
from ledger.people.vault import key_context
from ledger.store import Base

SET = 500


@dataclass(frozen=True)
class SealedPart:
    """A column that the master key itself seals: the columns that find a row in its book, and what the row is sealed to."""

    model: type[Base]
    column: str
    key: tuple[str, ...]
    #: Of the book and the columns of `key`.
    context: Callable[..., str]
    #: The column that says which master key it was, where there is one.
    key_id_column: str | None = None

    @property
    def table(self) -> Table:
        """Return where it stands."""
        table = self.model.__table__
        assert isinstance(table, Table)
        return table

    @property
    def name(self) -> str:
        """Return what it is called where it is listed."""
        return f"{self.table.name}.{self.column}"


@dataclass(frozen=True)
class Swept:
    """What one set was: how many there were, how many not under today's key, how many that no key opens, and where the next begins."""

    seen: int
    old: int
    lost: int
    #: The key of the last row; None after the last set.
    after: tuple[Any, ...] | None


def sealed_parts() -> list[SealedPart]:
    """Return what of people is sealed by the master key itself: their own keys, and applications."""
    keys = SealedPart(PersonKey, "wrapped", ("person_id",), key_context, "master_key_id")
    return [keys, SealedPart(Application, "sealed", ("id",), application_context)]


def count_of(session: Session, book_id: UUID, part: SealedPart) -> int:
    """Return how many rows of a part the book has."""
    columns = part.table.c
    wanted = select(func.count()).select_from(part.table).where(columns.book_id == book_id, columns[part.column].is_not(None))
    return session.execute(wanted).scalar_one()


def reseal(
    session: Session, vault: Vault, book_id: UUID, part: SealedPart, after: tuple[Any, ...] | None = None, *, write: bool = True
) -> Swept:  # fmt: skip
    """Seal the next set of a part with today's master key; without `write` only look."""
    columns = part.table.c
    key, sealed = [columns[name] for name in part.key], columns[part.column]
    wanted = select(*key, sealed).where(columns.book_id == book_id, sealed.is_not(None))
    if after is not None:
        wanted = wanted.where(tuple_(*key) > after)
    rows = session.execute(wanted.order_by(*key).limit(SET)).all()
    changes: list[dict[str, Any]] = []
    lost = 0
    for *place, kept in rows:
        context = part.context(book_id, *place)
        if (sealed_by := vault.sealed_by(context, kept)) is None:
            lost += 1
        elif sealed_by != vault.master_key_id:
            again = vault.seal(context, vault.open(context, kept)) if write else kept
            at = {f"at_{name}": value for name, value in zip(part.key, place, strict=True)}
            changes.append({"in_book": book_id, "kept": kept, "again": again, **at})
    if changes and write:
        # What was sealed anew by somebody else meanwhile stays as it is.
        this = (columns.book_id == bindparam("in_book"), sealed == bindparam("kept"))
        places = [columns[name] == bindparam(f"at_{name}") for name in part.key]
        values: dict[str, Any] = {part.column: bindparam("again")}
        if part.key_id_column:
            values[part.key_id_column] = vault.master_key_id
        session.connection().execute(update(part.table).where(*this, *places).values(values), changes)
    return Swept(len(rows), len(changes), lost, tuple(rows[-1][:-1]) if len(rows) == SET else None)


def count_of_people(session: Session, book_id: UUID) -> int:
    """Return how many people of the book can be found."""
    return session.execute(select(func.count()).select_from(PersonKey).where(PersonKey.book_id == book_id)).scalar_one()


def rehash(
    session: Session, vault: Vault, book_id: UUID, after: tuple[Any, ...] | None = None, *, write: bool = True
) -> Swept:  # fmt: skip
    """Let the next set of people be found under today's pepper and no other; without `write` only look."""
    wanted = select(PersonKey.person_id).where(PersonKey.book_id == book_id)
    if after is not None:
        wanted = wanted.where(tuple_(PersonKey.person_id) > after)
    wanted = wanted.order_by(PersonKey.person_id).limit(SET)
    # Whoever corrects somebody meanwhile waits, and finds the new hashes.
    ids = session.execute(wanted.with_for_update() if write else wanted).scalars().all()
    right = {
        person_id: {(field, vault.hashed(book_id, field, value)) for field, value in search_values(fields).items()}
        for person_id, fields in queries.fields_of(session, vault, book_id, ids, PERSONAL_FIELDS).items()
        if "name" in fields
    }
    kept: dict[UUID, set[tuple[str, bytes]]] = defaultdict(set)
    there = select(SearchHash.person_id, SearchHash.field, SearchHash.hashed)
    for person_id, field, hashed in session.execute(there.where(SearchHash.book_id == book_id, SearchHash.person_id.in_(ids))):
        kept[person_id].add((field, bytes(hashed)))
    old = [person_id for person_id in right if kept[person_id] != right[person_id]]
    if old and write:
        gone = [(person_id, *one) for person_id in old for one in kept[person_id] - right[person_id]]
        new = [(person_id, *one) for person_id in old for one in right[person_id] - kept[person_id]]
        _replace(session, book_id, gone, new)
    return Swept(len(ids), len(old), 0, (ids[-1],) if len(ids) == SET else None)


def _replace(session: Session, book_id: UUID, gone: list[tuple[UUID, str, bytes]], new: list[tuple[UUID, str, bytes]]) -> None:
    if gone:
        this = tuple_(SearchHash.person_id, SearchHash.field, SearchHash.hashed)
        session.execute(delete(SearchHash).where(SearchHash.book_id == book_id, this.in_(gone)))
    if new:
        columns = ("person_id", "field", "hashed")
        session.execute(insert(SearchHash), [{"book_id": book_id, **dict(zip(columns, row, strict=True))} for row in new])
