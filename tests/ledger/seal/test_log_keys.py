"""The public keys of a log are kept beside it, each with the word of the one before it and with the heads that it is good for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert
from sqlalchemy.orm import Session

from ledger import seal
from ledger.errors import Fault
from ledger.seal import actions
from ledger.seal import notes
from ledger.seal import queries
from ledger.seal.keeping import Memory
from ledger.seal.model import Checkpoint
from ledger.seal.model import LogKey
from tests.books import Desk
from tests.books import open_desk

ORIGIN = "passbook.example.org/log/1"


def signer(seed: int, name: str = ORIGIN) -> notes.Signer:
    return notes.Signer(name, notes.ED25519, Ed25519PrivateKey.from_private_bytes(bytes(range(seed, seed + 32))))


FIRST, SECOND, THIRD = signer(0), signer(40), signer(80)


@pytest.fixture
def desk(session: Session) -> Desk:
    desk = open_desk(session)
    actions.begin(session, desk.book_id, ORIGIN, desk.clock.now())
    return desk


def carry_on(desk: Desk, memory: Memory, *signers: notes.Signer, key_was_lost: bool = False) -> queries.Sealed:
    """Post an entry, seal it and sign with these, today's key first."""
    desk.budget(10)
    desk.clock.advance(minutes=1)
    actions.seal(desk.session, desk.book_id, actions.backlog(desk.session, desk.book_id))
    sealed = actions.sign(desk.session, desk.book_id, signers, memory, desk.clock.now(), key_was_lost=key_was_lost)
    desk.session.commit()
    assert sealed is not None
    return sealed


def test_every_key_that_signed_is_kept_once_with_the_heads_that_it_is_good_for(desk: Desk, tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    assert queries.log_keys(desk.session, desk.book_id) == []
    for signers in ([FIRST], [FIRST], [SECOND, FIRST], [SECOND], [THIRD, SECOND]):
        sealed = carry_on(desk, memory, *signers)
        keys = queries.log_keys(desk.session, desk.book_id)
        assert sealed.note.signed_by(notes.signing(keys, sealed.head.size)) == [signers[0].key]
    assert [(one.key, one.after, one.until, one.is_vouched) for one in keys] == [
        (FIRST.key, 0, 2, True),
        (SECOND.key, 2, 4, True),
        (THIRD.key, 4, None, True),
    ]
    assert keys[1].note is not None
    assert keys[1].note.body == f"passbook-log-key/v1\n{SECOND.key}\n2\n"
    assert seal.verify(desk.session, desk.book_id, desk.clock.now()) == []


def test_where_both_keys_are_given_from_the_beginning_both_are_known(desk: Desk, tmp_path: Path) -> None:
    carry_on(desk, Memory(tmp_path), SECOND, FIRST)
    keys = queries.log_keys(desk.session, desk.book_id)
    assert [(one.key, one.after, one.until) for one in keys] == [(FIRST.key, 0, 0), (SECOND.key, 0, None)]
    assert seal.verify(desk.session, desk.book_id, desk.clock.now()) == []


@pytest.mark.parametrize("signers", [[THIRD], [FIRST], [THIRD, FIRST]], ids=["a new one", "one that was changed", "both"])
def test_nothing_is_signed_with_a_key_that_the_one_before_it_does_not_vouch_for(
    desk: Desk, tmp_path: Path, signers: Sequence[notes.Signer]
) -> None:
    memory = Memory(tmp_path)
    carry_on(desk, memory, FIRST)
    before = carry_on(desk, memory, SECOND, FIRST)
    with pytest.raises(actions.StrangeKeyError, match="PASSBOOK_LOG_KEY_OLD"):
        carry_on(desk, memory, *signers)
    desk.session.rollback()
    assert queries.newest(desk.session, desk.book_id) == before
    assert memory.head(ORIGIN) == before.head
    assert len(queries.log_keys(desk.session, desk.book_id)) == 2


def test_where_a_key_was_lost_the_log_goes_on_and_verify_says_so_for_good(desk: Desk, tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    carry_on(desk, memory, FIRST)
    carry_on(desk, memory, SECOND, key_was_lost=True)
    carry_on(desk, memory, THIRD, SECOND)
    carry_on(desk, memory, THIRD)
    keys = queries.log_keys(desk.session, desk.book_id)
    assert [one.is_vouched for one in keys] == [True, False, False]
    assert notes.signing(keys, 4) == [FIRST.key]
    assert seal.verify(desk.session, desk.book_id, desk.clock.now()) == [
        Fault(f"key {one.key.id.hex()}", "signs the log, and no key before it vouches for that") for one in (SECOND, THIRD)
    ]


CHANGE = str(notes.Change(THIRD.key, 1))


@pytest.mark.parametrize("note", [str(notes.Note(CHANGE, (THIRD.sign(CHANGE),))), "nothing", None], ids=["its own word", "no note", "none"])
def test_a_key_that_somebody_puts_into_the_book_counts_for_nothing_and_is_a_fault(desk: Desk, tmp_path: Path, note: str | None) -> None:
    memory = Memory(tmp_path)
    carry_on(desk, memory, FIRST)
    row = {"book_id": desk.book_id, "key": str(THIRD.key), "since": desk.clock.now(), "after": 1, "note": note}
    desk.session.execute(insert(LogKey).values(row))
    desk.session.commit()
    sealed = carry_on(desk, memory, FIRST)
    assert notes.signing(queries.log_keys(desk.session, desk.book_id), sealed.head.size) == [FIRST.key]
    (fault,) = seal.verify(desk.session, desk.book_id, desk.clock.now())
    assert fault.place == f"key {THIRD.key.id.hex()}"


def test_a_head_of_a_key_that_was_changed_before_it_is_a_fault(desk: Desk, tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    carry_on(desk, memory, FIRST)
    carry_on(desk, memory, SECOND, FIRST)
    desk.budget(10)
    actions.seal(desk.session, desk.book_id, actions.backlog(desk.session, desk.book_id))
    root = queries.tree(desk.session, desk.book_id, 3).root()
    body = str(notes.Head(ORIGIN, 3, root))
    old = str(notes.Note(body, (FIRST.sign(body),)))
    desk.session.execute(insert(Checkpoint).values(book_id=desk.book_id, size=3, root=root, note=old, signed_at=desk.clock.now()))
    assert seal.verify(desk.session, desk.book_id, desk.clock.now()) == [
        Fault("checkpoint 3", "was published with other words, or is not signed by the log")
    ]  # fmt: skip


def told(by: notes.Signer, key: notes.Key, after: int, body: str = "") -> notes.LogKey:
    """A key as it is told, with a note that `by` signed."""
    body = body or str(notes.Change(key, after))
    return notes.LogKey(key, after, note=notes.Note(body, (by.sign(body),)))


def test_keys_are_followed_from_those_that_are_known() -> None:
    root, second, third = notes.LogKey(FIRST.key), told(FIRST, SECOND.key, 7), told(SECOND, THIRD.key, 9)
    keys = notes.followed([root], [second, third])
    assert [(one.after, one.until, one.is_vouched) for one in keys] == [(0, 7, True), (7, 9, True), (9, None, True)]
    assert [notes.signing(keys, size) for size in (0, 7, 8, 9, 10)] == [
        *([FIRST.key], [FIRST.key], [SECOND.key], [SECOND.key], [THIRD.key]),
    ]  # fmt: skip
    assert notes.followed((), [root, second, third]) == keys


@pytest.mark.parametrize(
    "wrong",
    [
        told(THIRD, THIRD.key, 9),
        told(FIRST, THIRD.key, 9),
        told(SECOND, THIRD.key, 6),
        told(SECOND, THIRD.key, 9, str(notes.Change(THIRD.key, 8))),
        told(SECOND, THIRD.key, 9, str(notes.Change(FIRST.key, 9))),
        told(SECOND, THIRD.key, 9, str(notes.Head(ORIGIN, 9, bytes(32)))),
        notes.LogKey(THIRD.key, 9),
    ],
    ids=["by itself", "by one that was changed", "before the one before", "of another size", "of another key", "a head", "by nobody"],
)
def test_a_key_that_nobody_vouches_for_ends_no_other(wrong: notes.LogKey) -> None:
    known = notes.followed([notes.LogKey(FIRST.key)], [told(FIRST, SECOND.key, 7)])
    *before, last = notes.followed(known, [wrong])
    assert before == known
    assert not last.is_vouched
    assert THIRD.key not in notes.signing([*before, last], 10)


def test_the_text_that_changes_a_key_is_written_in_one_way() -> None:
    change = notes.Change(SECOND.key, 12)
    assert notes.change_of(str(change)) == change
    for wrong in (str(change)[:-1], str(change) + "\n", str(change).replace("12", "012"), str(change).replace("v1", "v2"), "x\n", ""):
        with pytest.raises(notes.NoteError):
            notes.change_of(wrong)
