"""Photos of deeds: sealed for whoever the deed is of, shown with it, and compared by how they look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger.act import Act
from ledger.claims.model import Photo
from ledger.claims.rules import ALIKE_WITHIN
from ledger.claims.rules import bands_of
from ledger.claims.rules import looks_alike
from ledger.claims.rules import photo_name
from ledger.errors import NotFound
from ledger.ids import new_id
from ledger.people import Vault


@dataclass(frozen=True, repr=False)
class NewPhoto:
    """A picture of a deed, drawn anew as a JPEG, and how it looks."""

    content: bytes
    #: 64 bits, as the database has them: signed.
    likeness: int


@dataclass(frozen=True)
class PhotoRow:
    """A photo of a claim, without the picture."""

    id: UUID
    claim_id: UUID
    added_at: datetime


@dataclass(frozen=True)
class Alike:
    """Another claim with a photo that looks like one of this claim, and when it was added."""

    claim_id: UUID
    added_at: datetime


def add(session: Session, act: Act, vault: Vault, photos: Sequence[tuple[UUID, UUID, NewPhoto]]) -> None:
    """Keep for each (claim, person) that photo, sealed with the person's key."""
    if not photos:
        return
    ids = [new_id() for _ in photos]
    contents = [(person_id, photo_name(id_), photo.content) for id_, (_, person_id, photo) in zip(ids, photos, strict=True)]
    sealed = people.seal_contents(session, vault, act.book_id, contents)
    rows = [
        {
            "book_id": act.book_id, "id": id_, "claim_id": claim_id, "person_id": person_id, "sealed": content,
            "likeness": photo.likeness, "added_at": act.at,
        }
        for id_, content, (claim_id, person_id, photo) in zip(ids, sealed, photos, strict=True)
    ]  # fmt: skip
    session.execute(insert(Photo), rows)


def remove(session: Session, book_id: UUID, claim_ids: Collection[UUID]) -> None:
    """Take the photos of these claims away, as where others come in their place."""
    session.execute(delete(Photo).where(Photo.book_id == book_id, Photo.claim_id.in_(claim_ids)))


def remove_of(session: Session, book_id: UUID, person_id: UUID) -> None:
    """Take every photo away that is sealed for somebody who leaves."""
    session.execute(delete(Photo).where(Photo.book_id == book_id, Photo.person_id == person_id))


def photos_of(session: Session, book_id: UUID, claim_ids: Collection[UUID]) -> dict[UUID, list[PhotoRow]]:
    """Return the photos of each claim, without the pictures, in their order."""
    found: dict[UUID, list[PhotoRow]] = {claim_id: [] for claim_id in claim_ids}
    wanted = select(Photo.id, Photo.claim_id, Photo.added_at).where(Photo.book_id == book_id, Photo.claim_id.in_(claim_ids))
    for row in session.execute(wanted.order_by(Photo.claim_id, Photo.added_at, Photo.id)):
        found[row.claim_id].append(PhotoRow(*row))
    return found


def picture(session: Session, vault: Vault, book_id: UUID, claim_id: UUID, photo_id: UUID) -> bytes:
    """Return a picture of a claim, opened; whoever asks may read the claim's words. Raise NotFound for any other."""
    found = _opened(session, vault, book_id, Photo.claim_id == claim_id, Photo.id == photo_id)
    if photo_id not in found:
        raise NotFound("photo_id")
    return found[photo_id]


def pictures_of(session: Session, vault: Vault, book_id: UUID, claim_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """Return every picture of these claims, opened, by the photo's id."""
    return _opened(session, vault, book_id, Photo.claim_id.in_(claim_ids))


def _opened(session: Session, vault: Vault, book_id: UUID, *which: ColumnElement[bool]) -> dict[UUID, bytes]:
    rows = session.execute(select(Photo.id, Photo.person_id, Photo.sealed).where(Photo.book_id == book_id, *which)).all()
    opened = people.open_contents(session, vault, book_id, [(person_id, photo_name(id_), sealed) for id_, person_id, sealed in rows])
    return {row.id: content for row, content in zip(rows, opened, strict=True) if content is not None}


def alike(session: Session, book_id: UUID, claim_ids: Collection[UUID], at: datetime) -> dict[UUID, list[Alike]]:
    """Return for each claim the others of the last months that have a photo looking like one of its own, the newest first."""
    found: dict[UUID, dict[UUID, datetime]] = {claim_id: {} for claim_id in claim_ids}
    wanted = select(Photo.claim_id, Photo.likeness, Photo.added_at).where(
        Photo.book_id == book_id, or_(Photo.added_at > at - ALIKE_WITHIN, Photo.claim_id.in_(claim_ids))
    )
    rows = session.execute(wanted).all() if claim_ids else []
    # By their bands, so that a page of claims is not compared with every photo of the book.
    by_band: dict[tuple[int, int], list[tuple[UUID, int]]] = defaultdict(list)
    for claim_id, likeness, _ in rows:
        for band in bands_of(likeness) if claim_id in found else ():
            by_band[band].append((claim_id, likeness))
    for other_id, other, added_at in rows:
        for band in bands_of(other):
            for claim_id, likeness in by_band.get(band, ()):
                if claim_id != other_id and looks_alike(likeness, other):
                    found[claim_id][other_id] = max(added_at, found[claim_id].get(other_id, added_at))
    return {
        claim_id: [Alike(*one) for one in sorted(others.items(), key=lambda one: (one[1], one[0]), reverse=True)]
        for claim_id, others in found.items()
    }
