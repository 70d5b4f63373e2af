"""The stand-alone checker: clean where nothing was changed, and no way of tampering before a kept head escapes it."""

from __future__ import annotations

import ast
import contextlib
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import Result
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask
from sqlalchemy.orm import Session

from bench import tampering
from ledger import areas
from ledger import seal
from ledger.act import CHANNELS
from ledger.journal import rules
from ledger.seal import dumping
from ledger.seal import leaves
from ledger.seal import notes
from ledger.seal.merkle import EMPTY_ROOT
from ledger.seal.merkle import fold
from ledger.seal.merkle import leaf_hash
from scripts import check_book
from tests.books import open_desk
from tests.conftest import ROOT
from tests.conftest import Database
from tests.conftest import sealers_engine
from tests.ledger.seal.test_verify import MOMENTS
from tests.sealing import full_disk

CHECKER = ROOT / "scripts" / "check_book.py"
_ORDER = 2**252 + 27742317777372353535851937790883648493

#: RFC 8032, section 7.1: public key, message, signature.
PUBLISHED = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.fixture(scope="module")
def scene(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tampering.Scene:
    """A small book, sealed, of which one head was witnessed and kept."""
    return tampering.build(sqlite_template, tmp_path_factory.mktemp("scene"), Random(1))


@pytest.fixture(scope="module")
def records(scene: tampering.Scene) -> list[Any]:
    """What a dump of that book has."""
    with scene.session(scene.path) as session:
        return json.loads(json.dumps(list(dumping.records(session, scene.book_id, scene.clock.now()))))


def dump_of(records: list[Any]) -> BytesIO:
    return BytesIO(gzip.compress("".join(f"{json.dumps(record)}\n" for record in records).encode(), 1))


def test_an_untouched_book_is_clean(scene: tampering.Scene) -> None:
    report = scene.check(scene.dump(scene.path))
    assert (report.faults, report.count) == ([], 0)
    assert any("witness.example.org cosigned up to" in sentence for sentence in report.said)


@pytest.mark.parametrize("kind", tampering.KINDS)
def test_no_tampering_before_a_kept_head_escapes(scene: tampering.Scene, kind: str) -> None:
    random = Random(kind)
    # A backup is either all there is, or life goes on from it: both come up among eight.
    for _ in range(8 if kind == "restore an old backup" else 4):
        assert scene.check(scene.dump(tampering.tampered(scene, kind, random))).count > 0


def test_a_log_rewritten_as_a_whole_is_betrayed_by_the_kept_head_alone(scene: tampering.Scene) -> None:
    rewritten = (scene.dump(tampering.tampered(scene, "re-chain everything", Random(seed))) for seed in range(20))
    # Of three in four nothing else tells.
    dump = next(one for one in rewritten if scene.check(one, keeping=False).count == 0)
    told = {fault.place: fault.what for fault in scene.check(dump).faults}
    assert told[f"kept, a head of {scene.size:,} that was kept"].startswith("is not a beginning of this log")


def test_a_log_that_was_cut_off_is_told_as_such(scene: tampering.Scene) -> None:
    dump = scene.dump(tampering.tampered(scene, "cut the tail", Random(3)))
    assert "the log was cut off" in scene.check(dump).faults[-1].what


def test_a_dump_has_nothing_of_anybody_and_is_the_same_each_time(scene: tampering.Scene) -> None:
    dumps = [scene.dump(scene.path) for _ in range(2)]
    assert dumps[0] == dumps[1]
    with scene.session(scene.path) as session:
        owners = session.connection().exec_driver_sql("SELECT owner FROM account WHERE book_id = ?", (scene.book_id.hex,)).scalars().all()
    told = gzip.decompress(dumps[0]).decode()
    passbooks = [owner for owner in owners if owner != scene.book_id.hex]
    assert len(passbooks) > 8
    assert [owner for owner in passbooks if owner in told] == []
    assert "鼓楼区" not in told


def test_entries_that_wait_are_checked_as_well(database: Database, session: Session, tmp_path: Path) -> None:
    desk = open_desk(session)
    desk.budget(100)
    desk.award("li", 5)
    engine = sealers_engine(database.engine)
    sealer = seal.Sealer(lambda: Session(engine), desk.book_id, "log.example.org", [bytes(32)], seal.Memory(tmp_path), desk.clock)
    assert sealer.work() is not None
    desk.award("li", 7)
    desk.clock.advance(minutes=1)
    desk.post([desk.spend("li", 3)])
    told = list(dumping.records(session, desk.book_id, desk.clock.now()))
    report = check_book.check(dump_of(told), (), [str(key) for key in notes.log_keys_of("log.example.org", [bytes(32)])])
    assert report.faults == []
    assert any("4 entries, of which 2 wait" in sentence for sentence in report.said)
    for record in told:
        if record[0] == "entry" and record[1] is None:
            record[6][0] = None
    assert any("lacks a line" in fault.what for fault in check_book.check(dump_of(told)).faults)


@pytest.mark.parametrize(("later", "told"), [(timedelta(0), None), *MOMENTS])
@pytest.mark.parametrize("is_kept", [False, True], ids=["in the dump", "kept"])
def test_no_entry_bears_a_moment_that_those_who_cosigned_rule_out(
    database: Database, session: Session, tmp_path: Path, later: timedelta, told: str | None, is_kept: bool
) -> None:
    desk, engine = open_desk(session), sealers_engine(database.engine)
    sealer = seal.Sealer(lambda: Session(engine), desk.book_id, tampering.ORIGIN, [bytes(range(32))], seal.Memory(tmp_path), desk.clock)
    desk.budget(100)
    session.commit()
    first = sealer.work()
    assert first is not None
    signature = tampering.WITNESS.sign(first.note.body, int((desk.clock.now() + later).timestamp()))
    kept = [("kept", str(first.note.with_signatures([signature])))] if is_kept else []
    if not is_kept:
        seal.add_witness(session, desk.book_id, tampering.WITNESS.key, desk.clock.now(), address="https://witness.example.org")
        assert seal.hear(session, desk.book_id, 1, signature, desk.clock.now())
    desk.clock.advance(minutes=1)
    desk.budget(7)
    session.commit()
    assert sealer.work() is not None
    faults = check_book.check(dump_of(list(dumping.records(session, desk.book_id, desk.clock.now()))), kept, tampering.KEYS).faults
    assert [told in fault.what for fault in faults if told] == [True] * bool(told)
    assert len(faults) == bool(told)


def test_an_entry_that_is_held_back_for_more_than_a_day_is_told(database: Database, session: Session, tmp_path: Path) -> None:
    desk, engine = open_desk(session), sealers_engine(database.engine)
    desk.budget(100)
    session.commit()
    seal.Sealer(lambda: Session(engine), desk.book_id, "log.example.org", [bytes(32)], seal.Memory(tmp_path), desk.clock).work()
    desk.clock.advance(minutes=1)
    desk.budget(7)
    for hours, told in ((23, []), (2, ["waits since 2026"])):
        desk.clock.advance(hours=hours)
        records = list(dumping.records(session, desk.book_id, desk.clock.now()))
        report = check_book.check(dump_of(records))
        assert [fault.what[:16] for fault in report.faults] == told
        assert any(sentence.startswith("written down on 2026") for sentence in report.said)
    records[-1][2] -= 3 * 86_400_000_000
    (fault,) = check_book.check(dump_of(records)).faults
    assert "was written down on" in fault.what
    assert "has an entry of" in fault.what


def _entry_of(letter: str, channel: str, acted_for: bytes | None = None) -> tuple[Any, ...]:
    own, when = letter.encode() * 16, ("2026-03-02", 1_772_413_200_000_000)
    return (own, b"S" * 16, b"F" * 16, 50, "budget", *when, b"R" * 16, 0, own, acted_for, channel, *[None] * 7)


def _opened_as(entry: tuple[Any, ...], salt: bytes, data: bytes) -> list[Any]:
    source, fund, *_ = (account.hex() for account in entry[1:3])
    fields = [value.hex() if isinstance(value, bytes) else value for value in entry]
    line = [1, 50, 0, 50, entry[6], entry[5]]
    sides = [[None, [1, (b"1" * 16).hex()]], [line, [1, (b"2" * 16).hex()]]]
    counts = {"accounts": 2, "entries": 1, "lines": 1, "leaves": 1, "sides": 2} | dict.fromkeys(("hours", "sealed_hours", "checkpoints"), 0)
    accounts = [["account", source, "source"], ["account", fund, "fund"]]
    return [["log", 1, "log.example.org"], *accounts, ["entry", 0, 0, fields, salt.hex(), data.hex(), *sides], ["end", counts, entry[6]]]


def test_a_leaf_opens_as_one_entry_alone() -> None:
    # The channel of the one is what follows the salt of the other.
    told, salt = _entry_of("B", "page", b"e" * 16), b"s" * 16
    within = check_book.written(told)[:-7]
    other = _entry_of("A", within.decode())
    longer = salt + check_book.written(other).partition(within)[0]
    assert longer + check_book.written(told) == salt + check_book.written(other)
    sides = [
        sha256(b"\x11" + own + check_book.written((account, 1, points, *balances, *told[4:7])) + b"\xff").digest()
        for own, account, points, balances in ((b"1" * 16, told[1], -50, (None, None)), (b"2" * 16, told[2], 50, (0, 50)))
    ]
    for entry, own, wrong in ((told, longer, "has a salt of 143 bytes, where 16 belong"), (other, salt, "which is no way in")):
        data = b"\x01\x01" + sha256(b"\x10" + own + check_book.written(entry)).digest() + sides[0] + sides[1]
        fault, unsigned = check_book.check(dump_of(_opened_as(entry, own, data))).faults
        assert (wrong in fault.what, "no head" in unsigned.what) == (True, True)
    data = b"\x01\x01" + sha256(b"\x10" + salt + check_book.written(told)).digest() + sides[0] + sides[1]
    assert check_book.check(dump_of(_opened_as(told, salt, data))).faults == [unsigned]


NEW = notes.Signer("log.example.org", notes.ED25519, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture
def changed(database: Database, session: Session, tmp_path: Path) -> list[Any]:
    """The dump of a book whose log changed its key after two entries, and of which the third was signed with the new one alone."""
    desk, engine = open_desk(session), sealers_engine(database.engine)
    new, old = NEW.private.private_bytes_raw(), bytes(32)
    for keys in ([old], [old], [new, old], [new]):
        desk.budget(10)
        desk.clock.advance(minutes=1)
        session.commit()
        sealer = seal.Sealer(lambda: Session(engine), desk.book_id, "log.example.org", keys, seal.Memory(tmp_path), desk.clock)
        assert sealer.work() is not None
    return json.loads(json.dumps(list(dumping.records(session, desk.book_id, desk.clock.now()))))


OLD_KEY = str(notes.Signer("log.example.org", notes.ED25519, Ed25519PrivateKey.from_private_bytes(bytes(32))).key)


def test_whoever_has_the_first_key_follows_the_log_to_the_next(changed: list[Any]) -> None:
    kept = next(record[2] for record in changed if record[0] == "checkpoint" and record[1] == 4)
    assert [record[2] for record in changed if record[0] == "key"] == [0, 2]
    for keys in ([OLD_KEY], [OLD_KEY, str(NEW.key)], []):
        report = check_book.check(dump_of(changed), [("kept", kept)], keys)
        assert report.faults == [], keys
    (fault, *_) = check_book.check(dump_of(changed), [("kept", kept)], [str(NEW.key)]).faults
    assert fault.what == "is the log's first key, and none of those that were given"


def _nobody_vouches(records: list[Any]) -> None:
    records[2][3] = None


def _another_size(records: list[Any]) -> None:
    records[2][2] = 1


def _not_told(records: list[Any]) -> None:
    del records[2]


def _by_the_old_key_alone(records: list[Any]) -> None:
    checkpoint = next(record for record in records if record[0] == "checkpoint" and record[1] == 4)
    old = notes.Signer("log.example.org", notes.ED25519, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    body = notes.note_of(checkpoint[2]).body
    checkpoint[2] = str(notes.Note(body, (old.sign(body),)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_nobody_vouches, "no key before it that is known vouches for that"),
        (_another_size, "no key before it that is known vouches for that"),
        (_not_told, "is not signed by the log"),
        (_by_the_old_key_alone, "is not signed by the log"),
    ],
)
def test_a_key_that_nobody_vouches_for_and_one_that_was_changed_are_told(
    changed: list[Any], change: Callable[[list[Any]], None], told: str
) -> None:
    change(changed)
    assert any(told in fault.what for fault in check_book.check(dump_of(changed), (), [OLD_KEY]).faults)


# --- what does not hold of a dump -------------------------------------------------------------------------------------------------------


def entries(records: list[Any]) -> list[Any]:
    return [record for record in records if record[0] == "entry"]


def test_what_is_not_as_it_should_be_hides_no_other_fault(records: list[Any]) -> None:
    for change in (_no_channel, _no_day, _no_actor, _no_account_id, _no_kind, _no_salt):
        changed = json.loads(json.dumps(records))
        change(changed)
        _far_reversal(changed)
        found = check_book.check(dump_of(changed), (), tampering.KEYS).faults
        assert any("takes back" in fault.what for fault in found), change


def _twice(records: list[Any]) -> None:
    entries(records)[9][3] = entries(records)[5][3]


def _far_reversal(records: list[Any]) -> None:
    (taking, *_) = [record for record in entries(records) if record[3][16]]
    taking[3][18] += 1


def _runs_back(records: list[Any]) -> None:
    _, _, _, entry, _, _, *halves = entries(records)[-1]
    for line in (line for line, _ in halves if line):
        entry[6] = line[4] = 1


def _more_than_there_was(records: list[Any]) -> None:
    (taking, *_) = [record for record in entries(records) if record[3][16]]
    (taken,) = [record[3] for record in entries(records) if record[3][0] == taking[3][16]]
    taking[3][3], taking[3][18] = taken[3] + 1, -1


def _lost(records: list[Any]) -> None:
    entries(records)[9][3] = None


def _no_side(records: list[Any]) -> None:
    entries(records)[9][6][1] = None


def _no_account(records: list[Any]) -> None:
    records.remove(next(record for record in records if record[0] == "account" and record[2] == "passbook"))


def _other_kind(records: list[Any]) -> None:
    next(record for record in records if record[0] == "account" and record[2] == "fund")[2] = "source"


def _gone(records: list[Any]) -> None:
    records.remove(entries(records)[9])


def _waits(records: list[Any]) -> None:
    entries(records)[9][2] = 1


def _balance(records: list[Any]) -> None:
    entries(records)[-1][7][0][3] += 1


def _counts(records: list[Any]) -> None:
    records[-1][1]["sides"] += 1


def _no_channel(records: list[Any]) -> None:
    entries(records)[9][3][11] = ""


def _no_day(records: list[Any]) -> None:
    entries(records)[9][3][5] = entries(records)[9][6][0][5] = "2026-13-45"


def _no_actor(records: list[Any]) -> None:
    entries(records)[9][3][9] = None


def _no_entry_id(records: list[Any]) -> None:
    entries(records)[9][3][0] = None


def _no_account_id(records: list[Any]) -> None:
    next(record for record in records if record[0] == "account" and record[2] == "passbook")[1] = None


def _no_kind(records: list[Any]) -> None:
    next(record for record in records if record[0] == "account" and record[2] == "passbook")[2] = "bank"


def _no_leaf(records: list[Any]) -> None:
    entries(records)[9][5] = None


def _no_salt(records: list[Any]) -> None:
    entries(records)[9][4] = None


def _no_head(records: list[Any]) -> None:
    records[:] = [record for record in records if record[0] != "checkpoint"]
    records[-1][1]["checkpoints"] = 0


def _no_newest_head(records: list[Any]) -> None:
    del records[max(place for place, record in enumerate(records) if record[0] == "checkpoint")]
    records[-1][1]["checkpoints"] -= 1
    records[-1][2] += 2 * 86_400_000_000


def _short_salt(records: list[Any]) -> None:
    entries(records)[9][6][1][1] = ""


def _unsigned(records: list[Any]) -> None:
    checkpoint = next(record for record in records if record[0] == "checkpoint")
    checkpoint[2] = checkpoint[2].partition("\n\n")[0] + "\n\n— somebody.example.org AAAAAAAA\n"


def _order(records: list[Any]) -> None:
    records[2], records[3] = records[3], records[2]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_twice, "is there more than once"),
        (_far_reversal, "takes back"),
        (_more_than_there_was, "takes back"),
        (_runs_back, "was recorded before the line it follows"),
        (_lost, "has lost its entry"),
        (_no_side, "is sealed without a side for each of its accounts"),
        (_no_account, "nothing that is there"),
        (_other_kind, "is a budget from source to source"),
        (_gone, "stands where leaf 9 follows"),
        (_waits, "is sealed and waits still"),
        (_balance, "does not follow"),
        (_balance, "all its accounts together come to"),
        (_counts, "sides, of which"),
        (_no_channel, "is not as it should be: channel"),
        (_no_day, "is not as it should be: deed_on"),
        (_no_actor, "is not as it should be: actor"),
        (_no_entry_id, "is not as it should be: id"),
        (_no_account_id, "has an id that is none"),
        (_no_kind, "is a bank, which is no kind of account"),
        (_no_leaf, "is not of a form that is known"),
        (_no_salt, "has a salt of 0 bytes, where 16 belong"),
        (_no_head, "leaves and no head of the log over them"),
        (_no_newest_head, "under no head, the first of them since 2026"),
        (_short_salt, "has a salt of 0 bytes, where 16 belong"),
        (_unsigned, "is not signed by the log"),
        (_order, "after one of"),
    ],
)
def test_what_does_not_hold_is_told(records: list[Any], change: Callable[[list[Any]], None], told: str) -> None:
    changed = json.loads(json.dumps(records))
    change(changed)
    found = check_book.check(dump_of(changed), (), tampering.KEYS).faults
    assert any(told in fault.what for fault in found), found[:5]


# --- what cannot be read ----------------------------------------------------------------------------------------------------------------


def packed(*lines: str | bytes) -> bytes:
    return gzip.compress(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines), 1)


LOG = '["log",1,"log.example.org"]'
END = json.dumps(["end", dict.fromkeys(check_book._COUNTED, 0), 0])
HOSTILE = {
    "nothing": b"",
    "not packed": b"hello",
    "cut off": packed(LOG)[:-9],
    "wrong sum": packed(LOG)[:-8] + b"\0" * 8,
    "empty": packed(),
    "no end": packed(LOG),
    "not JSON": packed(LOG, "hello"),
    "not UTF-8": packed(LOG, b"\xff\xfe"),
    "no list": packed(LOG, '{"account":1}'),
    "an empty list": packed(LOG, "[]"),
    "unknown": packed(LOG, '["rm","-rf"]'),
    "a list for a kind": packed(LOG, '[["log"],1]'),
    "no log": packed('["account","00","fund"]'),
    "two logs": packed(LOG, LOG),
    "format 2": packed('["log",2,"log.example.org"]'),
    "true": packed('["log",true,"log.example.org"]'),
    "too many parts": packed('["log",1,"log.example.org",1]'),
    "too few parts": packed('["log",1]'),
    "not a number": packed(LOG, '["checkpoint",NaN,"",[]]'),
    "infinity": packed(LOG, '["checkpoint",-Infinity,"",[]]'),
    "a fraction": packed(LOG, '["checkpoint",1.5,"",[]]'),
    "a huge number": packed(LOG, f'["checkpoint",{"9" * 5_000},"",[]]'),
    "a large number": packed(LOG, f'["checkpoint",{2**63},"",[]]'),
    "deep": packed(LOG, "[" * 100_000),
    "deep and closed": packed(LOG, "[" * 50_000 + "]" * 50_000),
    "a long line": packed(LOG, "[" + "1," * 200_000 + "1]"),
    "a bomb": packed(LOG, "0" * 50_000_000),
    "no new line": gzip.compress(LOG.encode()),
    "no id": packed(LOG, '["account","zz","fund"]'),
    "a short id": packed(LOG, '["account","00","fund"]'),
    "an id in capitals": packed(LOG, f'["account","{"AB" * 16}","fund"]'),
    "an account twice": packed(LOG, *[f'["account","{"ab" * 16}","fund"]'] * 2),
    "an unknown kind": packed(LOG, f'["account","{"ab" * 16}","bank"]'),
    "a list for a kind of account": packed(LOG, f'["account","{"ab" * 16}",["fund"]]'),
    "an entry of nothing": packed(LOG, '["entry",null,1,null,null,null,[null,null],[null,null]]'),
    "an entry of few fields": packed(LOG, '["entry",0,0,[1],"00","00",[null,null],[null,null]]'),
    "a side that is none": packed(LOG, '["entry",0,0,null,"00","00",7,[null,null]]'),
    "hours of nothing": packed(LOG, '["hours",null,1,null,null,null,null]'),
    "hours of few fields": packed(LOG, '["hours",0,0,[1],"00","00",null]'),
    "hours of no day": packed(LOG, f'["hours",null,1,["{"ab" * 16}",null,"credit",5,"yesterday",1],null,null,null]'),
    "a place in a chain that is none": packed(LOG, '["hours",0,0,null,"00","00",[1,2,3]]'),
    "an end that is none": packed(LOG, '["end",{},0]'),
    "an end of lists": packed(LOG, END.replace("0", "[]", 1)),
    "half a letter": packed(LOG, r'["checkpoint",1,"\ud800",["\ud800"]]', r'["log",1,"x"]'),
    "more after the end": packed(LOG, END, END),
}  # fmt: skip


@pytest.mark.parametrize("dump", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_dump_is_refused_with_a_sentence(dump: bytes) -> None:
    with pytest.raises(check_book.Unreadable, match=r".{9,}"):
        check_book.check(BytesIO(dump))


def test_any_change_of_a_record_is_a_fault_or_a_sentence(records: list[Any]) -> None:
    random = Random(7)
    values = [None, True, 0, -1, 2**70, 1.5, "", "ab" * 16, "\x1b[2J", [], {}, [[]], "\ud800", "9" * 300]
    for _ in range(60):
        changed = json.loads(json.dumps(records))
        place = changed[random.randrange(len(changed))]
        while isinstance(place, list) and any(isinstance(part, list) and part for part in place) and random.random() < 0.7:
            place = random.choice([part for part in place if isinstance(part, list) and part])
        at = random.randrange(len(place))
        if place[0] == "checkpoint" and at == 3:
            continue  # fewer cosignatures are not a fault
        before, place[at] = place[at], random.choice(values)
        if json.dumps(before) == json.dumps(place[at]):
            continue
        with contextlib.suppress(check_book.Unreadable):
            assert check_book.check(dump_of(changed), (), tampering.KEYS).count > 0, (before, place)


# --- the command --------------------------------------------------------------------------------------------------------------------------


def ran(*told: object) -> subprocess.CompletedProcess[str]:
    # Far from the project, and without anything that is installed: it has to stand alone.
    env = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-I", "-S", CHECKER, *map(str, told)], capture_output=True, text=True, check=False, cwd="/", env=env
    )


def test_the_checker_imports_nothing_that_is_not_in_python() -> None:
    tree = ast.parse(CHECKER.read_text(encoding="utf-8"))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_the_command_says_what_holds_and_what_does_not(scene: tampering.Scene, records: list[Any], tmp_path: Path) -> None:
    dump, kept = tmp_path / "book.jsonl.gz", tmp_path / "kept.txt"
    dump.write_bytes(dump_of(records).getvalue())
    kept.write_text(scene.kept, encoding="utf-8")
    keys = [word for key in tampering.KEYS for word in ("--key", key)]
    good = ran(dump, kept, *keys)
    assert (good.returncode, good.stdout.splitlines()[-1], good.stderr) == (
        0,
        f"check: clean, proven up to leaf {scene.size:,} of {records[-1][1]['leaves']:,}",
        "",
    )
    assert "no keys were given" in ran(dump, kept).stdout
    entries(changed := json.loads(json.dumps(records)))[9][3][3] += 1
    dump.write_bytes(dump_of(changed).getvalue())
    bad = ran(dump, kept, *keys)
    assert bad.returncode == 1
    assert bad.stdout.splitlines()[-1].startswith("check: ")
    assert "is not what was sealed as leaf 9 (这一笔流水被改动，不是封存的那样)" in bad.stdout
    assert "\n未发现问题\n" in good.stdout
    count = bad.stdout.splitlines()[-1].split()[1]
    assert f"\n发现 {count} 处问题：\n" in bad.stdout
    newest = [record[2] for record in records if record[0] == "checkpoint"][-1]
    assert f"leaves, root {newest.splitlines()[2]}" in good.stdout


def sentences(told: ast.expr) -> list[str]:
    """What an expression may say, with a dot for each value in it; nothing of what is said elsewhere."""
    if isinstance(told, ast.IfExp):
        return sentences(told.body) + sentences(told.orelse)
    if isinstance(told, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "." for part in told.values)]
    return [told.value] if isinstance(told, ast.Constant) and isinstance(told.value, str) else []


def test_every_fault_is_told_in_chinese_as_well() -> None:
    calls = [node for node in ast.walk(ast.parse(CHECKER.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    faults = [one.args[1] for one in calls if isinstance(one.func, ast.Attribute) and one.func.attr == "fault"]
    told = [sentence for fault in faults for sentence in sentences(fault)]
    assert len(told) > 25
    assert [sentence for sentence in told if check_book.in_chinese(sentence) == check_book.in_chinese("")] == []


def test_what_the_command_cannot_read_is_said_in_a_sentence(tmp_path: Path, records: list[Any], scene: tampering.Scene) -> None:
    dump, other = tmp_path / "book.jsonl.gz", tmp_path / "other.txt"
    dump.write_bytes(dump_of(records).getvalue())
    for told in ([tmp_path / "nowhere"], [dump, tmp_path / "nowhere"], [dump, dump], [dump, "--key", "nobody"], [tmp_path]):
        answer = ran(*told)
        assert (answer.returncode, answer.stdout) == (2, "")
        assert answer.stderr.startswith("cannot be read 无法读取: ")
        assert answer.stderr.count("\n") == 1
    other.write_text(scene.kept.replace("— ", "— x", 1), encoding="utf-8")
    assert ran(dump, other).returncode in (0, 2)


def test_a_kept_head_of_another_log_or_of_a_stranger_is_a_fault(scene: tampering.Scene, records: list[Any]) -> None:
    stranger = notes.Signer(tampering.ORIGIN, notes.ED25519, Ed25519PrivateKey.generate())
    body = notes.note_of(scene.kept).body
    of_stranger = str(notes.Note(body, (stranger.sign(body),)))
    other = str(notes.Head("other.example.org", 5, bytes(32)))
    of_other = str(notes.Note(other, (tampering.LOG.sign(other),)))
    forged = scene.kept.replace(f"\n{scene.size}\n", f"\n{scene.size - 1}\n")
    empty = str(notes.Head(tampering.ORIGIN, 0, bytes(32)))
    of_nothing = str(notes.Note(empty, (tampering.LOG.sign(empty),)))
    told = [("a", of_stranger), ("b", of_other), ("c", forged), ("d", of_nothing)]
    found = {fault.place[:1]: fault.what for fault in check_book.check(dump_of(records), told, tampering.KEYS).faults}
    assert found["a"] == "is signed by none of the keys that were given"
    assert found["b"] == "is a head of another log, other.example.org"
    assert found["c"].endswith("that does not hold")
    assert found["d"] == "has another root than an empty log"


@pytest.mark.parametrize(
    "kept_as", ["\ufeff{}", "{}\n", "\n{}", "\ufeff{}\n\n"], ids=["BOM", "empty line", "empty line before", "all of it"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_kept_head_is_read_however_an_editor_has_left_it(
    scene: tampering.Scene, records: list[Any], kept_as: str, end: str
) -> None:  # fmt: skip
    for kept in (scene.kept, scene.kept.rstrip("\n")):
        told = kept_as.format(kept).replace("\n", end)
        assert check_book.check(dump_of(records), [("kept", told)], tampering.KEYS).faults == []


def test_a_kept_head_that_is_no_text_is_named(records: list[Any], tmp_path: Path, scene: tampering.Scene) -> None:
    dump, kept = tmp_path / "book.jsonl.gz", tmp_path / "kept.txt"
    dump.write_bytes(dump_of(records).getvalue())
    kept.write_bytes(scene.kept.encode("utf-16"))
    answer = ran(dump, kept)
    assert (answer.returncode, answer.stderr) == (2, f"cannot be read 无法读取: {kept}: not a text in UTF-8\n")


def test_it_is_told_up_to_which_leaf_the_book_is_proven(scene: tampering.Scene, records: list[Any]) -> None:
    sizes = [record[1] for record in records if record[0] == "checkpoint"]
    early = next(record[2] for record in records if record[0] == "checkpoint" and record[1] == sizes[2])
    nothing = str(notes.Head(tampering.ORIGIN, 0, EMPTY_ROOT))
    empty = str(notes.Note(nothing, (tampering.LOG.sign(nothing),)))
    for kept, proven in (([], 0), ([empty], 0), ([early], sizes[2]), ([scene.kept, early, empty], scene.size)):
        report = check_book.check(dump_of(records), [("kept", one) for one in kept], tampering.KEYS)
        assert (report.faults, report.proven, report.leaves) == ([], proven, sizes[-1])
        assert any("no head was given that anybody kept" in sentence for sentence in report.said) == (proven == 0)


def test_the_head_under_a_printed_proof_is_a_kept_head(scene: tampering.Scene, records: list[Any]) -> None:
    proof = str(notes.Proof(3, (bytes(32),), notes.note_of(scene.kept), b"opening"))
    assert check_book.check(dump_of(records), [("page", proof)], tampering.KEYS).count == 0


def test_a_book_is_dumped_by_command_once_and_for_its_auditor_alone(
    app: Flask, database: Database, session: Session, tmp_path: Path
) -> None:
    def run(*told: object) -> Result:
        return app.test_cli_runner().invoke(args=["ledger", "dump", *map(str, told)])

    desk = open_desk(session)
    desk.budget(100)
    number = areas.book(session, desk.book_id).number
    session.rollback()
    path = tmp_path / "book.jsonl.gz"
    refused = run("--book", number, "--to", path)
    assert refused.exit_code == 1
    assert "nothing of this book was sealed yet" in refused.output
    assert not path.exists()
    keys, engine = [bytes(32)], sealers_engine(database.engine)
    seal.Sealer(lambda: Session(engine), desk.book_id, "log.example.org", keys, seal.Memory(tmp_path), desk.clock).work()
    with full_disk():
        full = run("--book", number, "--to", path)
    assert full.exit_code == 1
    assert f"cannot be written: {path}" in full.output
    assert not path.exists()
    answer = run("--book", number, "--to", path)
    assert answer.exit_code == 0, answer.output
    assert "记录已导出" in answer.output
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open("rb") as file:
        assert check_book.check(file).count == 0
    again = run("--book", number, "--to", path)
    assert again.exit_code == 1
    assert "there is such a file already" in again.output


# --- its own arithmetic, against what else there is ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("public", "message", "signature"), PUBLISHED)
def test_the_published_vectors_of_ed25519_pass(public: str, message: str, signature: str) -> None:
    assert check_book.is_signed(bytes.fromhex(public), bytes.fromhex(signature), bytes.fromhex(message))
    assert not check_book.is_signed(bytes.fromhex(public), bytes.fromhex(signature), bytes.fromhex(message) + b"x")


def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_signatures_hold_exactly_where_cryptography_says_so() -> None:
    random = Random(5)
    for _ in range(60):
        private, message = Ed25519PrivateKey.from_private_bytes(random.randbytes(32)), random.randbytes(random.randrange(90))
        public, signature = private.public_key().public_bytes_raw(), private.sign(message)
        assert check_book.is_signed(public, signature, message)
        for _ in range(3):
            part = random.choice(["public", "signature", "message"])
            told = {"public": public, "signature": signature, "message": message or b"x"}
            bit = random.randrange(len(told[part]) * 8)
            told[part] = (int.from_bytes(told[part]) ^ 1 << bit).to_bytes(len(told[part]))
            assert check_book.is_signed(**told) == _holds(**told)
        s = int.from_bytes(signature[32:], "little") + _ORDER
        assert not check_book.is_signed(public, signature[:32] + s.to_bytes(32, "little"), message)
        assert not check_book.is_signed(public, signature[:-1], message)
        assert not check_book.is_signed(public, signature + b"x", message)


def test_the_tree_is_the_log_s() -> None:
    tree, hashes = check_book.Tree(), [leaf_hash(b"%d" % number) for number in range(300)]
    assert tree.root() == EMPTY_ROOT
    for size, hashed in enumerate(hashes, 1):
        tree.add(hashed)
        assert tree.root() == fold(hashes[:size])
    assert check_book.leaf_hash(b"leaf") == leaf_hash(b"leaf")


def test_what_stands_in_a_leaf_is_written_as_the_log_writes_it() -> None:
    values: list[Any] = [None, 0, -7, 2**62, "award", "2026-11-26", bytes(16), "券", b""]
    assert check_book.written(values) == leaves.written(tuple(values))
    assert tuple(check_book.FIELDS) == leaves.EntryFacts._fields
    assert {*check_book.HOURS, *check_book.HOURS_LINK, "previous"} == {*leaves.HoursFacts._fields}
    assert check_book.SALT_BYTES == leaves.SALT_BYTES


def test_what_the_journal_allows_is_what_the_checker_allows() -> None:
    assert {kind: (way.givers, way.takers) for kind, way in rules.WAYS.items()} == check_book.WAYS
    assert rules.LINED == check_book.LINED
    assert frozenset(CHANNELS) == check_book.CHANNELS
    assert set(rules.KINDS) == check_book.LINED | check_book.UNLINED


def test_notes_and_keys_are_read_as_the_log_reads_them(scene: tampering.Scene) -> None:
    random, letters = Random(11), "\n +=—/AZaz09\x00\x1bé"
    for told, own, theirs in (
        (scene.kept, _own_note, _their_note),
        (tampering.KEYS[0], _own_key, _their_key),
        (tampering.KEYS[1], _own_key, _their_key),
    ):
        assert own(told) == theirs(told) is not None
        for _ in range(1_500):
            at = random.randrange(len(told))
            changed = told[:at] + random.choice(["", random.choice(letters)]) + told[at + random.randrange(2) :]
            assert own(changed) == theirs(changed), changed


_P = 2**255 - 19
_EIGHTH = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
WEAK = [0, 1, _P - 1, int.from_bytes(bytes.fromhex(_EIGHTH), "little"), _P - int.from_bytes(bytes.fromhex(_EIGHTH), "little"), _P, _P + 1]


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize("y", WEAK)
def test_a_key_under_which_everything_is_signed_is_refused_as_the_log_refuses_it(y: int, sign: int) -> None:
    key = str(notes.Key("weak.example.org", notes.COSIGNATURE, (y | sign).to_bytes(32, "little")))
    assert _their_key(key) is None
    with pytest.raises(check_book.Unreadable, match="small order"):
        check_book.key_of(key)


def _own_note(text: str) -> object:
    try:
        head = check_book.head_of(text)
    except check_book.Unreadable:
        return None
    return head.origin, head.size, head.root, head.body, [(one.name, one.key_id, one.value) for one in head.signatures]


def _their_note(text: str) -> object:
    try:
        note = notes.note_of(text)
        head = notes.head_of(note.body)
    except notes.NoteError:
        return None
    return head.origin, head.size, head.root, note.body, [(one.name, one.key_id, one.value) for one in note.signatures]


def _own_key(text: str) -> object:
    try:
        key = check_book.key_of(text)
    except check_book.Unreadable:
        return None
    return key.name, key.kind, key.public, key.id


def _their_key(text: str) -> object:
    try:
        key = notes.key_of(text)
    except notes.NoteError:
        return None
    return key.name, key.kind, key.public, key.id
