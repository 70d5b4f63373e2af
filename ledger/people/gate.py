"""Who comes in: one-time links, the sessions they open, and bearer tokens; only their hashes are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people import queries
from ledger.people.model import Credential
from ledger.tokens import book_number_of
from ledger.tokens import hash_of
from ledger.tokens import new_token
from ledger.tokens import normalised

#: How long somebody stays signed in; whether used or not.
SESSION_LIVES = timedelta(days=30)


def issue_link(session: Session, act: Act, person_id: UUID, *, lives: timedelta) -> str:
    """Return the token of a one-time link for signing in."""
    return _issue(session, act, "link", [person_id], lives)[0]


def issue_bearer(session: Session, act: Act, person_ids: Sequence[UUID], *, lives: timedelta) -> list[str]:
    """Return a bearer token for each of the persons, in their order."""
    return _issue(session, act, "bearer", person_ids, lives)


def _issue(session: Session, act: Act, kind: str, person_ids: Sequence[UUID], lives: timedelta) -> list[str]:
    if len(queries.persons(session, act.book_id, person_ids)) < len(set(person_ids)):
        raise NotFound("person_id")
    number = areas.book(session, act.book_id).number
    tokens = [new_token(number) for _ in person_ids]
    same = {"book_id": act.book_id, "kind": kind, **_dates(act.at, lives)}
    rows = [same | {"token_hash": hash_of(token), "person_id": person_id} for person_id, token in zip(person_ids, tokens, strict=True)]
    if rows:
        session.execute(insert(Credential), rows)
    return tokens


def _dates(at: datetime, lives: timedelta) -> dict[str, datetime | None]:
    return {"created_at": at, "expires_at": at + lives, "ended_at": None}


def use_link(session: Session, token: str, at: datetime, *, lives: timedelta = SESSION_LIVES) -> str | Refusal:
    """Use up a one-time link and return the token of the session that it opens."""
    number = book_number_of(normalised(token))
    book = areas.book_numbered(session, number) if number is not None else None
    if book is None:
        return Refusal("link-unknown", "token")
    this = (Credential.book_id == book.id, Credential.token_hash == hash_of(token), Credential.kind == "link")
    # One statement decides: of two that come at once, the second waits for the first and finds nothing left to use.
    used = session.execute(
        update(Credential)
        .where(*this, Credential.ended_at.is_(None), Credential.expires_at > at)
        .values(ended_at=at)
        .returning(Credential.person_id)
    ).scalar_one_or_none()
    if used is None:
        link = session.execute(select(Credential.ended_at).where(*this)).one_or_none()
        if link is None:
            return Refusal("link-unknown", "token")
        return Refusal("link-used" if link.ended_at else "link-expired", "token")
    opened = new_token(book.number)
    row = {"book_id": book.id, "kind": "session", "token_hash": hash_of(opened), "person_id": used, **_dates(at, lives)}
    session.execute(insert(Credential).values(row))
    return opened


def sign_out(session: Session, token: str, at: datetime) -> None:
    """End the session or bearer token; a copy of it is dead too."""
    number = book_number_of(normalised(token))
    book = areas.book_numbered(session, number) if number is not None else None
    if book is not None:
        this = (Credential.book_id == book.id, Credential.token_hash == hash_of(token), Credential.ended_at.is_(None))
        session.execute(update(Credential).where(*this).values(ended_at=at))


def sign_out_everywhere(session: Session, act: Act, person_id: UUID) -> None:
    """End every link, session and bearer token of the person."""
    this = (Credential.book_id == act.book_id, Credential.person_id == person_id, Credential.ended_at.is_(None))
    session.execute(update(Credential).where(*this).values(ended_at=act.at))
