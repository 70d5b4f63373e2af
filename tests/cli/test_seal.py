"""`flask ledger seal`, `log-key` and `witness`: what was posted is sealed and signed by command, and not without its key."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy.orm import Session

from bench.server import scratch_settings
from ledger import seal
from ledger.seal import notes
from ledger.settings import Settings
from ledger.web.kit.extensions import db
from tests.conftest import ROOT
from tests.conftest import Database
from tests.conftest import HandClock
from tests.earning import Community
from tests.earning import a_community
from wsgi import create_app

Run = Callable[..., Result]
LOG_KEY = bytes(range(3, 35))


@pytest.fixture
def community(session: Session) -> Community:
    community = a_community(session)
    session.commit()
    return community


@pytest.fixture
def keyed(settings: Settings, clock: HandClock, community: Community) -> Iterator[Flask]:
    """The application with a key for its log."""
    app = create_app(replace(settings, log_key=LOG_KEY), clock=clock)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def run(keyed: Flask) -> Run:
    return lambda *args: keyed.test_cli_runner().invoke(args=["ledger", *map(str, args)])


def test_without_its_key_nothing_is_sealed(app: Flask, tmp_path: Path) -> None:
    said = app.test_cli_runner().invoke(args=["ledger", "seal", "--folder", str(tmp_path)])
    assert said.exit_code == 1
    assert "PASSBOOK_LOG_KEY is not set" in said.output


def test_what_was_posted_is_sealed_and_signed_once(run: Run, community: Community, tmp_path: Path) -> None:
    said = run("seal", "--folder", tmp_path)
    assert said.exit_code == 0, said.output
    assert "1 条已封存 / sealed" in said.output
    assert run("seal", "--folder", tmp_path).output.strip() == ""
    sealed = seal.newest(community.session, community.book.id)
    assert sealed is not None
    printed = [notes.key_of(line) for line in run("log-key", "--book", 1).output.split()]
    assert sealed.note.signed_by(printed) == printed
    assert sealed.head.origin == "localhost:8000/log/1"


def test_a_log_that_was_turned_back_is_not_signed_and_says_so(run: Run, community: Community, tmp_path: Path) -> None:
    # Somebody restored the database as it was before the last heads were signed.
    signer = notes.Signer("localhost:8000/log/1", notes.ED25519, Ed25519PrivateKey.from_private_bytes(LOG_KEY))
    ahead = str(notes.Head(signer.name, 40, b"\x01" * 32))
    seal.Memory(tmp_path).keep(notes.Note(ahead, (signer.sign(ahead),)))
    said = run("seal", "--folder", tmp_path)
    assert said.exit_code == 1
    assert "does not carry on from the head of 40" in said.output
    community.session.rollback()
    (alarm,) = seal.alarms(community.session, community.book.id)
    assert (alarm.what, alarm.seen) == ("does-not-extend", 40)
    assert seal.newest(community.session, community.book.id) is None


def test_a_sealer_that_follows_goes_on_though_its_witness_is_not_to_be_had(
    run: Run, community: Community, database: Database, tmp_path: Path
) -> None:  # fmt: skip
    key = notes.Signer("witness.example.org", notes.COSIGNATURE, Ed25519PrivateKey.generate()).key
    environment = os.environ | scratch_settings(database.url, 8000) | {"PASSBOOK_LOG_KEY": base64.b64encode(os.urandom(32)).decode()}

    def sealed() -> int:
        found = seal.newest(community.session, community.book.id)
        community.session.rollback()
        return found.head.size if found else 0

    def until_sealed(size: int) -> None:
        ends = time.monotonic() + 30
        while sealed() < size:
            assert time.monotonic() < ends
            time.sleep(0.1)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert run("witness", "add", "--book", 1, "--key", key, "--address", address).exit_code == 0
        told = [sys.executable, "-m", "flask", "--app", "wsgi", "ledger", "seal", "--follow", "--folder", tmp_path]
        with subprocess.Popen(told, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                until_sealed(1)
                # It is being asked now.
                silent.settimeout(30)
                silent.accept()[0].close()
                person = community.person()
                community.credited(person, "patrol")
                community.session.commit()
                until_sealed(2)
                assert process.poll() is None
            finally:
                process.terminate()


def test_a_witness_is_added_listed_and_ended(run: Run) -> None:
    key = notes.Signer("witness.example.org", notes.COSIGNATURE, Ed25519PrivateKey.generate()).key
    added = run("witness", "add", "--book", 1, "--key", key, "--address", "https://witness.example.org")
    assert "witness.example.org 开始见证" in added.output
    assert "witness.example.org\t0\thttps://witness.example.org" in run("witness", "list", "--book", 1).output
    assert run("witness", "end", "--book", 1, "--name", "witness.example.org").exit_code == 0
    assert run("witness", "list", "--book", 1).output == ""
    assert run("witness", "end", "--book", 1, "--name", "witness.example.org").exit_code == 1


def test_a_witness_that_moved_or_was_ended_comes_back(run: Run, community: Community) -> None:
    signer = notes.Signer("witness.example.org", notes.COSIGNATURE, Ed25519PrivateKey.generate())

    def add(address: str) -> Result:
        return run("witness", "add", "--book", 1, "--key", signer.key, "--address", address)

    assert add("https://old.example.org").exit_code == 0
    again = add("https://old.example.org")
    assert (again.exit_code, "watches already" in again.output) == (1, True)
    assert add("https://new.example.org").exit_code == 0
    assert run("witness", "list", "--book", 1).output == "witness.example.org\t0\thttps://new.example.org\n"
    assert run("witness", "end", "--book", 1, "--name", "witness.example.org").exit_code == 0
    assert add("https://new.example.org").exit_code == 0
    assert run("witness", "list", "--book", 1).output == "witness.example.org\t0\thttps://new.example.org\n"


@pytest.mark.parametrize(
    ("key", "address"), [("nobody", "https://w.example"), ("w.example+00000000+AAAA", "https://w.example")]
)  # fmt: skip
def test_what_is_no_witness_is_told_in_a_sentence(run: Run, key: str, address: str) -> None:
    said = run("witness", "add", "--book", 1, "--key", key, "--address", address)
    assert said.exit_code == 1
    assert "not a witness's key" in said.output
