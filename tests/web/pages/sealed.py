"""A book whose log is carried on, for the tests of what is shown of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from ledger import seal
from ledger.areas import Book
from ledger.clock import Clock
from ledger.seal.notes import Signer
from tests.conftest import sealers_engine

LOG_KEY = bytes(range(100, 132))


def origin_of(book: Book, host: str = "localhost:8000") -> str:
    """What the log of a book is called."""
    return f"{host}/log/{book.number}"


def carry_on(
    session: Session, book: Book, clock: Clock, folder: Path, host: str = "localhost:8000", keys: Sequence[bytes] = (LOG_KEY,),
    *, key_was_lost: bool = False,
) -> seal.Sealed:  # fmt: skip
    """Commit, seal all that waits and sign; return the newest head, whether it is new or not."""
    book_id, origin = book.id, origin_of(book, host)
    session.commit()
    bind = session.get_bind().engine
    sealers = sealers_engine(bind)
    seal.Sealer(lambda: Session(sealers), book_id, origin, keys, seal.Memory(folder), clock, key_was_lost=key_was_lost).work()
    with Session(bind) as own:
        found = seal.newest(own, book_id)
    assert found is not None
    return found


def a_witness(name: str, number: int = 1) -> Signer:
    """A witness with a key of its own."""
    return Signer(name, seal.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))
