"""The strong ways in: a passkey, or password and one-time code; setting them up, proving them again, and beginning anew."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.areas import Book
from ledger.areas import Scope
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import STRONG_ROLES
from ledger.people import Person
from ledger.people import PowersOf
from ledger.people import Vault
from ledger.sign_in import codes
from ledger.sign_in import passkeys
from ledger.sign_in import passwords
from ledger.sign_in.model import Credential
from ledger.sign_in.passkeys import Answered
from ledger.sign_in.rules import WITNESS_ROLES
from ledger.sign_in.sessions import is_released
from ledger.sign_in.sessions import open_session
from ledger.sign_in.sessions import sign_out_everywhere
from ledger.tokens import hash_of
from ledger.tokens import token_of

LINK_LIVES = timedelta(hours=24)

_NUMBER = re.compile(r"(?:(\d{1,5})-)?(\d{4}-?\d{4})", re.ASCII)


@dataclass(frozen=True)
class Known:
    """Somebody who told their password, and a code that is good but not used up yet."""

    person_id: UUID
    code: codes.Found


def find_person(session: Session, number: str) -> tuple[Book, Person | None] | None:
    """Return the book, and the person in it, that a typed number means: "1-12345678", or "12345678" where there is one book."""
    typed = _NUMBER.fullmatch("".join(unicodedata.normalize("NFKC", number).split()))
    if typed is None:
        return None
    if typed[1]:
        book = areas.book_numbered(session, int(typed[1]))
    else:
        books = areas.books(session)
        book = books[0] if len(books) == 1 else None
    if book is None:
        return None
    person = people.by_handle(session, book.id, typed[2].replace("-", ""))
    return book, person if person and person.status == "active" else None


def check_password(
    session: Session, vault: Vault, book_id: UUID, person_id: UUID | None, password: str, code: str, at: datetime
) -> Known | None:  # fmt: skip
    """Tell whether password and one-time or recovery code are somebody's, in the same time whatever is wrong; nothing is written."""
    found = codes.find(session, vault, book_id, person_id, code, at)
    is_right = passwords.matches(session, vault, book_id, person_id, password)
    return Known(person_id, found) if person_id and is_right and found else None


def open_by_password(
    session: Session, book: Book, known: Known, at: datetime, *, powers_of: PowersOf = people.powers_of
) -> str | Refusal:  # fmt: skip
    """Use the code up and open a session; return its token."""
    if not codes.use(session, book.id, known.person_id, known.code, at):
        return Refusal("sign-in-wrong")
    return open_session(session, book, known.person_id, "password", at, powers_of=powers_of)


def open_by_passkey(session: Session, found: Answered, at: datetime, *, powers_of: PowersOf = people.powers_of) -> str | Refusal:
    """Use a passkey's answer up and open a session; return its token."""
    person = people.persons(session, found.book.id, [found.person_id]).get(found.person_id)
    if person is None or person.status != "active" or not passkeys.use(session, found, at):
        return Refusal("sign-in-wrong")
    return open_session(session, found.book, found.person_id, "passkey", at, powers_of=powers_of)


def issue_way_in(
    session: Session, act: Act, vault: Vault, person_id: UUID, *, anew: bool, within: Scope, staff_within: Scope,
    powers_of: PowersOf = people.powers_of,
) -> UUID | Refusal:  # fmt: skip
    """Issue a one-time link for somebody and return its id (see `link_told`).

    `anew`: what they have signed in with so far is gone, and every session ended; they set up another way in. `within`: where whoever
    asks may issue one; `staff_within`: where they may also do so anew, and for those who hold roles that want a strong way in, or bear
    witness. A link for somebody with a strong role waits until another has confirmed it (see `confirm_way_in`), but the operator's.
    """
    if person_id == act.actor:
        return Refusal("way-in-for-oneself", "person_id")
    waits = False
    if act.actor != OPERATOR:
        person = people.person(session, act.book_id, person_id, staff_within if anew else within)
        today = local_day(act.at, areas.book(session, act.book_id).zone)
        held = [power for power in powers_of(session, act.book_id, person.id, today) if power.role in STRONG_ROLES | WITNESS_ROLES]
        # Whoever may give somebody a way in may use it: so nobody does where that person can do more than they.
        if not all(areas.in_scope(power.area_path, staff_within) for power in held):
            return Refusal("way-in-of-staff", "person_id")
        waits = any(power.role in STRONG_ROLES for power in held)
    if anew and not waits:
        forget_ways_in(session, act, person_id)
    link_id = new_id()
    row = {
        "book_id": act.book_id, "id": link_id, "kind": "link", "person_id": person_id, "created_at": act.at,
        "expires_at": act.at + LINK_LIVES, "token_hash": hash_of(link_token(session, vault, act.book_id, link_id)),
        "asked_by": act.actor if waits else None, "way": "anew" if waits and anew else None,
    }  # fmt: skip
    session.execute(insert(Credential).values(row))
    return link_id


def confirm_way_in(
    session: Session, act: Act, link_id: UUID, *, staff_within: Scope, powers_of: PowersOf = people.powers_of
) -> Credential | Refusal:  # fmt: skip
    """Let a link open what another administrator asked for; who confirms has to do with neither of the two, and hands the link out."""
    wanted = select(Credential).where(
        Credential.book_id == act.book_id, Credential.kind == "link", Credential.id == link_id, Credential.asked_by.is_not(None)
    )
    link = session.execute(wanted.with_for_update(key_share=True).execution_options(populate_existing=True)).scalar_one_or_none()
    if link is None:
        raise NotFound("link_id")
    people.person(session, act.book_id, link.person_id, staff_within)
    if link.confirmed_by or link.ended_at or link.expires_at <= act.at:
        return Refusal("way-in-decided-already", "link_id")
    today = local_day(act.at, areas.book(session, act.book_id).zone)
    if people.works_beyond(session, act.book_id, link.person_id, today, staff_within, powers_of=powers_of):
        return Refusal("way-in-of-staff", "link_id")
    both = {asker for asker in (link.asked_by, link.person_id) if asker}
    if act.actor in both.union(*people.tied(session, act.book_id, both).values()):
        return Refusal("way-in-takes-two", "link_id")
    if link.way == "anew":
        forget_ways_in(session, act, link.person_id, keep=link.token_hash)
    link.confirmed_by = act.actor
    session.flush()
    return link


def links_waiting(session: Session, book_id: UUID, person_id: UUID, at: datetime) -> Sequence[Credential]:
    """Return the links for somebody that wait for a second administrator."""
    alive = (Credential.ended_at.is_(None), Credential.expires_at > at, ~is_released())
    wanted = select(Credential).where(Credential.book_id == book_id, Credential.person_id == person_id, Credential.kind == "link", *alive)
    return session.execute(wanted.order_by(Credential.id)).scalars().all()


def links_to_confirm(session: Session, book_id: UUID, scope: areas.Scope, at: datetime, *, limit: int) -> Sequence[Credential]:
    """Return the links for persons of areas within `scope` that wait for a second administrator."""
    alive = (Credential.ended_at.is_(None), Credential.expires_at > at, ~is_released())
    near = select(people.Person.id).where(people.Person.book_id == book_id, areas.covered(book_id, people.Person.area_code, scope))
    wanted = select(Credential).where(Credential.book_id == book_id, Credential.kind == "link", Credential.person_id.in_(near), *alive)
    return session.execute(wanted.order_by(Credential.id).limit(limit)).scalars().all()


def link_told(session: Session, vault: Vault, book_id: UUID, link_id: UUID, to: UUID) -> str | None:
    """Return the token of a link for whoever hands it out: of one that took two, only the second."""
    wanted = select(Credential.asked_by, Credential.confirmed_by).where(Credential.book_id == book_id, Credential.id == link_id)
    asked_by, confirmed_by = session.execute(wanted).one()
    return link_token(session, vault, book_id, link_id) if asked_by is None or confirmed_by == to else None


def link_token(session: Session, vault: Vault, book_id: UUID, link_id: UUID) -> str:
    """Return the token of a link that was issued, drawn again: it is kept nowhere."""
    return token_of(areas.book(session, book_id).number, vault.hashed(book_id, "sign-in link", str(link_id)))


def forget_ways_in(session: Session, act: Act, person_id: UUID, *, keep: bytes | None = None) -> None:
    """Remove what somebody signs in with, but for the PIN of a card, and end every session, link and token but `keep`."""
    passwords.remove_password(session, act, person_id)
    codes.remove_key(session, act, person_id)
    codes.remove_recovery_codes(session, act, person_id)
    passkeys.remove_all(session, act, person_id)
    sign_out_everywhere(session, act, person_id, keep=keep)
