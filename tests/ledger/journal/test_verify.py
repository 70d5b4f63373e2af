"""`verify` sees what somebody who owns the tables has changed behind the service's back, and says where (law 8)."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pytest
from sqlalchemy import Engine
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from ledger import journal
from ledger.store import snapshot
from tests.books import Desk
from tests.books import open_desk
from tests.conftest import START
from tests.conftest import Database
from tests.conftest import HandClock

VERIFY = import_module("ledger.journal.verify")
#: The tally of li's passbook, its newest line, and that line's entry.
PASSBOOK = "book_id = :book AND account_id = :li"
NEWEST = f"{PASSBOOK} AND number = 4"
ENTRY = "book_id = :book AND id = (SELECT entry_id FROM line WHERE book_id = :book AND account_id = :li AND number = 4)"

TAMPERED = [
    (f"UPDATE line SET number = 9 WHERE {NEWEST}", r"account LI line 9: is numbered 9 where 4 follows"),
    (f"UPDATE line SET number = 9 WHERE {NEWEST}", r"account LI: counts 4 lines and 145 points; its lines say 9 and 145"),
    (f"UPDATE line SET before = before + 1, after = after + 1 WHERE {NEWEST}", r"account LI line 4: 141 \+ 5 = 146 does not follow 140"),
    (f"UPDATE line SET before = before + 1, after = after + 1 WHERE {NEWEST}", r"account LI: counts 4 lines and 145 points; .* 4 and 146"),
    (f"UPDATE line SET amount = 9, after = after + 4 WHERE {NEWEST}", r"account LI line 4: does not say what its entry says"),
    (f"UPDATE line SET amount = -5, after = after - 10 WHERE {NEWEST}", r"account LI line 4: does not say what its entry says"),
    (f"UPDATE line SET posted_at = posted_at + 1 WHERE {NEWEST}", r"account LI line 4: does not say what its entry says"),
    (f"UPDATE line SET posted_at = 5 WHERE {NEWEST}", r"account LI line 4: was recorded before the line it follows"),
    (f"UPDATE line SET earned = -900 WHERE {NEWEST}", r"account LI line 4: takes more from the year 2026 than was earned in it"),
    (f"UPDATE entry SET amount = 6 WHERE {ENTRY}", r"account LI line 4: does not say what its entry says"),
    (f"UPDATE entry SET posted_at = posted_at + 1 WHERE {ENTRY}", r"account LI line 4: does not say what its entry says"),
    (f"UPDATE entry SET to_account = :shop WHERE {ENTRY}", r"entry [-0-9a-f]+: has 2 lines where 1 belong"),
    (f"DELETE FROM line WHERE {NEWEST}", r"account LI: counts 4 lines and 145 points; its lines say 3 and 140"),
    (f"DELETE FROM line WHERE {NEWEST}", r"entry [-0-9a-f]+: has 1 lines where 2 belong"),
    (f"DELETE FROM line WHERE {PASSBOOK}", r"account LI: counts 4 lines and 145 points; its lines say 0 and 0"),
    (f"UPDATE tally SET balance = balance + 1 WHERE {PASSBOOK}", r"account LI: counts 4 lines and 146 points; its lines say 4 and 145"),
    (f"UPDATE tally SET lines = 5 WHERE {PASSBOOK}", r"account LI: counts 5 lines"),
    (f"UPDATE tally SET posted_at = posted_at + 1 WHERE {PASSBOOK}", r"account LI: counts 4 lines"),
    (f"UPDATE tally SET held = 30 WHERE {PASSBOOK}", r"account LI: counts 30 points held; its holds say 20"),
    (f"UPDATE tally SET held_until = held_until + 1 WHERE {PASSBOOK}", r"account LI: counts 20 points held; its holds say 20"),
    (f"DELETE FROM tally WHERE {PASSBOOK}", r"account LI: has no counters"),
    ("UPDATE entry SET left_after = 1 WHERE book_id = :book AND reverses = :spent", r"entry SPENT: reversal 1 leaves 1 of 60"),
    ("UPDATE entry SET reversal_number = 2 WHERE book_id = :book AND reverses = :spent", r"entry SPENT: reversal 2 leaves 10 of 60"),
    ("UPDATE entry SET amount = 49 WHERE book_id = :book AND reverses = :spent", r"entry SPENT: reversal 1 leaves 10 of 60"),
    ("UPDATE entry SET to_account = :wang WHERE book_id = :book AND reverses = :spent", r"entry SPENT: reversal 1 leaves 10 of 60"),
    ("UPDATE hold_end SET entry_id = :spent WHERE book_id = :book AND how = 'posted'", r"hold HOLD: of 10 points ended in an entry of 60"),
    (
        "UPDATE hold_end SET how = 'posted', entry_id = :posted WHERE book_id = :book AND how = 'voided'",
        r"entry POSTED: ends more than one hold",
    ),
    ("DELETE FROM hold_end WHERE book_id = :book AND how = 'voided'", r"account LI: counts 20 points held; its holds say 27"),
    ("DELETE FROM answer WHERE book_id = :book AND request_id = :request", r"request REQUEST: was never answered"),
    ("UPDATE entry SET request_id = :spent WHERE book_id = :book AND id = :spent", r"entry SPENT: belongs to no request"),
    (f"UPDATE entry SET kind = 'gift' WHERE {ENTRY}", r"entry [-0-9a-f]+: is a gift from fund to passbook"),
    (f"UPDATE entry SET kind = 'budget' WHERE {ENTRY}", r"entry [-0-9a-f]+: is a budget from fund to passbook"),
    ("UPDATE entry SET kind = 'void' WHERE book_id = :book AND id = :spent", r"entry SPENT: is a void from passbook to receivable"),
    (f"UPDATE line SET deed_on = '2020-01-01' WHERE {NEWEST}", r"account LI line 4: does not say what its entry says"),
    (f"UPDATE line SET term = 2027 WHERE {NEWEST}", r"account LI line 4: belongs to the year 2027 and was recorded in 2026"),
    (f"UPDATE line SET term = 2025 WHERE {NEWEST}", r"account LI line 4: belongs to the year 2025 and was recorded in 2026"),
    (f"UPDATE line SET earned = 4 WHERE {NEWEST}", r"account LI line 4: adds 4 points to the year 2026 where 5 belong"),
    (f"UPDATE line SET earned = 900 WHERE {NEWEST}", r"account LI line 4: adds 900 points to the year 2026 where 5 belong"),
    (f"UPDATE line SET earned = 50 WHERE {PASSBOOK} AND number = 3", r"account LI line 3: adds 50 points to the year 2026 where 0 belong"),
    (
        f"UPDATE line SET earned = -60 WHERE {PASSBOOK} AND number = 2",
        r"account LI line 2: adds -60 points .* where 0 belong",
    ),
    (
        "UPDATE line SET earned = 0 WHERE book_id = :book AND account_id = :wang AND amount = -3",
        r"account WANG line 4: adds 0 points to the year 2026 where -3 belong",
    ),
    (
        "UPDATE line SET earned = 1 WHERE book_id = :book AND account_id = :fund AND number = 1",
        r"account FUND line 1: adds 1 points to the year 2026 where 0 belong",
    ),
    (
        "UPDATE line SET term = 2025 WHERE book_id = :book AND account_id = :wang AND amount = -3",
        r"account WANG line 4: takes back points of the year 2026 from the year 2025",
    ),
    (f"UPDATE tally SET year = 2027 WHERE {PASSBOOK}", r"account LI: is closed up to the year 2027, which has not begun"),
    (f"UPDATE tally SET year = 9999 WHERE {PASSBOOK}", r"account LI: is closed up to the year 9999, which has not begun"),
    (
        "UPDATE hold_end SET how = 'expired' WHERE book_id = :book AND how = 'voided'",
        r"hold VOIDED: is said to have expired before its time",
    ),
    ("UPDATE hold SET expires_at = 1 WHERE book_id = :book AND id = :hold", r"hold HOLD: was posted after its time"),
    ("UPDATE hold SET expires_at = 1 WHERE book_id = :book AND id = :voided", r"hold VOIDED: was voided after its time"),
    ("UPDATE hold_end SET request_id = :spent WHERE book_id = :book AND how = 'voided'", r"hold VOIDED: was ended by no request"),
    ("UPDATE hold SET request_id = :spent WHERE book_id = :book AND id = :hold", r"hold HOLD: belongs to no request"),
    (f"UPDATE tally SET balance = balance + 1 WHERE {PASSBOOK}", r"book: all its accounts together come to \+1 points"),
    (
        "UPDATE entry SET amount = 61 WHERE book_id = :book AND id = :spent",
        r"book: all its accounts together come to \+1 points",
    ),
]


#: What would stop the owner of the tables too, as long as it is there.
UNLINKED = [("entry", "request"), ("hold", "book_id_request_id")]
UNCHECKED = [("line", "earns_no_more_than_it_moves"), ("entry", "takes_back")]


class Tampered:
    """A book with one of everything, and somebody with the owner's rights."""

    def __init__(self, database: Database, owner: Engine) -> None:
        self.kind = database.kind
        self.owner = owner
        with Session(database.engine) as session:
            self.desk = desk = open_desk(session)
            desk.budget(1000)
            desk.award("li", 150)
            desk.award("wang", 10)
            (spent,) = desk.post([desk.spend("li", 60)])
            assert isinstance(spent, journal.Posted)
            desk.post([desk.reverse(spent.entry_id, 50)])
            desk.award("li", 5)
            to_post, to_void, _ = desk.post(
                [desk.reserve("wang", 10, minutes=9), *(desk.reserve("li", points, minutes=9, position=points) for points in (7, 20))]
            )
            assert isinstance(to_post, journal.Held)
            assert isinstance(to_void, journal.Held)
            posted, _ = desk.post([desk.post_hold(to_post.hold_id), desk.void_hold(to_void.hold_id, position=1)])
            assert isinstance(posted, journal.Posted)
            desk.post([desk.reverse(desk.award("wang", 8).entry_id, 3, "clawback")])
            request = desk.act().request_id
            session.commit()
            assert desk.faults() == []
        self.ids = {"book": desk.book_id, "li": desk.account("li"), "wang": desk.account("wang"), "shop": desk.account("shop")}
        self.ids |= {"fund": desk.account("fund"), "spent": spent.entry_id, "posted": posted.entry_id, "request": request}
        self.ids |= {"hold": to_post.hold_id, "voided": to_void.hold_id}

    def change(self, statement: str) -> None:
        """Carry `statement` out with every guard taken away."""
        table = statement.split()[1 if statement.startswith("UPDATE") else 2]
        unguarded = {
            "sqlite": [f"DROP TRIGGER IF EXISTS {table}_no_{act}" for act in ("update", "delete")],
            "postgresql": [
                f"ALTER TABLE {table} DISABLE TRIGGER ALL",
                *(f"ALTER TABLE {of} DROP CONSTRAINT fk_{of}_{to}" for of, to in UNLINKED),
                *(f"ALTER TABLE {of} DROP CONSTRAINT ck_{of}_{what}" for of, what in UNCHECKED),
            ],
        }
        with self.owner.connect() as connection:
            if self.kind == "sqlite":
                connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")
                connection.connection.driver_connection.execute("PRAGMA ignore_check_constraints = ON")
            for step in unguarded[self.kind]:
                connection.exec_driver_sql(step)
            named = {name: id_.hex if self.kind == "sqlite" else id_ for name, id_ in self.ids.items() if f":{name}" in statement}
            assert connection.execute(text(statement), named).rowcount >= 1
            connection.commit()

    def faults(self, engine: Engine) -> list[str]:
        with Session(engine) as session:
            found = [": ".join(fault) for fault in journal.verify(session, self.desk.book_id, START)]
        for name, id_ in self.ids.items():
            found = [fault.replace(str(id_), name.upper()) for fault in found]
        return found


@pytest.mark.parametrize(("statement", "fault"), TAMPERED)
def test_what_was_changed_is_found_and_named(
    database: Database, owner: Engine, statement: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tampered = Tampered(database, owner)
    tampered.change(statement)
    found = tampered.faults(database.engine)
    assert any(re.fullmatch(f"{fault}.*", line) for line in found), found
    # A large book is read side by side, and says the same.
    monkeypatch.setattr(VERIFY, "_LINES_AT_ONCE", 1)
    assert tampered.faults(database.engine) == found


def test_a_book_is_verified_with_progress_and_without_looking_at_its_neighbours(database: Database, owner: Engine) -> None:
    tampered, told = Tampered(database, owner), list[tuple[int, int]]()
    tampered.change(f"DELETE FROM line WHERE {NEWEST}")
    with Session(database.engine) as session:
        neighbour = open_desk(session)
        neighbour.budget(10)
        neighbour.award("li", 5)
        assert journal.verify(session, neighbour.book_id, START, lambda done, total: told.append((done, total))) == []
    assert told[-1] == (3, 3)


@pytest.mark.parametrize("lines_at_once", [1, 500_000])
def test_one_snapshot_is_verified_while_others_post(database: Database, lines_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VERIFY, "_LINES_AT_ONCE", lines_at_once)
    with Session(database.engine) as session:
        desk = open_desk(session)
        desk.budget(100_000)
        names = ["li", "wang", "chen"]
        for name in names:
            desk.award(name, 1000)
        accounts, at = dict(desk.accounts), desk.clock.now()
    stop = threading.Event()

    def spend_all_the_time(name: str) -> int:
        with Session(database.engine) as own:
            one = Desk(own, desk.book_id, dict(accounts), HandClock(at))
            for done in range(200):
                if stop.is_set():
                    return done
                one.post([one.spend(name, 2)])
                one.award(name, 1)
        return 200

    def post_in_between(done: int, total: int) -> None:
        # After the lines, before the counters: whoever reads statement by statement sees them differ here.
        with Session(database.engine) as own:
            Desk(own, desk.book_id, dict(accounts), HandClock(at)).award("li", 1)

    with ThreadPoolExecutor(len(names)) as pool:
        spending = [pool.submit(spend_all_the_time, name) for name in names]
        try:
            for _ in range(5):
                with Session(database.engine) as session:
                    snapshot(session)
                    assert journal.verify(session, desk.book_id, at, post_in_between) == []
        finally:
            stop.set()
        assert all(one.result() for one in spending)


@pytest.mark.only("postgresql")
def test_a_snapshot_writes_nothing(database: Database) -> None:
    with Session(database.engine) as session:
        snapshot(session)
        with pytest.raises(DatabaseError):
            open_desk(session)
    with Session(database.engine) as session:
        open_desk(session)
