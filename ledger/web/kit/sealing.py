"""What the edge tells of the seal: the receipt of one's own line or hours, the promise for a line that waits, and the keys to check by."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from ledger import areas
from ledger import journal
from ledger import seal
from ledger.areas import Book
from ledger.errors import NotFound
from ledger.journal import LineRow
from ledger.seal import Head
from ledger.seal import HoursOpening
from ledger.seal import Key
from ledger.seal import LogKey
from ledger.seal import Note
from ledger.seal import Proof
from ledger.seal import SideFacts
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.extensions import transaction_of_its_own
from ledger.web.kit.policy import quorum

#: A number that no line has.
_AFTER_ALL = 2**62


@dataclass(frozen=True)
class Proven:
    """A line of one's own passbook that is sealed."""

    line: SideFacts
    word: str
    proof: Proof
    size: int
    #: The witnesses of the book, and those of them that cosigned the head that the proof leads to.
    witnesses: tuple[str, ...]
    cosigned: tuple[str, ...]

    @property
    def quorum(self) -> int:
        """How many witnesses are enough."""
        return quorum(len(self.witnesses))


@dataclass(frozen=True)
class Promised:
    """A line of one's own passbook that waits to be sealed, and the service's word that it will be."""

    line: SideFacts
    note: Note


@dataclass(frozen=True)
class Differs:
    """A line of one's own passbook that is not what was sealed: nothing proves it, and the supervisor is to know."""

    line: SideFacts


@dataclass(frozen=True)
class ProvenHours:
    """One's own hours of service as far as they are sealed."""

    opening: HoursOpening
    proof: Proof
    size: int
    #: The witnesses of the book that cosigned the head that the proof leads to.
    cosigned: tuple[str, ...]


@dataclass(frozen=True)
class HoursDiffer:
    """One's own hours of service are not what was sealed: as of a line."""


def receipt(number: int) -> Proven | Promised | Differs:
    """Return what proves a line of the passbook of whoever asks; raise NotFound where there is no such line."""
    account = journal.account_ids(session(), me().book_id, "passbook", [me().person_id]).get(me().person_id)
    if account is None or number > _AFTER_ALL:
        raise NotFound("line")
    found = checked_receipt(account, number)
    if found.differs_at is not None:
        return Differs(found.facts)
    if found.proof is None or found.opening is None:
        signer = seal.promiser(services().settings.secret_key, _promiser_name())
        return Promised(found.facts, seal.promise(signer, origin_of(me().book), found.facts))
    keys, cosigned = _watching(found.proof)
    return Proven(found.facts, found.opening.word, found.proof, _size(found.proof), _names(keys), _names(cosigned))


def check_words_of(account: UUID | None, lines: Sequence[LineRow]) -> Mapping[int, str]:
    """Return the check words of those of these lines of an account that are sealed, by their numbers."""
    numbers = [line.number for line in lines]
    return seal.check_words(session(), me().book_id, account, min(numbers), max(numbers)) if account and numbers else {}


def checked_receipt(account: UUID, number: int) -> seal.Receipt:
    """Return what proves a line of an account of the book; where it is not what was sealed, that is kept as an alarm."""
    found = seal.receipt(session(), me().book_id, account, number)
    if found.differs_at is not None:
        _keep_alarm(*found.differs_at)
    return found


def hours_receipt(number: int | None = None) -> ProvenHours | HoursDiffer | None:
    """Return what proves the first `number` records of the hours of whoever asks, or all that are sealed; none where so many are not.

    Where they are not what was sealed, that is kept as an alarm.
    """
    account = journal.account_ids(session(), me().book_id, "passbook", [me().person_id]).get(me().person_id)
    found = seal.hours_receipt(session(), me().book_id, account, number) if account else None
    if found is not None and found.differs_at is not None:
        _keep_alarm(*found.differs_at)
        return HoursDiffer()
    if found is None or found.proof is None:
        return None
    _, cosigned = _watching(found.proof)
    return ProvenHours(found.opening, found.proof, _size(found.proof), _names(cosigned))


def _keep_alarm(leaf: int, head: Head) -> None:
    with transaction_of_its_own() as own:
        seal.alarm(own, me().book_id, "line-differs", head.origin, head, leaf + 1, services().clock.now())


def _watching(proof: Proof) -> tuple[list[Key], list[Key]]:
    """Return the witnesses of the book, and those of them that cosigned the head that a proof leads to."""
    keys = [seal.key_of(one.key) for one in seal.witnesses(session(), me().book_id)]
    return keys, [key for key in keys if any(signature.is_by(key) for signature in proof.checkpoint.signatures)]


def _size(proof: Proof) -> int:
    return seal.head_of(proof.checkpoint.body).size


def origin_of(book: Book) -> str:
    """Return what the log of a book is called, or will be where it has not begun."""
    return seal.origin_of(session(), book.id) or seal.origin_at(services().settings.public_url, book.number)


def promise_keys() -> list[Key]:
    """Return the public keys that promises are signed with: today's, and the one before it while it is being changed."""
    return [seal.promiser(secret, _promiser_name()).key for secret in services().settings.secret_keys]


@dataclass(frozen=True)
class Known:
    """A book's log, and by whose keys its proofs are checked."""

    book: Book
    origin: str
    keys: tuple[LogKey, ...]
    witnesses: tuple[Key, ...]

    @property
    def quorum(self) -> int:
        """How many witnesses are enough."""
        return quorum(len(self.witnesses))


def known() -> list[Known]:
    """Return the log of each book that has one."""
    found = []
    for book in areas.books(session()):
        if keys := seal.log_keys(session(), book.id):
            watching = [seal.key_of(one.key) for one in seal.witnesses(session(), book.id)]
            found.append(Known(book, origin_of(book), tuple(keys), tuple(watching)))
    return found


def _names(keys: Iterable[Key]) -> tuple[str, ...]:
    return tuple(key.name for key in keys)


def _promiser_name() -> str:
    public = urlsplit(services().settings.public_url)
    return f"{public.netloc}{public.path}/promise"
