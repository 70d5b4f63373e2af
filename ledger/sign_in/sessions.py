"""One-time links, the sessions that every way in opens, and machines' bearer tokens; only their hashes are kept."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import exists
from sqlalchemy import insert
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.act import Act
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import STRONG_ROLES
from ledger.people import Power
from ledger.people import PowersOf
from ledger.sign_in.model import Credential
from ledger.sign_in.model import Device
from ledger.sign_in.model import OneTimeKey
from ledger.sign_in.model import Passkey
from ledger.sign_in.model import RecoveryCode
from ledger.sign_in.model import Secret
from ledger.sign_in.queries import factors_of
from ledger.sign_in.rules import FURTHER
from ledger.sign_in.rules import NOTED_EVERY
from ledger.sign_in.rules import STAFF
from ledger.sign_in.rules import STRONG_WAYS
from ledger.sign_in.rules import lives_of
from ledger.store import words
from ledger.tokens import book_number_of
from ledger.tokens import hash_of
from ledger.tokens import new_token
from ledger.tokens import normalised


@dataclass(frozen=True)
class SignedIn:
    """Whom a token stands for, and how they came in."""

    book_id: UUID
    person_id: UUID
    #: "session" or "bearer".
    kind: str
    #: Loaded in the same round trip.
    book: areas.Book
    id: UUID | None
    token_hash: bytes
    created_at: datetime
    way: str | None
    last_used_at: datetime | None
    proved_at: datetime | None
    acting_for: UUID | None
    device_id: UUID | None
    #: None for every role.
    scopes: frozenset[str] | None
    #: Of the paired device on which the session was opened: the hash of its own token, and the shop it stands in.
    device_hash: bytes | None
    device_unit_id: UUID | None

    def proved(self, token: str, at: datetime) -> SignedIn:
        """Return it as it is after a proof, under its new token."""
        return replace(self, token_hash=hash_of(token), last_used_at=at, proved_at=at)

    def wants_noting(self, at: datetime) -> bool:
        """Tell whether it is time to write down that it is used."""
        return self.last_used_at is None or at - self.last_used_at >= NOTED_EVERY[self.kind]


@dataclass(frozen=True)
class OnceHeld:
    """Whose a token was, where it opens nothing any more."""

    book_id: UUID
    person_id: UUID
    id: UUID | None


def held_in(way: str | None, powers: Iterable[Power], age: timedelta = timedelta(0)) -> list[Power]:
    """Return those of somebody's powers that a session of this age, opened in this way, gives.

    One that was opened for a longer life, before its person worked for the community or a shop, gives no more than others of that age.
    """
    if way == "card":
        return [power for power in powers if power.role == "volunteer"]
    if way == "shift":
        # A till stays a till: whoever walks up to it finds nobody's passbook.
        return [power for power in powers if power.role == "cashier"]
    if way in STRONG_WAYS and age <= STAFF.absolute:
        return list(powers)
    return [power for power in powers if power.role not in STRONG_ROLES | {"cashier"}]


def issue_link(session: Session, act: Act, person_id: UUID, *, lives: timedelta) -> str:
    """Return the token of a one-time link for signing in."""
    return _issue(session, act, "link", [person_id], lives)[0]


def issue_bearer(
    session: Session, act: Act, person_ids: Sequence[UUID], *, lives: timedelta, scopes: Collection[str] | None = None, name: str = ""
) -> list[str]:  # fmt: skip
    """Return a bearer token for each of the persons, in their order, good for `scopes`: roles and `FURTHER`; None for everything."""
    allowed = sorted(set(scopes) if scopes is not None else {*people.ROLES, *FURTHER})
    if unknown := set(allowed) - {*people.ROLES, *FURTHER}:
        raise Invalid("scope-unknown", "scopes", scope=min(unknown))
    return _issue(session, act, "bearer", person_ids, lives, scopes=allowed, way=name or None)


def _issue(session: Session, act: Act, kind: str, person_ids: Sequence[UUID], lives: timedelta, **more: Any) -> list[str]:
    found, book = people.persons(session, act.book_id, person_ids), areas.book(session, act.book_id)
    if len(found) < len(set(person_ids)):
        raise NotFound("person_id")
    if any(people.is_guarded(person, local_day(act.at, book.zone)) for person in found.values()):
        raise Invalid("guardian-acts", "person_id")
    number = book.number
    tokens = [new_token(number) for _ in person_ids]
    same = {"book_id": act.book_id, "kind": kind, "created_at": act.at, "expires_at": act.at + lives, **more}
    rows = [
        same | {"token_hash": hash_of(token), "person_id": person_id, "id": new_id()}
        for person_id, token in zip(person_ids, tokens, strict=True)
    ]  # fmt: skip
    if rows:
        session.execute(insert(Credential), rows)
    return tokens


def use_link(session: Session, token: str, at: datetime, *, powers_of: PowersOf = people.powers_of) -> str | Refusal:
    """Use up a one-time link and return the token of the session that it opens."""
    number = book_number_of(normalised(token))
    book = areas.book_numbered(session, number) if number is not None else None
    if book is None:
        return Refusal("link-unknown", "token")
    this = (Credential.book_id == book.id, Credential.token_hash == hash_of(token), Credential.kind == "link")
    if _has_better(session, book, this, at, powers_of):
        return Refusal("link-not-enough", "token")
    # One statement decides: of two that come at once, the second waits for the first and finds nothing left to use.
    used = session.execute(
        update(Credential)
        .where(*this, Credential.ended_at.is_(None), Credential.expires_at > at, is_released())
        .values(ended_at=at)
        .returning(Credential.person_id)
    ).scalar_one_or_none()
    if used is None:
        link = session.execute(select(Credential.ended_at).where(*this, is_released())).one_or_none()
        if link is None:
            return Refusal("link-unknown", "token")
        return Refusal("link-used" if link.ended_at else "link-expired", "token")
    return open_session(session, book, used, "link", at, powers_of=powers_of)


def is_released() -> ColumnElement[bool]:
    """Return the condition that a link does not wait for a second administrator."""
    return or_(Credential.asked_by.is_(None), Credential.confirmed_by.is_not(None))


def _has_better(
    session: Session, book: areas.Book, this: Collection[ColumnElement[bool]], at: datetime, powers_of: PowersOf
) -> bool:  # fmt: skip
    """Tell whether a link is for somebody with powers that it does not give and a way in that does: it is no way round that one."""
    person_id = session.execute(select(Credential.person_id).where(*this)).scalar_one_or_none()
    if person_id is None or not factors_of(session, book.id, person_id).is_strong:
        return False
    powers = powers_of(session, book.id, person_id, local_day(at, book.zone))
    return len(held_in("link", powers)) < len(powers)


def open_session(
    session: Session, book: areas.Book, person_id: UUID, way: str, at: datetime, *, device_id: UUID | None = None,
    powers_of: PowersOf = people.powers_of,
) -> str:  # fmt: skip
    """Open a session for somebody who came in this way, and return its token; whoever calls has checked who they are."""
    today = local_day(at, book.zone)
    if people.is_guarded(people.person(session, book.id, person_id), today):
        # What led here is undone: the way in is good again on the day it may be used.
        raise Invalid("guardian-acts", "person_id")
    roles = {power.role for power in powers_of(session, book.id, person_id, today)}
    lives, token = lives_of(way, roles), new_token(book.number)
    row = {
        "book_id": book.id,
        "token_hash": hash_of(token),
        "kind": "session",
        "person_id": person_id,
        "created_at": at,
        "expires_at": at + lives.absolute,
        "id": new_id(),
        "way": way,
        "last_used_at": at,
        "rests_max_s": int(lives.rests.total_seconds()),
        # Whoever has nothing else to prove who they are with was known to whoever gave them the link.
        "proved_at": at if way in STRONG_WAYS or (way == "link" and not _has_proof(session, book.id, person_id)) else None,
        "device_id": device_id,
    }
    session.execute(insert(Credential).values(row))
    return token


def _has_proof(session: Session, book_id: UUID, person_id: UUID) -> bool:
    pin = select(Secret.kind).where(Secret.book_id == book_id, Secret.person_id == person_id, Secret.kind == "pin")
    return factors_of(session, book_id, person_id).is_strong or session.execute(pin).one_or_none() is not None


#: What of a session or token is told of whoever shows it.
_OF_CREDENTIAL = (
    "book_id",
    "person_id",
    "kind",
    "id",
    "token_hash",
    "created_at",
    "way",
    "last_used_at",
    "proved_at",
    "acting_for",
    "device_id",
)
# Asked with every request, so it is put together once, and of columns: objects of the mapper's would each be made for it alone.
_RECOGNISE = (
    select(
        areas.Book,
        *(getattr(Credential, name) for name in _OF_CREDENTIAL),
        Credential.scopes,
        Credential.rests_max_s,
        people.Grant.role,
        people.Grant.starts_on,
        people.Grant.ends_on,
        areas.Area.path,
        people.Person.guarded_until,
        Device.ended_at.label("device_ended_at"),
        Device.token_hash.label("device_hash"),
        Device.unit_id.label("device_unit_id"),
    )
    .select_from(Credential)
    .join(areas.Book, areas.Book.id == Credential.book_id)
    .join(people.Person, and_(people.Person.book_id == Credential.book_id, people.Person.id == Credential.person_id))
    .outerjoin(
        people.Grant,
        and_(people.Grant.book_id == Credential.book_id, people.Grant.person_id == Credential.person_id, people.is_confirmed()),
    )
    .outerjoin(areas.Area, and_(areas.Area.book_id == people.Grant.book_id, areas.Area.code == people.Grant.area_code))
    .outerjoin(Device, and_(Device.book_id == Credential.book_id, Device.id == Credential.device_id))
    .where(
        areas.Book.number == bindparam("number"),
        Credential.token_hash == bindparam("token_hash"),
        Credential.kind.in_(words(("session", "bearer"))),
        Credential.ended_at.is_(None),
        Credential.expires_at > bindparam("at"),
        people.Person.status == "active",
    )
    .order_by(areas.Area.path, people.Grant.role)
)


def recognise(session: Session, token: str, at: datetime) -> tuple[SignedIn, list[Power]] | None:
    """Return whom a token stands for and the powers they hold in areas on the book's day, in one round trip."""
    if (number := book_number_of(normalised(token))) is None:
        return None
    rows = session.execute(_RECOGNISE, {"number": number, "token_hash": hash_of(token), "at": at}).all()
    if not rows:
        return None
    found = rows[0]
    book: areas.Book = found[0]
    if found.device_ended_at or _has_rested(found.rests_max_s, found.last_used_at, at):
        return None
    today = local_day(at, book.zone)
    if found.guarded_until and today <= found.guarded_until:
        return None
    powers = [
        Power(row.role, row.path) for row in rows if row.role and row.starts_on <= today and (row.ends_on is None or today <= row.ends_on)
    ]
    signed_in = SignedIn(
        book=book,
        scopes=None if found.scopes is None else frozenset(found.scopes),
        device_hash=found.device_hash,
        device_unit_id=found.device_unit_id,
        **{name: getattr(found, name) for name in _OF_CREDENTIAL},
    )
    return signed_in, powers


def _has_rested(rests_max_s: int | None, last_used_at: datetime | None, at: datetime) -> bool:
    """Tell whether a session was not used for longer than it may be."""
    return bool(rests_max_s and last_used_at and (at - last_used_at).total_seconds() > rests_max_s)


def once_held(session: Session, token: str) -> OnceHeld | None:
    """Return whose session or bearer token this is or was, or None where it never was one."""
    number = book_number_of(normalised(token))
    book = areas.book_numbered(session, number) if number is not None else None
    if book is None:
        return None
    found = session.execute(
        select(Credential.book_id, Credential.person_id, Credential.id).where(
            Credential.book_id == book.id, Credential.token_hash == hash_of(token), Credential.kind.in_(words(("session", "bearer")))
        )
    ).one_or_none()
    return OnceHeld(*found) if found else None


# Written with many a request, so it is put together once.
_NOTE_USE = (
    update(Credential.__table__)  # type: ignore[arg-type]  # a table, as every model has
    .where(
        Credential.__table__.c.book_id == bindparam("book"),
        Credential.__table__.c.token_hash.in_(bindparam("hashes", expanding=True)),
        Credential.__table__.c.ended_at.is_(None),
    )
    .values(last_used_at=bindparam("at"))
)


def note_use(session: Session, used: Sequence[SignedIn], at: datetime) -> None:
    """Write down that sessions and tokens of one book are used."""
    if used:
        told = {"book": used[0].book_id, "hashes": sorted({one.token_hash for one in used}), "at": at}
        session.connection().execute(_NOTE_USE, told)


def note_proof(session: Session, signed_in: SignedIn, at: datetime) -> str:
    """Write down that whoever holds the session has just proved who they are; return its new token: the old one is dead."""
    token = new_token(signed_in.book.number)
    _change(session, signed_in.book_id, signed_in.token_hash, last_used_at=at, proved_at=at, token_hash=hash_of(token))
    return token


def act_for(session: Session, signed_in: SignedIn, person_id: UUID | None) -> None:
    """Let a session act on somebody's behalf from now on, or on its own again; whoever calls has checked the mandate."""
    _change(session, signed_in.book_id, signed_in.token_hash, acting_for=person_id)


def _change(session: Session, book_id: UUID, of: bytes, **values: Any) -> None:
    this = (Credential.book_id == book_id, Credential.token_hash == of, Credential.ended_at.is_(None))
    session.execute(update(Credential).where(*this).values(**values))


def sign_out(session: Session, token: str, at: datetime) -> None:
    """End the session or bearer token; a copy of it is dead too."""
    number = book_number_of(normalised(token))
    book = areas.book_numbered(session, number) if number is not None else None
    if book is not None:
        _change(session, book.id, hash_of(token), ended_at=at)


def sessions_of(session: Session, book_id: UUID, person_id: UUID, at: datetime) -> Sequence[Credential]:
    """Return the sessions and tokens of a person that are alive, the last used first."""
    wanted = select(Credential).where(
        Credential.book_id == book_id,
        Credential.person_id == person_id,
        Credential.kind.in_(words(("session", "bearer"))),
        Credential.ended_at.is_(None),
        Credential.expires_at > at,
    )
    found = session.execute(wanted.order_by(Credential.last_used_at.desc(), Credential.created_at.desc())).scalars().all()
    return [one for one in found if not _has_rested(one.rests_max_s, one.last_used_at, at)]


def is_open(book_id: Any, session_id: Any, at: Any) -> ColumnElement[bool]:
    """Tell of each row of something of a book whether the session that it names is neither signed out nor over."""
    named = (Credential.book_id == book_id, Credential.id == session_id, Credential.ended_at.is_(None), Credential.expires_at > at)
    return exists().where(*named)


def end_session(session: Session, act: Act, person_id: UUID, credential_id: UUID) -> None:
    """End one session or token of a person; raise NotFound for any other."""
    this = (Credential.book_id == act.book_id, Credential.person_id == person_id, Credential.id == credential_id)
    ended = session.execute(update(Credential).where(*this, Credential.ended_at.is_(None)).values(ended_at=act.at).returning(Credential.id))
    if ended.scalar_one_or_none() is None:
        raise NotFound("credential_id")


def sign_out_everywhere(
    session: Session, act: Act, person_id: UUID, *, keep: bytes | None = None, kinds: Collection[str] = ("link", "session", "bearer")
) -> None:  # fmt: skip
    """End every link, session and bearer token of the person, but for the one with the hash `keep`."""
    ended = update(Credential).where(
        Credential.book_id == act.book_id, Credential.person_id == person_id, Credential.kind.in_(kinds), Credential.ended_at.is_(None)
    )
    if keep is not None:
        ended = ended.where(Credential.token_hash != keep)
    session.execute(ended.values(ended_at=act.at))


def end_every_way_in(session: Session, act: Act, person_id: UUID) -> None:
    """End all that somebody is signed in by, and forget all that they could sign in with: they are here no more."""
    sign_out_everywhere(session, act, person_id)
    for model in (Secret, OneTimeKey, RecoveryCode, Passkey):
        session.execute(delete(model).where(model.book_id == act.book_id, model.person_id == person_id))
