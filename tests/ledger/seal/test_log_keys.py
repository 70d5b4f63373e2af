"""The public keys of a log are kept beside it, so that who serves it can show them and need not have the private ones."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from ledger.seal import actions
from ledger.seal import notes
from ledger.seal import queries
from ledger.seal.keeping import Memory
from tests.books import open_desk

ORIGIN = "passbook.example.org/log/1"


def signer(seed: int) -> notes.Signer:
    return notes.Signer(ORIGIN, notes.ED25519, Ed25519PrivateKey.from_private_bytes(bytes(range(seed, seed + 32))))


def test_every_key_that_signed_is_kept_once_the_first_one_first(session: Session, tmp_path: Path) -> None:
    desk, memory = open_desk(session), Memory(tmp_path)
    first, second = signer(0), signer(40)
    actions.begin(session, desk.book_id, ORIGIN, desk.clock.now())
    assert queries.log_keys(session, desk.book_id) == []
    for signers in ([first], [first], [second, first], [second]):
        desk.budget(10)
        desk.clock.advance(minutes=1)
        actions.seal(session, desk.book_id, actions.backlog(session, desk.book_id))
        sealed = actions.sign(session, desk.book_id, signers, memory, desk.clock.now())
        session.commit()
        assert sealed is not None
        assert sealed.note.signed_by(queries.log_keys(session, desk.book_id))
    assert queries.log_keys(session, desk.book_id) == [first.key, second.key]
