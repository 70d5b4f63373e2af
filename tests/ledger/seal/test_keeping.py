"""What was signed is kept whole or not at all, and a file that cannot be read or written is named with what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.seal import notes
from ledger.seal.keeping import KeepingError
from ledger.seal.keeping import Memory
from ledger.seal.merkle import EMPTY_ROOT
from ledger.seal.witness import Witness
from scripts.witness import handler_for
from tests.conftest import HandClock
from tests.sealing import full_disk

ORIGIN = "passbook.example.org/log/1"
LOG = notes.Signer(ORIGIN, notes.ED25519, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OWN = notes.Signer("witness.example.org", notes.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


def note(size: int) -> notes.Note:
    body = str(notes.Head(ORIGIN, size, EMPTY_ROOT))
    return notes.Note(body, (LOG.sign(body),))


TORN = [b"", b"passbook.example.org/log/1\n7\n", b"\xff\xfe", b"no checkpoint\n\n\xe2\x80\x94 x AAAAAAAA\n"]


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_file_is_named_with_what_to_do(tmp_path: Path, torn: bytes) -> None:
    memory = Memory(tmp_path)
    memory.keep(note(7))
    (path,) = tmp_path.iterdir()
    path.write_bytes(torn)
    for read in (memory.head, memory.note):
        with pytest.raises(KeepingError, match="move it away") as problem:
            read(ORIGIN)
        assert str(path) in str(problem.value)


def test_a_full_disk_is_told_and_leaves_what_was_there(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.keep(note(7))
    with full_disk(), pytest.raises(KeepingError, match="cannot be written") as problem:
        memory.keep(note(8))
    assert str(tmp_path) in str(problem.value)
    assert [path.suffix for path in tmp_path.iterdir()] == [".checkpoint"]
    assert memory.note(ORIGIN) == note(7)


def test_what_a_killed_process_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.keep(note(7))
    (path,) = tmp_path.iterdir()
    old, young = path.with_suffix(".99999998.draft"), path.with_suffix(".99999999.draft")
    for draft in (old, young):
        draft.write_text("half a", encoding="utf-8")
    when = path.stat().st_mtime - 2 * 3_600
    os.utime(old, (when, when))
    memory.keep(note(8))
    assert sorted(tmp_path.iterdir()) == sorted([path, young])


@pytest.fixture
def asked(tmp_path: Path, clock: HandClock) -> Iterator[HTTPConnection]:
    """A witness as another office runs it."""
    witness = Witness(OWN, [LOG.key], Memory(tmp_path), clock)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(witness))
    thread = Thread(target=server.serve_forever)
    thread.start()
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    yield connection
    connection.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_witness_that_cannot_read_what_it_saw_says_so_and_logs_it(
    asked: HTTPConnection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Memory(tmp_path).keep(note(0))
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"")
    requests = [("POST", "/add-checkpoint", f"old 0\n\n{note(0)}".encode()), ("GET", f"/{notes.origin_hash(ORIGIN)}/checkpoint", None)]
    for method, where, body in requests:
        asked.request(method, where, body)
        answer = asked.getresponse()
        assert (answer.status, answer.read()) == (500, b"this witness cannot read or keep what it saw: see its log\n")
        assert str(path) in capsys.readouterr().err
