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
from bench.server import sealers_url
from ledger import seal
from ledger.seal import notes
from ledger.settings import Settings
from ledger.web.kit.extensions import db
from tests.builders import give_points
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
    """The application with what the sealer is told: a key for its log, and a login of its own."""
    own = replace(settings, log_key=LOG_KEY, sealer_database_url=sealers_url(settings.database_url))
    app = create_app(own, clock=clock)
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


def test_on_postgresql_the_sealer_has_a_login_of_its_own(
    database: Database, settings: Settings, clock: HandClock, community: Community, tmp_path: Path
) -> None:
    app = create_app(replace(settings, log_key=LOG_KEY), clock=clock)
    said = app.test_cli_runner().invoke(args=["ledger", "seal", "--folder", str(tmp_path)])
    with app.app_context():
        db.engine.dispose()
    # SQLite knows no logins.
    assert said.exit_code == (1 if database.kind == "postgresql" else 0), said.output
    assert ("PASSBOOK_SEALER_DATABASE_URL is not set" in said.output) == (database.kind == "postgresql")


def test_what_was_posted_is_sealed_and_signed_once(run: Run, community: Community, tmp_path: Path) -> None:
    said = run("seal", "--folder", tmp_path)
    assert said.exit_code == 0, said.output
    assert "1 条已封存 / sealed" in said.output
    assert run("seal", "--folder", tmp_path).output.strip() == ""
    sealed = seal.newest(community.session, community.book.id)
    assert sealed is not None
    assert f"root {str(sealed.head).splitlines()[2]}" in said.output
    printed = [notes.key_of(line) for line in run("log-key", "--book", 1).output.split()]
    assert sealed.note.signed_by(printed) == printed
    assert sealed.head.origin == "localhost:8000/log/1"


def test_a_changed_key_is_printed_with_the_word_of_the_one_before_it(
    run: Run, community: Community, settings: Settings, clock: HandClock, tmp_path: Path
) -> None:
    assert run("seal", "--folder", tmp_path).exit_code == 0
    first = run("log-key", "--book", 1).output
    clock.advance(minutes=1)
    community.at = clock.now()
    community.credited(community.person(), "patrol")
    community.session.commit()
    url, new = settings.database_url, bytes(range(50, 82))
    told = replace(settings, log_key=new, sealer_database_url=sealers_url(url))
    for own, wanted in ((told, 1), (replace(told, log_key_old=LOG_KEY), 0)):
        app = create_app(own, clock=clock)
        said = app.test_cli_runner().invoke(args=["ledger", "seal", "--folder", str(tmp_path)])
        with app.app_context():
            db.engine.dispose()
        assert said.exit_code == wanted, said.output
        assert ("give that one as PASSBOOK_LOG_KEY_OLD" in said.output) == bool(wanted)
    printed = run("log-key", "--book", 1).output
    assert printed.startswith(first)
    note = notes.note_of(printed[printed.index("passbook-log-key/v1") :].rstrip("\n") + "\n")
    assert note.signed_by([notes.key_of(first)])
    assert str(notes.change_of(note.body).key) in printed.splitlines()


def test_every_key_of_the_log_is_printed_also_those_before_a_change_and_without_the_private_ones(
    app: Flask, run: Run, community: Community, settings: Settings, clock: HandClock, tmp_path: Path
) -> None:
    said = app.test_cli_runner().invoke(args=["ledger", "log-key", "--book", "1"])
    assert (said.exit_code, "还没有封存过" in said.output) == (1, True)
    assert run("seal", "--folder", tmp_path).exit_code == 0
    (first,) = run("log-key", "--book", 1).output.split()
    give_points(community.session, community.book, community.person(), 1, clock.now())
    community.session.commit()
    told = replace(settings, log_key=bytes(range(7, 39)), log_key_old=LOG_KEY, sealer_database_url=sealers_url(settings.database_url))
    changed = create_app(told, clock=clock)
    assert changed.test_cli_runner().invoke(args=["ledger", "seal", "--folder", str(tmp_path)]).exit_code == 0
    with changed.app_context():
        db.engine.dispose()
    printed = app.test_cli_runner().invoke(args=["ledger", "log-key", "--book", "1"]).output.split()
    # The second one comes in the note of the first, too.
    keys = [word for word in printed if word.startswith(first.split("+")[0] + "+")]
    assert (keys[0], len(set(keys))) == (first, 2)


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


@pytest.mark.parametrize("more", [(), ("--begin-here",)])
def test_a_torn_memory_is_named_and_not_signed_over(run: Run, community: Community, tmp_path: Path, more: tuple[str, ...]) -> None:
    folder = tmp_path / "log"
    assert run("seal", "--folder", folder).exit_code == 0
    (path,) = folder.iterdir()
    path.write_bytes(b"")
    said = run("seal", "--folder", folder, *more)
    assert said.exit_code == 1
    assert f"the log cannot be carried on: {path} is not a head that was signed" in said.output
    assert "move it away" in said.output
    path.unlink()
    assert run("seal", "--folder", folder, "--begin-here").exit_code == 0
    assert path.exists()


def test_a_folder_that_cannot_be_used_is_named(run: Run, community: Community, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.write_text("not a folder", encoding="utf-8")
    said = run("seal", "--folder", folder / "within")
    assert said.exit_code == 1
    assert f"the log cannot be carried on: {folder / 'within'}" in said.output
    assert "Not a directory" in said.output
    community.session.rollback()
    assert seal.newest(community.session, community.book.id) is None


def test_a_sealer_that_follows_goes_on_though_its_witness_is_not_to_be_had(
    run: Run, community: Community, database: Database, tmp_path: Path
) -> None:  # fmt: skip
    key = notes.Signer("witness.example.org", notes.COSIGNATURE, Ed25519PrivateKey.generate()).key
    own = {"PASSBOOK_LOG_KEY": base64.b64encode(os.urandom(32)).decode(), "PASSBOOK_SEALER_DATABASE_URL": sealers_url(database.url)}
    environment = os.environ | scratch_settings(database.url, 8000) | own

    def sealed() -> int:
        found = seal.newest(community.session, community.book.id)
        community.session.rollback()
        return found.head.size if found else 0

    def until_sealed(size: int) -> None:
        ends = time.monotonic() + 30
        while sealed() < size:
            assert time.monotonic() < ends
            time.sleep(0.1)

    def post() -> None:
        community.credited(community.person(), "patrol")
        community.session.commit()

    told = [sys.executable, "-m", "flask", "--app", "wsgi", "ledger", "seal", "--follow", "--folder", tmp_path]
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        subprocess.Popen(told, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
    ):
        try:
            until_sealed(1)
            address = f"http://127.0.0.1:{silent.getsockname()[1]}"
            assert run("witness", "add", "--book", 1, "--key", key, "--address", address).exit_code == 0
            post()
            until_sealed(2)
            # It is being asked now.
            silent.settimeout(30)
            silent.accept()[0].close()
            post()
            until_sealed(3)
            assert process.poll() is None
        finally:
            process.terminate()


def test_a_witness_is_added_listed_and_ended(run: Run, tmp_path: Path) -> None:
    key = notes.Signer("witness.example.org", notes.COSIGNATURE, Ed25519PrivateKey.generate()).key
    early = run("witness", "add", "--book", 1, "--key", key, "--address", "https://witness.example.org")
    assert "nothing of this book was sealed yet" in early.output
    assert run("seal", "--folder", tmp_path).exit_code == 0
    added = run("witness", "add", "--book", 1, "--key", key, "--address", "https://witness.example.org")
    assert "witness.example.org 开始见证" in added.output
    assert "witness.example.org\t0\thttps://witness.example.org" in run("witness", "list", "--book", 1).output
    assert run("witness", "end", "--book", 1, "--name", "witness.example.org").exit_code == 0
    assert run("witness", "list", "--book", 1).output == ""
    assert run("witness", "end", "--book", 1, "--name", "witness.example.org").exit_code == 1


def test_a_witness_that_moved_or_was_ended_comes_back(run: Run, tmp_path: Path) -> None:
    assert run("seal", "--folder", tmp_path).exit_code == 0
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
