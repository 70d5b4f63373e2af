"""Witnesses are asked beside the sealing, over HTTP: one that cosigns, one that is down, one that is silent, one that refuses."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from ledger.seal import actions
from ledger.seal import asking
from ledger.seal import notes
from ledger.seal import queries
from ledger.seal.asker import Asker
from ledger.seal.keeping import Memory
from ledger.seal.sealer import Sealer
from tests.books import Desk
from tests.books import open_desk
from tests.conftest import ROOT
from tests.conftest import Database
from tests.conftest import sealers_engine

ORIGIN = "passbook.example.org/log/1"
SECRET = bytes(range(32))
(LOG,) = notes.log_keys_of(ORIGIN, [SECRET])
PROGRAM = ROOT / "scripts" / "witness.py"


@pytest.fixture
def desk(session: Session) -> Desk:
    desk = open_desk(session)
    desk.budget(1_000)
    return desk


def sealer_of(desk: Desk, database: Database, folder: Path) -> Sealer:
    engine = sealers_engine(database.engine)
    return Sealer(lambda: Session(engine), desk.book_id, ORIGIN, [SECRET], Memory(folder), desk.clock)


def sealed(sealer: Sealer) -> queries.Sealed:
    found = sealer.work()
    assert found is not None
    return found


def watch(desk: Desk, address: str, key: notes.Key | None = None) -> notes.Key:
    """Let a witness watch; any, where no key is given."""
    key = key or notes.Signer("w.example.org", notes.COSIGNATURE, Ed25519PrivateKey.generate()).key
    actions.begin(desk.session, desk.book_id, ORIGIN, desk.clock.now())
    actions.add_witness(desk.session, desk.book_id, key, desk.clock.now(), address=address)
    desk.session.commit()
    return key


def cosigned(desk: Desk) -> tuple[str, ...]:
    found = queries.newest(desk.session, desk.book_id)
    desk.session.rollback()
    assert found is not None
    return found.witnesses


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)


@contextmanager
def silent() -> Iterator[socket.socket]:
    """Give a place that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=50)) as place:
        yield place


def address_of(place: socket.socket) -> str:
    return f"http://127.0.0.1:{place.getsockname()[1]}"


def made_key(folder: Path) -> notes.Key:
    """Let the witness program make its key."""
    told = subprocess.run(
        [sys.executable, PROGRAM, "key", "--name", "witness.example.org", "--folder", folder], capture_output=True, text=True, check=True
    )
    return notes.key_of(told.stdout)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run the witness program, and give its address."""
    told = [sys.executable, PROGRAM, "serve", "--folder", folder, "--log", str(LOG), "--port", "0"]
    with subprocess.Popen(told, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONIOENCODING": "utf-8"}) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        try:
            yield found[0]
        finally:
            process.send_signal(signal.SIGTERM)


def test_the_witness_program_cosigns_over_http_and_one_that_is_down_is_left_alone(
    desk: Desk, database: Database, tmp_path: Path
) -> None:  # fmt: skip
    key, sealer = made_key(tmp_path / "witness"), sealer_of(desk, database, tmp_path / "log")
    with serving(tmp_path / "witness") as address:
        watch(desk, address, key)
        assert sealer.ask_witnesses(sealed(sealer)) == [key]
        assert cosigned(desk) == (str(key),)
        assert sealer.wanting(every_s=0) is None
        desk.award("li", 5)
        # Whoever knows nothing of how far it has seen is told.
        assert sealer_of(desk, database, tmp_path / "log").ask_witnesses(sealed(sealer)) == [key]
        desk.award("li", 5)
        assert sealer.ask_witnesses(sealed(sealer)) == [key]
    desk.award("li", 5)
    head = sealed(sealer)
    assert sealer.ask_witnesses(head, rest_s=60) == []
    assert sealer.resting.keys() == {str(key)}
    assert sealer.wanting(every_s=0) is not None
    assert sealer.wanting(every_s=60) is None
    assert queries.alarms(desk.session, desk.book_id) == []
    assert cosigned(desk) == ()


def test_the_witness_program_needs_nothing_installed_but_cryptography(tmp_path: Path) -> None:
    absent = ("sqlalchemy", "flask", "pysqlite3", "psycopg", "click", "rich", "ledger.journal", "ledger.areas", "ledger.store")
    barred = (
        f"import sys, runpy; sys.modules.update(dict.fromkeys({absent})); "
        "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    told = [sys.executable, "-c", barred, PROGRAM, "key", "--name", "witness.example.org", "--folder", tmp_path]
    assert notes.key_of(subprocess.run(told, capture_output=True, text=True, check=True).stdout).name == "witness.example.org"


def test_two_witness_programs_do_not_run_on_one_folder(tmp_path: Path) -> None:
    made_key(tmp_path)
    with serving(tmp_path):
        told = [sys.executable, PROGRAM, "serve", "--folder", tmp_path, "--log", str(LOG), "--port", "0"]
        second = subprocess.run(told, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "another witness runs on this folder" in second.stderr


def test_a_witness_that_saw_another_history_is_an_alarm(desk: Desk, database: Database, tmp_path: Path) -> None:
    key = made_key(tmp_path / "witness")
    with serving(tmp_path / "witness") as address:
        other = open_desk(desk.session)
        other.budget(7)
        other.award("li", 5)
        watch(other, address, key)
        sealer = sealer_of(other, database, tmp_path / "other")
        assert sealer.ask_witnesses(sealed(sealer)) == [key]
        # The same log by its name and keys, and none of the same leaves.
        for _ in range(4):
            desk.award("wang", 5)
        watch(desk, address, key)
        sealer = sealer_of(desk, database, tmp_path / "log")
        head = sealed(sealer)
        assert sealer.ask_witnesses(head) == []
    (alarm,) = queries.alarms(desk.session, desk.book_id)
    assert (alarm.what, alarm.witness, alarm.seen, alarm.size) == ("witness-refused", "witness.example.org", 2, head.head.size)


def test_only_whoever_has_not_cosigned_and_does_not_rest_is_asked(desk: Desk, database: Database, tmp_path: Path) -> None:
    sealer = sealer_of(desk, database, tmp_path)
    signer = notes.Signer("w1.example.org", notes.COSIGNATURE, Ed25519PrivateKey.generate())
    with silent() as done, silent() as down:
        watch(desk, address_of(done), signer.key)
        down_key = watch(desk, address_of(down))
        head = sealed(sealer)
        assert actions.hear(desk.session, desk.book_id, head.head.size, signer.sign(head.note.body, 1), desk.clock.now())
        desk.session.commit()
        wanting = sealer.wanting(every_s=0)
        assert wanting is not None
        assert sealer.ask_witnesses(wanting) == []
        assert sealer.resting.keys() == {str(down_key)}
        began = time.monotonic()
        assert sealer.ask_witnesses(wanting) == []
        assert time.monotonic() - began < asking.PATIENCE_S
        for place, asked in ((done, 0), (down, 1)):
            place.settimeout(0.1)
            for _ in range(asked):
                place.accept()[0].close()
            with pytest.raises(TimeoutError):
                place.accept()


def test_a_silent_witness_delays_no_sealing_and_only_the_newest_head_is_asked_about(
    desk: Desk, database: Database, tmp_path: Path
) -> None:  # fmt: skip
    sealer, troubles, folder = sealer_of(desk, database, tmp_path / "log"), list[Exception](), tmp_path / "witness"
    asker, key, asked = Asker(troubles.append), made_key(folder), list[int]()
    with silent() as place, serving(folder) as address:
        watch(desk, address_of(place))
        watch(desk, address, key)
        asker.start()
        began = time.monotonic()
        for _ in range(3):
            desk.award("li", 5)
            head = sealed(sealer)
            asker.take(sealer, head)
            asked.append(head.head.size)
        assert time.monotonic() - began < asking.PATIENCE_S
        until(lambda: cosigned(desk) == (str(key),))
    # The first one was under way already; the second was overtaken by the third.
    kept = [size for size in asked if (found := queries.of_size(desk.session, desk.book_id, size)) and found.witnesses]
    assert kept in ([asked[0], asked[2]], [asked[2]])
    assert troubles == []


def test_what_goes_wrong_while_asking_is_told_and_ends_nothing(desk: Desk, database: Database, tmp_path: Path) -> None:
    sealer, troubles = sealer_of(desk, database, tmp_path / "log"), list[Exception]()
    broken = sealer_of(desk, database, tmp_path / "log")
    broken.sessions = lambda: Session(sealers_engine(database.engine).execution_options(schema_translate_map={None: "nowhere"}))
    asker, key, folder = Asker(troubles.append), made_key(tmp_path / "witness"), tmp_path / "witness"
    asker.start()
    with serving(folder) as address:
        watch(desk, address, key)
        head = sealed(sealer)
        asker.take(broken, head)
        until(lambda: len(troubles) == 1)
        asker.take(sealer, head)
        until(lambda: cosigned(desk) == (str(key),))


def test_one_cosignature_that_two_sealers_hear_at_once_is_kept_once(desk: Desk, database: Database, tmp_path: Path) -> None:
    engine, signer = sealers_engine(database.engine), notes.Signer("w.example.org", notes.COSIGNATURE, Ed25519PrivateKey.generate())
    watch(desk, "https://w.example.org", signer.key)
    head = sealed(sealer_of(desk, database, tmp_path))
    said, faults = signer.sign(head.note.body, 1), list[BaseException]()

    def hear(session: Session) -> None:
        assert actions.hear(session, desk.book_id, head.head.size, said, desk.clock.now())

    def second() -> None:
        try:
            with Session(engine) as session, session.begin():
                hear(session)
        except BaseException as fault:  # noqa: BLE001  told below, in the test's own thread
            faults.append(fault)

    with Session(engine) as session, session.begin():
        hear(session)
        thread = threading.Thread(target=second)
        thread.start()
        # It does not see what is not committed yet, and waits.
        time.sleep(0.5)
    thread.join()
    assert faults == []
    assert cosigned(desk) == (str(signer.key),)
