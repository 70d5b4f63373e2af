"""Bearer tokens of machines: made for one of the book's people, narrowed by scopes, replaced in time and ended."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.act import Act
from ledger.areas import Scope
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import PowersOf
from ledger.people import Vault
from ledger.sign_in.model import Credential
from ledger.sign_in.rules import FOR_MACHINES
from ledger.sign_in.rules import FURTHER
from ledger.sign_in.rules import TOKEN_LIVES_MAX
from ledger.sign_in.rules import TOKEN_TOLD_FOR
from ledger.tokens import hash_of
from ledger.tokens import token_of


def issue_token(
    session: Session, act: Act, vault: Vault, person_id: UUID, *, scopes: Collection[str], name: str, lives: timedelta, within: Scope,
    powers_of: PowersOf = people.powers_of,
) -> Credential | Refusal:  # fmt: skip
    """Make a token for somebody in an area within `within`; whoever makes one for somebody else could use it in their name."""
    person = people.person(session, act.book_id, person_id, within)
    if refusal := _against(session, act, person.id, set(scopes), within, powers_of):
        return refusal
    return _made(session, act, vault, person.id, sorted(set(scopes)), name, lives)


def _against(session: Session, act: Act, person_id: UUID, scopes: set[str], within: Scope, powers_of: PowersOf) -> Refusal | None:
    if person_id == act.actor:
        return None
    if not scopes <= FOR_MACHINES:
        return Refusal("token-for-oneself-only", "scopes", {"scopes": ", ".join(sorted(FOR_MACHINES))})
    today = local_day(act.at, areas.book(session, act.book_id).zone)
    # It would let whoever makes it see where they may not look.
    plain = set(people.ROLES) - scopes
    if people.works_beyond(session, act.book_id, person_id, today, within, powers_of=powers_of, plain=plain):
        return Refusal("token-beyond-areas", "scopes")
    return None


def rotate_token(
    session: Session, act: Act, vault: Vault, credential_id: UUID, *, lives: timedelta, overlap: timedelta, within: Scope,
    powers_of: PowersOf = people.powers_of,
) -> Credential | Refusal:  # fmt: skip
    """Make another token like this one, which is good for `overlap` more, where one may make such a token.

    Raise NotFound where it is none, or not within `within`.
    """
    old = _alive(session, act, credential_id, within)
    scopes = set(old.scopes) if old.scopes is not None else {*people.ROLES, *FURTHER}
    if refusal := _against(session, act, old.person_id, scopes, within, powers_of):
        return refusal
    made = _made(session, act, vault, old.person_id, old.scopes or [], old.way or "", lives)
    old.expires_at = min(old.expires_at, act.at + overlap)
    return made


def end_token(session: Session, act: Act, credential_id: UUID, *, within: Scope) -> Credential:
    """End a token at once; raise NotFound where it is none, or its person is not within `within`."""
    ended = _alive(session, act, credential_id, within)
    ended.ended_at = act.at
    session.flush()
    return ended


def tokens_of(
    session: Session, book_id: UUID, at: datetime, within: Scope, *, after: UUID | None = None, limit: int = 50
) -> Sequence[Credential]:  # fmt: skip
    """Return the tokens that are good at `at`, of people in areas within `within`, in the order in which they were made."""
    wanted = _tokens(book_id, at, within)
    if after is not None:
        wanted = wanted.where(Credential.id > after)
    return session.scalars(wanted.order_by(Credential.id).limit(limit)).all()


def token_told(vault: Vault, book_number: int, book_id: UUID, credential_id: UUID, created_at: datetime, at: datetime) -> str | None:
    """Return the token itself, for as long as an answer may have been lost on its way; then nobody is told it any more."""
    if at - created_at > TOKEN_TOLD_FOR:
        return None
    return _token(vault, book_number, book_id, credential_id)


def _token(vault: Vault, book_number: int, book_id: UUID, credential_id: UUID) -> str:
    # Derived and not drawn by lot, so that no answer that is kept needs to hold it.
    return token_of(book_number, vault.hashed(book_id, "bearer", str(credential_id)))


def _made(
    session: Session, act: Act, vault: Vault, person_id: UUID, scopes: Sequence[str], name: str, lives: timedelta
) -> Credential:  # fmt: skip
    made_id, number = new_id(), areas.book(session, act.book_id).number
    made = Credential(
        book_id=act.book_id,
        token_hash=hash_of(_token(vault, number, act.book_id, made_id)),
        kind="bearer",
        person_id=person_id,
        created_at=act.at,
        expires_at=act.at + min(lives, TOKEN_LIVES_MAX),
        id=made_id,
        way=name,
        scopes=list(scopes),
    )
    session.add(made)
    session.flush()
    return made


def _alive(session: Session, act: Act, credential_id: UUID, within: Scope) -> Credential:
    wanted = _tokens(act.book_id, act.at, within).where(Credential.id == credential_id)
    if (found := session.scalars(wanted.with_for_update(of=Credential)).one_or_none()) is None:
        raise NotFound("credential_id")
    return found


def _tokens(book_id: UUID, at: datetime, within: Scope) -> Select[Credential]:
    return (
        select(Credential)
        .join(people.Person, (people.Person.book_id == Credential.book_id) & (people.Person.id == Credential.person_id))
        .where(
            Credential.book_id == book_id,
            Credential.kind == "bearer",
            Credential.id.is_not(None),
            Credential.ended_at.is_(None),
            Credential.expires_at > at,
            areas.covered(book_id, people.Person.area_code, within),
        )
    )
