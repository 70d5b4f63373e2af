"""Asking to be enrolled, by the API or a page: in which book, so many from one address, and never a word of who is enrolled."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from ledger import areas
from ledger import people
from ledger.areas import Book
from ledger.areas import Scope
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit import trying
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session


def book_of(number: int | None) -> Book:
    """Return the book with that number, or the only one there is."""
    books = areas.books(session())
    if number is None and len(books) != 1:
        raise Invalid("field-required", "book_number")
    found = next((book for book in books if number in (None, book.number)), None)
    if found is None:
        raise NotFound("book_number")
    return found


def received(book: Book, new: people.NewPerson, key: str) -> Refusal | None:
    """Keep an application and commit it; refused where too many come from one address."""
    book_id, address, now = book.id, trying.network(), services().clock.now()
    # Each address counts for itself: whoever asks too often keeps nobody else from asking.
    reserved = trying.reserve_known(book_id, f"application {address}", address)
    if isinstance(reserved, Refusal):
        return reserved
    people.apply_to_join(session(), services().vault, book_id, new, now, key=f"{address} {key}")
    session().commit()
    return None


def alike(applied: Iterable[people.Applied], scope: Scope) -> dict[UUID, set[UUID]]:
    """Return for each application who of one's areas is enrolled with the same phone, or name and address."""
    found = people.enrolled_alike(session(), services().vault, me().book_id, applied)
    near = people.within(session(), me().book_id, {person_id for ids in found.values() for person_id in ids}, scope)
    return {application_id: ids & near for application_id, ids in found.items()}
