"""A log for tests at the edge: what waits is sealed and signed in one go, and a witness cosigns where one is given."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.areas import Book
from ledger.seal import actions
from ledger.seal import notes
from ledger.seal import queries
from ledger.seal.keeping import Memory
from tests.conftest import sealers_engine

WITNESS = notes.Signer("witness.example.org", notes.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96))))


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow over some bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def origin_of(book: Book) -> str:
    """What the log of a book is called."""
    return f"localhost/log/{book.number}"


def signer_of(book: Book) -> notes.Signer:
    """Who signs the log of a book."""
    return signer_named(origin_of(book))


def signer_named(origin: str) -> notes.Signer:
    """Who signs the log that is called so."""
    return notes.Signer(origin, notes.ED25519, Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64))))


def dropped(owner: Engine, table: str) -> None:
    """Do what only the tables' owner can: take the guard of a table away."""
    with owner.begin() as connection:
        if owner.dialect.name == "postgresql":
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        else:
            for name in (
                connection.exec_driver_sql(f"SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='{table}'").scalars().all()
            ):
                connection.exec_driver_sql(f"DROP TRIGGER {name}")


def rewrite(owner: Engine, book_id: UUID, change: str) -> None:
    """Change what stands in a book as only the tables' owner can: the statement begins with UPDATE and says `:book`."""
    dropped(owner, change.split()[1])
    with owner.begin() as connection:
        connection.execute(text(change), {"book": book_id if owner.dialect.name == "postgresql" else book_id.hex})


def watched(session: Session, book: Book, at: datetime, witness: notes.Signer = WITNESS) -> None:
    """Let a witness watch the log of a book, and commit."""
    book_id, origin = book.id, origin_of(book)
    with _sealing(session) as own:
        actions.begin(own, book_id, origin, at)
    actions.add_witness(session, book_id, witness.key, at, address="https://witness.example.org")
    session.commit()


def sealed(session: Session, book: Book, at: datetime, *witnesses: notes.Signer) -> queries.Sealed:
    """Commit, seal all that waits, sign the head, and let witnesses cosign it."""
    book_id, signer = book.id, signer_of(book)
    with tempfile.TemporaryDirectory() as folder, _sealing(session) as own:
        actions.begin(own, book_id, signer.name, at)
        for piece in actions.pieces(actions.backlog(own, book_id)):
            actions.seal(own, book_id, piece)
        found = actions.sign(own, book_id, [signer], Memory(Path(folder)), at)
    assert found is not None
    for witness in witnesses:
        signature = witness.sign(found.note.body, int(at.timestamp()))
        assert actions.hear(session, book_id, found.head.size, signature, at)
    session.flush()
    return found


@contextmanager
def _sealing(session: Session) -> Iterator[Session]:
    """What the service's session did is committed first: the sealer has a session of its own.

    Nothing is asked of the service's meanwhile: on SQLite each would wait for the other.
    """
    session.commit()
    with Session(sealers_engine(session.get_bind().engine)) as own, own.begin():
        yield own
