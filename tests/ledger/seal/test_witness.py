"""A witness cosigns what carries on from what it saw, answers as tlog-witness asks for, and refuses a history that was rewritten."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.seal import asking
from ledger.seal import notes
from ledger.seal.keeping import Memory
from ledger.seal.merkle import EMPTY_ROOT
from ledger.seal.merkle import Tree
from ledger.seal.merkle import fold
from ledger.seal.merkle import leaf_hash
from ledger.seal.witness import Answer
from ledger.seal.witness import Witness
from tests.conftest import ROOT
from tests.conftest import HandClock

PROGRAM = ROOT / "scripts" / "witness.py"
ORIGIN = "passbook.example.org/log/1"
LOG = notes.Signer(ORIGIN, notes.ED25519, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = notes.Signer(ORIGIN, notes.ED25519, Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
OWN = notes.Signer("witness.example.org", notes.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34))))


def history(size: int, *, changed: int | None = None) -> Tree:
    """A log of so many leaves; one of them changed, if told so."""
    hashes = [leaf_hash(b"changed" if number == changed else b"%d" % number) for number in range(size)]

    def tiles(level: int, number: int, width: int) -> bytes:
        row = hashes
        for _ in range(level):
            row = [fold(row[at : at + 256]) for at in range(0, len(row) // 256 * 256, 256)]
        return b"".join(row[number * 256 : number * 256 + width])

    return Tree(size, tiles)


def head_of(tree: Tree, signer: notes.Signer = LOG, origin: str = ORIGIN) -> notes.Note:
    body = str(notes.Head(origin, tree.size, tree.root()))
    return notes.Note(body, (signer.sign(body),))


@pytest.fixture
def witness(tmp_path: Path, clock: HandClock) -> Witness:
    return Witness(OWN, [LOG.key], Memory(tmp_path), clock)


def show(witness: Witness, tree: Tree, old: int, note: notes.Note | None = None) -> Answer:
    proof = tree.consistency(old) if old < tree.size else []
    return witness.add_checkpoint(asking.request(old, proof, note or head_of(tree)))


def test_a_log_that_only_grows_is_cosigned_again_and_again(witness: Witness, clock: HandClock) -> None:
    old = 0
    for size in (0, 1, 2, 3, 255, 256, 300, 300, 700):
        tree = history(size)
        answer = show(witness, tree, old)
        assert answer.status == 200
        (line,) = answer.text.splitlines()
        signature = notes.signature_of(line)
        assert OWN.key.holds(signature.value, head_of(tree).body)
        assert int.from_bytes(signature.value[:8]) == int(clock.now().timestamp())
        old = size


def test_a_history_that_was_rewritten_is_refused_and_stays_refused(witness: Witness) -> None:
    assert show(witness, history(300), 0).status == 200
    assert show(witness, history(400, changed=7), 300).status == 422
    assert show(witness, history(300, changed=7), 300).status == 422
    assert show(witness, history(400), 300).status == 200


def test_a_log_that_was_cut_off_is_told_how_far_it_was_seen(witness: Witness) -> None:
    show(witness, history(300), 0)
    answer = show(witness, history(200), 200)
    assert (answer.status, answer.text, answer.kind) == (409, "300\n", "text/x.tlog.size")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"old 0\n\n", 400),
        (b"old 00\n\n" + str(head_of(history(3))).encode(), 400),
        (b"old 4\n\n" + str(head_of(history(3))).encode(), 400),
        (b"old -1\n\n" + str(head_of(history(3))).encode(), 400),
        (b"old 0\nAAAA\n\n" + str(head_of(history(3))).encode(), 400),
        (b"\xff" * 40, 400),
        (b"old 0\n\n" + str(head_of(history(3), STRANGER)).encode(), 403),
        (b"old 0\n\n" + str(head_of(history(3))).replace("wit", "wat").encode() + b"x", 400),
        (b"old 0\n\n" + str(head_of(history(3), origin="somewhere.else/log")).encode(), 404),
    ],
)
def test_what_cannot_be_answered_is_said_by_its_status(witness: Witness, body: bytes, status: int) -> None:
    assert witness.add_checkpoint(body).status == status


def test_a_signature_in_the_logs_name_that_does_not_hold_is_forbidden(witness: Witness) -> None:
    note = head_of(history(3))
    forged = notes.Note(note.body, (notes.Signature(ORIGIN, LOG.key.id, b"\x00" * 64),))
    assert show(witness, history(3), 0, forged).status == 403


NEW = notes.Signer(ORIGIN, notes.ED25519, Ed25519PrivateKey.from_private_bytes(bytes(range(70, 102))))


def changed(by: notes.Signer, after: int) -> notes.Note:
    body = str(notes.Change(NEW.key, after))
    return notes.Note(body, (by.sign(body),))


def test_a_change_of_keys_is_followed_and_the_old_key_counts_for_no_later_head(tmp_path: Path, clock: HandClock) -> None:
    witness = Witness(OWN, [LOG.key], Memory(tmp_path), clock, [changed(LOG, 3)])
    assert show(witness, history(3), 0).status == 200
    assert show(witness, history(5), 3).status == 403
    assert show(witness, history(5), 3, head_of(history(5), NEW)).status == 200
    shown = witness.checkpoint(notes.origin_hash(ORIGIN))
    assert notes.note_of(shown.text).signed_by([NEW.key, OWN.key]) == [NEW.key, OWN.key]


def test_a_change_of_keys_that_the_log_did_not_sign_is_refused(tmp_path: Path, clock: HandClock) -> None:
    for wrong in (changed(NEW, 3), changed(STRANGER, 3)):
        with pytest.raises(notes.NoteError, match="change of keys"):
            Witness(OWN, [LOG.key], Memory(tmp_path), clock, [wrong])


def test_a_proof_where_none_belongs_is_refused(witness: Witness) -> None:
    assert witness.add_checkpoint(asking.request(0, [b"\x00" * 32], head_of(history(3)))).status == 422
    empty = notes.Head(ORIGIN, 0, b"\x01" * 32)
    body = str(empty)
    assert witness.add_checkpoint(asking.request(0, [], notes.Note(body, (LOG.sign(body),)))).status == 422
    assert history(0).root() == EMPTY_ROOT


def test_the_newest_head_is_shown_with_both_signatures(witness: Witness) -> None:
    assert witness.checkpoint(notes.origin_hash(ORIGIN)).status == 404
    show(witness, history(3), 0)
    shown = witness.checkpoint(notes.origin_hash(ORIGIN))
    assert notes.note_of(shown.text).signed_by([LOG.key, OWN.key]) == [LOG.key, OWN.key]
    assert witness.checkpoint("0" * 64).status == 404


def test_the_log_finds_out_how_far_a_witness_has_seen(witness: Witness) -> None:
    def send(address: str, body: bytes) -> tuple[int, str]:
        assert address == "https://witness.example.org/add-checkpoint"
        answer = witness.add_checkpoint(body)
        return answer.status, answer.text

    def ask(tree: Tree, seen: int) -> asking.Said:
        return asking.ask("https://witness.example.org/", OWN.key, head_of(tree), tree, seen, send)

    assert ask(history(300), 0).signature is not None
    assert ask(history(700), 0).signature is not None
    assert ask(history(700), 700).signature is not None
    assert ask(history(800, changed=3), 700) == asking.Said(refused=True, seen=700)
    assert ask(history(200), 0) == asking.Said(refused=True, seen=700)


def test_a_witness_that_is_not_to_be_had_keeps_nobody() -> None:
    def send(address: str, body: bytes) -> tuple[int, str]:
        raise ConnectionRefusedError

    tree = history(3)
    assert asking.ask("https://witness.example.org", OWN.key, head_of(tree), tree, 0, send) == asking.Said()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(409, "3\n")], asking.Said(refused=True, seen=3)),
        ([(409, "9\n")], asking.Said(refused=True, seen=9)),
        ([(409, "2\n"), (409, "1\n")], asking.Said()),
        ([(409, "")], asking.Said()),
        ([(200, "nothing")], asking.Said()),
        ([(503, "")], asking.Said()),
        ([(403, "not signed by the log\n")], asking.Said(knows_key=False)),
    ],
)
def test_what_another_kind_of_witness_answers_is_understood(answers: list[tuple[int, str]], said: asking.Said) -> None:
    tree, coming = history(3), iter(answers)
    assert asking.ask("https://witness.example.org", OWN.key, head_of(tree), tree, 3, lambda address, body: next(coming)) == said


@pytest.mark.parametrize("address", ["https://.example", "http://[x", "https://见证.example/路"])
def test_an_address_that_is_none_keeps_nobody(address: str) -> None:
    tree = history(3)
    assert asking.ask(address, OWN.key, head_of(tree), tree, 0) == asking.Said()


def test_a_witness_tells_which_logs_it_watches_and_where_each_is(witness: Witness) -> None:
    origin, _, path = witness.logs().text.partition(" ")
    assert (origin, path) == (ORIGIN, f"/{notes.origin_hash(ORIGIN)}/checkpoint\n")


def run(*told: object) -> tuple[int, str]:
    """Run the program that another office runs; return its status and what it said."""
    done = subprocess.run([sys.executable, PROGRAM, *map(str, told)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_what_the_witnesss_program_will_not_do_is_told_in_a_sentence(tmp_path: Path) -> None:
    serve = ("serve", "--folder", tmp_path, "--log", LOG.key, "--port", 0)
    assert run(*serve) == (1, f"先运行 key / run `key` first: there is no {tmp_path / 'key'}\n")
    make = ("key", "--folder", tmp_path, "--name", "witness.example.org")
    status, told = run(*make)
    assert (status, notes.key_of(told).name) == (0, "witness.example.org")
    assert run(*make) == (1, f"已有密钥，不覆盖 / there is a key, it is kept: {tmp_path / 'key'}\n")
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run(*serve) == (1, f"另一个见证程序正在用这个目录 / another witness runs on this folder: {tmp_path}\n")
