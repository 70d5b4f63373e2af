"""Hours of service go into the log as entries do: each record once, in a chain of its account's own, which proves all before it."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from ledger import activities
from ledger import areas
from ledger import claims
from ledger import journal
from ledger import people
from ledger import seal
from ledger.activities import HoursRecord
from ledger.activities import Served
from ledger.activities import UnsealedHours
from ledger.areas import Book
from ledger.ids import new_id
from ledger.journal.rules import microseconds
from ledger.people import Person
from ledger.people.model import Erasure
from ledger.seal import actions
from ledger.seal import dumping
from ledger.seal import queries
from ledger.seal.leaves import HoursFacts
from ledger.seal.merkle import fold
from ledger.seal.model import Checkpoint
from ledger.seal.model import Leaf
from ledger.seal.model import SealedHours
from ledger.store import snapshot
from scripts import check_book
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.builders import give_points
from tests.conftest import Database
from tests.conftest import HandClock
from tests.conftest import sealers_engine
from tests.ledger.seal.test_check_book import dump_of
from tests.ledger.seal.test_verify import MOMENTS
from tests.sealing import WITNESS

ORIGIN = "passbook.example.org/log/1"
KEY = bytes(range(32))


@dataclass
class Office:
    """A book in which hours are recorded, and its sealer."""

    session: Session
    book: Book
    memory: seal.Memory
    sessions: Any
    engine: Engine
    clock: HandClock = field(default_factory=HandClock)

    def serve(self, *served: tuple[Person, str, int]) -> None:
        """Record hours of some people, in one go."""
        act = an_act(self.book, self.clock.now())
        day = self.clock.now().date()
        activities.record_hours(self.session, act, [Served(who.id, kind, minutes, day, new_id()) for who, kind, minutes in served])
        self.session.commit()
        self.clock.advance(minutes=1)

    def account(self, who: Person) -> UUID:
        found = journal.account_of(self.session, self.book.id, "passbook", who.id)
        self.session.commit()
        return found

    def sealer(self) -> seal.Sealer:
        return seal.Sealer(self.sessions, self.book.id, ORIGIN, [KEY], self.memory, self.clock)

    def seal(self) -> seal.Sealed | None:
        self.session.commit()
        return self.sealer().work()

    def receipt(self, who: Person, number: int | None = None) -> queries.HoursReceipt | None:
        found = seal.hours_receipt(self.session, self.book.id, self.account(who), number)
        self.session.rollback()
        return found

    def faults(self) -> list[str]:
        self.session.rollback()
        snapshot(self.session)
        found = [f"{place}: {what}" for place, what in seal.verify(self.session, self.book.id, self.clock.now())]
        self.session.rollback()
        return found

    def dumped(self) -> list[Any]:
        self.session.rollback()
        snapshot(self.session)
        found = json.loads(json.dumps(list(dumping.records(self.session, self.book.id, self.clock.now()))))
        self.session.rollback()
        return found

    def checked(self, kept: str = "") -> check_book.Report:
        keys = [str(key) for key in (*seal.log_keys_of(ORIGIN, self.sealer().keys), WITNESS.key)]
        return check_book.check(dump_of(self.dumped()), [("kept", kept)] if kept else [], keys)


@pytest.fixture
def office(session: Session, database: Database, tmp_path: Path) -> Office:
    return open_office(session, database, tmp_path)


def open_office(session: Session, database: Database, folder: Path) -> Office:
    """Open a book, and an office for it that remembers in this folder."""
    session.expire_on_commit = False
    book = a_book(session)
    session.commit()
    session.expunge(book)  # so that reading it later begins nothing: on SQLite whoever reads holds the lock
    return office_of(session, database, book, folder)


def office_of(session: Session, database: Database, book: Book, folder: Path) -> Office:
    engine = sealers_engine(database.engine)
    return Office(session, book, seal.Memory(folder / "log"), lambda: Session(engine), engine)


def assert_holds(receipt: queries.HoursReceipt | None) -> HoursFacts:
    """Assert that a receipt proves what it says, and return that."""
    assert receipt is not None
    assert receipt.proof is not None
    assert receipt.proof.extra is not None
    opening, head = seal.opening_of(receipt.proof.extra), seal.head_of(receipt.proof.checkpoint.body)
    assert opening == receipt.opening
    assert isinstance(opening, seal.HoursOpening)
    assert seal.is_included(seal.leaf_hash(opening.leaf), receipt.proof.index, head.size, receipt.proof.path, head.root)
    return opening.hours


def test_every_record_of_hours_is_a_leaf_and_the_last_one_says_what_all_come_to(office: Office) -> None:
    li, wang = (a_person(office.session, office.book) for _ in range(2))
    office.serve((li, "credit", 90), (wang, "honour", 30))
    give_points(office.session, office.book, li, 5, office.clock.now())
    office.serve((li, "honour", 45))
    sealed = office.seal()
    assert sealed is not None
    assert sealed.head.size == 5
    office.serve((li, "credit", 15))
    assert office.seal() is not None
    hours = assert_holds(office.receipt(li))
    assert (hours.number, hours.kind, hours.minutes, hours.credit, hours.honour) == (3, "credit", 15, 105, 45)
    assert hours.account == office.account(li)
    assert assert_holds(office.receipt(li, 2))[2:6] == (2, "honour", 45, date(2026, 11, 23))
    assert assert_holds(office.receipt(wang))[7:9] == (0, 30)
    assert office.receipt(li, 4) is None
    assert (office.faults(), office.checked().faults) == ([], [])


def test_hours_that_wait_have_no_proof_yet(office: Office) -> None:
    li = a_person(office.session, office.book)
    office.serve((li, "credit", 90))
    assert office.receipt(li) is None
    assert queries.waiting(office.session, office.book.id) == 1
    office.session.rollback()
    assert office.faults() == []
    office.seal()
    office.serve((li, "credit", 1))
    assert assert_holds(office.receipt(li)).number == 1
    report = office.checked()
    assert report.faults == []
    assert any("2 records of hours, of which 1 wait" in sentence for sentence in report.said)


def test_the_hours_of_an_account_are_a_chain(office: Office) -> None:
    li, wang = (a_person(office.session, office.book) for _ in range(2))
    for number in range(1, 6):
        office.serve((li, "credit", number), (wang, "honour", number), (li, "honour", number))
        if number % 2:
            office.seal()
    office.seal()
    receipts = [office.receipt(li, number) for number in range(1, 11)]
    assert [assert_holds(one).number for one in receipts] == list(range(1, 11))
    for before, after in pairwise(receipts):
        assert before is not None
        assert after is not None
        assert after.opening.hours.previous == before.opening.leaf[2:]
        grown = after.opening.hours.credit + after.opening.hours.honour - before.opening.hours.credit - before.opening.hours.honour
        assert grown == after.opening.hours.minutes
    assert receipts[0] is not None
    assert receipts[0].opening.hours.previous is None


def test_whoever_serves_before_earning_anything_has_a_passbook_for_their_hours(office: Office) -> None:
    li = a_person(office.session, office.book)
    assert journal.account_ids(office.session, office.book.id, "passbook", [li.id]) == {}
    office.serve((li, "credit", 90))
    account = office.account(li)
    balance = journal.balance_of(office.session, office.book.id, account, office.clock.now())
    assert (balance.lines, balance.balance) == (0, 0)
    office.session.rollback()
    office.seal()
    give_points(office.session, office.book, li, 5, office.clock.now())
    assert office.account(li) == account


def test_where_no_hours_wait_sealing_asks_nothing_more_for_each_piece(office: Office) -> None:
    li = a_person(office.session, office.book)
    for _ in range(3):
        give_points(office.session, office.book, li, 5, office.clock.now())
    asked: list[str] = []
    event.listen(office.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    office.seal()
    assert len([one for one in asked if "hours" in one]) == 1, "the queue of hours is looked at once for the whole backlog"


def test_nothing_of_anybody_stands_in_a_leaf_a_proof_or_a_dump(office: Office) -> None:
    li = a_person(office.session, office.book, name="李建国")
    office.serve((li, "credit", 90), (li, "honour", 5))
    office.seal()
    receipt = office.receipt(li)
    assert receipt is not None
    told = json.dumps(office.dumped(), ensure_ascii=False) + str(receipt.proof) + receipt.opening.packed().hex()
    for word in (li.id.hex, str(li.id), li.handle, "李建国"):
        assert word not in told
    reference = office.session.execute(select(HoursRecord.reference).where(HoursRecord.book_id == office.book.id).limit(1)).scalar_one()
    assert reference.hex not in told


def test_an_erased_persons_hours_and_everybody_elses_are_proven_as_before(office: Office) -> None:
    li, wang = (a_person(office.session, office.book) for _ in range(2))
    office.serve((li, "credit", 90), (wang, "credit", 30))
    head = office.seal()
    assert head is not None
    before = [office.receipt(who) for who in (li, wang)]
    act = an_act(office.book, office.clock.now(), actor=li.id)
    assert isinstance(people.erase(office.session, act, li.id, [claims.leaving(), activities.leaving()]), Erasure)
    office.serve((wang, "credit", 1))
    office.seal()
    for receipt in before:
        assert_holds(receipt)
    assert assert_holds(office.receipt(li)).credit == 90
    assert (office.faults(), office.checked(str(head.note)).faults) == ([], [])


class Killed(BaseException):
    """The process was ended at this point."""


@pytest.mark.parametrize("where", [actions, queries, Session], ids=["a row", "a head", "a commit"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_a_sealer_killed_at_any_step_leaves_no_gap_in_anybodys_hours(
    office: Office, monkeypatch: pytest.MonkeyPatch, where: Any, after: bool, times: int
) -> None:
    li, wang = (a_person(office.session, office.book) for _ in range(2))
    office.serve((li, "credit", 1), (wang, "credit", 2))
    office.seal()
    for number in range(1, 4):
        office.serve((li, "credit", number), (wang, "honour", number), (li, "honour", number))
    name = {actions: "insert", queries: "heads_of_hours", Session: "commit"}[where]
    step, calls = getattr(where, name), iter(range(1, 1_000))

    def killing(*values: Any, **named: Any) -> Any:
        dies = next(calls) == times
        if dies and not after:
            raise Killed
        answer = step(*values, **named)
        if dies:
            raise Killed
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(where, name, killing)
        with contextlib.suppress(Killed):
            office.sealer().work()
    office.serve((wang, "credit", 9))
    office.seal()
    assert_whole(office)
    assert assert_holds(office.receipt(li))[7:9] == (7, 6)
    assert assert_holds(office.receipt(wang))[7:9] == (11, 6)


def assert_whole(office: Office) -> None:
    """Assert that all hours are sealed once, each account's numbered without a gap, and that every signed head begins the newest."""
    session, book_id = office.session, office.book.id
    rows = session.execute(select(Leaf.number, Leaf.hash).where(Leaf.book_id == book_id).order_by(Leaf.number)).all()
    assert [number for number, _ in rows] == list(range(len(rows)))
    assert session.execute(select(UnsealedHours.hours_id).where(UnsealedHours.book_id == book_id)).all() == []
    sealed = session.execute(select(SealedHours.hours_id, SealedHours.account_id, SealedHours.number).where(SealedHours.book_id == book_id))
    told = [tuple(row) for row in sealed]
    recorded = session.execute(select(HoursRecord.id).where(HoursRecord.book_id == book_id)).scalars()
    assert {hours_id for hours_id, *_ in told} == set(recorded)
    for account in {account for _, account, _ in told}:
        numbers = sorted(number for _, whose, number in told if whose == account)
        assert numbers == list(range(1, len(numbers) + 1))
    for size, root in session.execute(select(Checkpoint.size, Checkpoint.root).where(Checkpoint.book_id == book_id)):
        assert root == fold([hashed for _, hashed in rows[:size]])
    session.rollback()
    assert office.faults() == []


def test_two_sealers_at_once_write_one_chain_for_each_account(office: Office) -> None:
    persons = [a_person(office.session, office.book) for _ in range(3)]
    for number in range(1, 31):
        office.serve(*((who, "credit", number) for who in persons))
    faults: list[BaseException] = []

    def work() -> None:
        try:
            office.sealer().work()
        except BaseException as fault:  # noqa: BLE001  told below, in the test's own thread
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    office.seal()
    assert_whole(office)
    assert {assert_holds(office.receipt(who)).credit for who in persons} == {465}


def test_hours_of_a_backlog_of_several_pieces_follow_each_other(office: Office) -> None:
    li = a_person(office.session, office.book)
    give_points(office.session, office.book, li, 5, office.clock.now())
    for number in range(1, 8):
        office.serve((li, "credit", number), (li, "honour", 1))
    office.session.commit()
    with office.sessions() as own, own.begin():
        actions.begin(own, office.book.id, ORIGIN, office.clock.now())
        for piece in actions.pieces(actions.backlog(own, office.book.id), 3):
            actions.seal(own, office.book.id, piece)
            actions.seal(own, office.book.id, piece)
    office.seal()
    assert_whole(office)
    assert assert_holds(office.receipt(li))[2:3] + assert_holds(office.receipt(li))[7:9] == (14, 28, 7)


def test_the_order_in_which_people_are_named_is_not_in_what_is_sealed(office: Office) -> None:
    # Of those who are enrolled one after the other the roster tells the order, and the dump tells no names.
    people_ = [a_person(office.session, office.book, name=f"居民{number}") for number in range(12)]
    office.serve(*((one, "credit", 5) for one in people_))
    office.seal()
    accounts = [office.account(one) for one in people_]
    assert accounts != sorted(accounts)
    sealed = select(SealedHours.account_id).where(SealedHours.book_id == office.book.id).order_by(SealedHours.leaf_number)
    in_log = office.session.execute(sealed).scalars().all()
    assert sorted(in_log) == sorted(accounts)
    assert in_log != accounts


# --- What the tables' owner can do --------------------------------------------------------------------------------------------------------

LAST = "book_id = :book AND account_id = :li AND number = 3"
RECORD = f"book_id = :book AND id = (SELECT hours_id FROM sealed_hours WHERE {LAST})"
LEAF = f"book_id = :book AND number = (SELECT leaf_number FROM sealed_hours WHERE {LAST})"
NOT_SEALED = "account LI hours 3: is not what was sealed, or does not follow the record before it"
ODD_SUM = "account LI hours 3: does not add up with the record before it"
#: What is done, what `verify` says of it, and what the stand-alone checker says.
TAMPERED = [
    (f"UPDATE hours_record SET minutes = minutes + 60 WHERE {RECORD}", NOT_SEALED, NOT_SEALED),
    (f"UPDATE hours_record SET minutes = minutes + 60 WHERE {RECORD}", ODD_SUM, ODD_SUM),
    (f"UPDATE hours_record SET kind = 'honour' WHERE {RECORD}", NOT_SEALED, NOT_SEALED),
    (f"UPDATE hours_record SET served_on = '2020-01-01' WHERE {RECORD}", NOT_SEALED, NOT_SEALED),
    (f"UPDATE hours_record SET recorded_at = recorded_at + 1 WHERE {RECORD}", NOT_SEALED, NOT_SEALED),
    (f"UPDATE hours_record SET person_id = :wang WHERE {RECORD}", NOT_SEALED, NOT_SEALED),
    (f"DELETE FROM hours_record WHERE {RECORD}", *["leaf 6: has lost its hours"] * 2),
    (f"UPDATE sealed_hours SET credit = credit + 60 WHERE {LAST}", NOT_SEALED, NOT_SEALED),
    (f"UPDATE sealed_hours SET number = 9 WHERE {LAST}", *["account LI hours 9: is sealed where record 3 follows"] * 2),
    (f"DELETE FROM sealed_hours WHERE {LAST}", "leaf 6: has no entry, and not one record of hours", "leaf 6: has lost its hours"),
    (f"DELETE FROM sealed_hours WHERE {LAST}", *["hours ID: is neither sealed nor waiting"] * 2),
    (
        f"UPDATE sealed_hours SET leaf_number = 0 WHERE {LAST}",
        "log: has 1 records of hours of leaves that are not there, or not theirs",
        "book: has 10 sealed_hours, of which 9 belong to what is written down",
    ),
    (f"UPDATE leaf SET salt = hash WHERE {LEAF}", NOT_SEALED, NOT_SEALED),
    (f"UPDATE leaf SET salt = hash WHERE {LEAF}", *["leaf 6: has a salt of 32 bytes, where 16 belong"] * 2),
    (f"UPDATE leaf SET data = hash WHERE {LEAF}", "leaf 6: has another hash than its own", "leaf 6: is not of a form that is known"),
    ("UPDATE leaf SET entry_id = NULL WHERE book_id = :book", "entry ID: is neither sealed nor waiting", "leaf 0: is not of a form .*"),
    ("DELETE FROM unsealed_hours WHERE book_id = :book", *["hours ID: is neither sealed nor waiting"] * 2),
    (
        f"INSERT INTO unsealed_hours SELECT book_id, hours_id, account_id FROM sealed_hours WHERE {LAST}",
        "hours ID: is sealed as leaf 6 and waits still",
        "hours ID: is sealed and waits still",
    ),
]  # fmt: skip


def tamper(owner: Engine, statement: str, values: dict[str, UUID]) -> None:
    """Do what only the tables' owner can: change what is guarded, with the guards taken away."""
    told = {name: value if owner.dialect.name == "postgresql" else value.hex for name, value in values.items() if f":{name}" in statement}
    if owner.dialect.name == "postgresql":
        with owner.begin() as connection:
            connection.execute(text("SET session_replication_role = replica"))
            for table in ("hours_record", "sealed_hours", "leaf", "checkpoint", "log"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            connection.execute(text(statement), told)
        return
    with contextlib.closing(owner.raw_connection()) as pooled:
        connection: Any = pooled.driver_connection
        connection.execute("PRAGMA foreign_keys = OFF")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement, told)


@dataclass(frozen=True)
class TenRecords:
    """A book in which ten records of hours are sealed and one waits: its ids as statements name them, the head, and what time it is."""

    values: dict[str, UUID]
    head: str
    clock: HandClock


def a_book_of_hours(database: Database, folder: Path) -> TenRecords:
    """Ten records of hours of two people, sealed, and one that waits; nobody finds a fault in them."""
    with Session(database.engine) as session:
        office = open_office(session, database, folder)
        li, wang = (a_person(session, office.book) for _ in range(2))
        give_points(session, office.book, li, 5, office.clock.now())
        for number in range(1, 6):
            office.serve((li, "credit", number))
            office.serve((wang, "honour", number))
        head = office.seal()
        assert head is not None
        office.serve((li, "credit", 10))
        values = {"book": office.book.id, "li": office.account(li), "wang": wang.id}
        assert (office.faults(), office.checked(str(head.note)).faults) == ([], [])
        return TenRecords(values, str(head.note), office.clock)


@pytest.mark.parametrize("groundwork", [a_book_of_hours], ids=["hours"])
@pytest.mark.parametrize(("statement", "verified", "checked"), TAMPERED)
def test_hours_that_were_tampered_with_are_found_by_verify_and_by_the_checker(
    session: Session, database: Database, tmp_path: Path, owner: Engine, statement: str, verified: str, checked: str
) -> None:
    served: TenRecords = database.laid
    values = served.values
    office = office_of(session, database, areas.book(session, values["book"]), tmp_path)
    office.clock = served.clock
    session.expunge(office.book)
    session.rollback()
    tamper(owner, statement, values)
    report = office.checked(served.head)
    for found, told in ((office.faults(), verified), ([f"{place}: {what}" for place, what in report.faults], checked)):
        wanted = re.compile(told.replace("LI", str(values["li"])).replace("ID", "[-0-9a-f]{36}"))
        assert any(wanted.fullmatch(fault) for fault in found), found
        assert len(found) < 4 or "UPDATE hours_record" not in statement, "one change is told at its own place"


def test_hours_that_are_sealed_and_queued_again_stop_nothing_and_those_that_are_held_back_are_named(office: Office) -> None:
    li = a_person(office.session, office.book)
    office.serve((li, "credit", 5))
    assert office.seal() is not None
    again = select(SealedHours.book_id, SealedHours.hours_id, SealedHours.account_id).where(SealedHours.book_id == office.book.id)
    office.session.execute(insert(UnsealedHours).from_select(["book_id", "hours_id", "account_id"], again))
    office.serve((li, "credit", 7))
    sealed = office.seal()
    assert sealed is not None
    assert sealed.head.size == 2
    office.clock.advance(hours=2)
    assert not queries.is_stalled(office.session, office.book.id, office.clock.now())
    office.serve((li, "honour", 9))
    office.clock.advance(hours=25)
    assert queries.is_stalled(office.session, office.book.id, office.clock.now())
    (in_queue,) = [fault for fault in office.faults() if "waits since" not in fault]
    assert in_queue.endswith("is sealed as leaf 0 and waits still")
    (held_back,) = [fault for fault in office.faults() if "waits since" in fault]
    assert held_back.startswith("hours ")
    assert any("waits since 2026" in fault.what for fault in office.checked().faults)


@pytest.mark.parametrize(("later", "told"), MOMENTS)
def test_no_hours_bear_a_moment_that_those_who_cosigned_rule_out(office: Office, later: timedelta, told: str | None) -> None:
    li = a_person(office.session, office.book)
    office.serve((li, "credit", 5))
    first = office.seal()
    assert first is not None
    seal.add_witness(office.session, office.book.id, WITNESS.key, office.clock.now(), address="https://witness.example.org")
    signature = WITNESS.sign(first.note.body, int((office.clock.now() + later).timestamp()))
    assert seal.hear(office.session, office.book.id, 1, signature, office.clock.now())
    office.session.commit()
    office.serve((li, "credit", 7))
    office.seal()
    place = f"account {office.account(li)} hours "
    for found in (office.faults(), [f"{place}: {what}" for place, what in office.checked().faults]):
        assert [fault.startswith(place) and told in fault for fault in found if told] == [True] * bool(told)
        assert len(found) == bool(told)


def test_hours_that_stay_under_no_head_are_told(office: Office, owner: Engine) -> None:
    li = a_person(office.session, office.book)
    for _ in range(2):
        office.serve((li, "credit", 5))
        assert office.seal() is not None
    assert office.faults() == []
    office.session.rollback()
    tamper(owner, "DELETE FROM checkpoint WHERE book_id = :book AND size = 2", {"book": office.book.id})
    office.clock.advance(days=40)
    # When the log began is no excuse once there was a head.
    tamper(owner, f"UPDATE log SET begun_at = {microseconds(office.clock.now())} WHERE book_id = :book", {"book": office.book.id})
    told = "has 1 leaves under no head, the first of them since 2026"
    for found in ([fault.partition(": ")[2] for fault in office.faults()], [fault.what for fault in office.checked().faults]):
        assert [fault.startswith(told) for fault in found] == [True]


@pytest.mark.parametrize(
    "statement", ["UPDATE sealed_hours SET credit = 9 WHERE book_id = :book", "DELETE FROM sealed_hours WHERE book_id = :book"]
)
def test_the_owner_of_the_tables_does_not_change_what_is_sealed_without_taking_the_guards_away(
    office: Office, owner: Engine, statement: str
) -> None:
    office.serve((a_person(office.session, office.book), "credit", 5))
    office.seal()
    book = office.book.id if owner.dialect.name == "postgresql" else office.book.id.hex
    with owner.connect() as connection, pytest.raises(DatabaseError, match="append-only"):
        connection.execute(text(statement), {"book": book})
