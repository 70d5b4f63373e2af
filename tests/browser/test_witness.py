"""A till in a real browser watches the log: it cosigns what carries on, and says on its screen where the past was rewritten."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Page
from playwright.sync_api import expect
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from bench.server import serving
from ledger import people
from ledger import seal
from ledger.areas import Book
from ledger.seal.merkle import Tree
from ledger.seal.notes import ED25519
from ledger.seal.notes import Change
from ledger.seal.notes import LogKey
from ledger.seal.notes import Signer
from ledger.seal.notes import followed
from ledger.seal.notes import signing
from ledger.store import engine_for
from scripts.demo.stage import Stage
from tests.browser.conftest import Stand
from tests.browser.conftest import Visitor
from tests.builders import give_points
from tests.conftest import fresh_database
from tests.house.conftest import make_community
from tests.web.pages.sealed import LOG_KEY
from tests.web.pages.sealed import a_witness
from tests.web.pages.sealed import carry_on

Visit = Callable[..., Visitor]
TABLES = ("leaf", "checkpoint", "cosignature")


@dataclass
class Log:
    """The log of the community's book, in the hands of whoever owns its database and its key."""

    stand: Stand
    owner: Engine
    folder: Path
    #: Today's key, and while it is being changed the one before it.
    keys: tuple[bytes, ...] = (LOG_KEY,)

    @property
    def book(self) -> Book:
        with Session(self.stand.engine) as session:
            return Stage(session, people.Vault.of(self.stand.server.settings), self.stand.server.clock.now()).book

    def carry_on(self, *, key_was_lost: bool = False) -> seal.Sealed:
        """Let something happen, seal it and sign."""

        def act(stage: Stage) -> None:
            person = people.person(stage.session, stage.book.id, stage.who("nurse"))
            give_points(stage.session, stage.book, person, 1, stage.now)

        self.stand.play(act)
        host = self.stand.home.partition("://")[2]
        with Session(self.stand.engine) as session:
            clock = self.stand.server.clock
            return carry_on(session, self.book, clock, self.folder, host, self.keys, key_was_lost=key_was_lost)

    def rewrite(self, number: int, hashed: bytes, folder: Path) -> bytes:
        """Change a leaf that was sealed, forget every head and what was kept of them elsewhere; return what the leaf's hash was."""
        self.folder, there = folder, {**self.at(), "number": number}
        with self.unguarded() as connection:
            was = connection.execute(text("SELECT hash FROM leaf WHERE book_id = :book AND number = :number"), there).scalar_one()
            connection.execute(text("UPDATE leaf SET hash = :hash WHERE book_id = :book AND number = :number"), {**there, "hash": hashed})
            for table in ("cosignature", "checkpoint"):
                connection.execute(text(f"DELETE FROM {table} WHERE book_id = :book"), {"book": there["book"]})
        return bytes(was)

    def cut(self, size: int) -> None:
        """Forget the head of this size, as an old backup would."""
        there = {**self.at(), "size": size}
        with self.unguarded() as connection:
            for table in ("cosignature", "checkpoint"):
                connection.execute(text(f"DELETE FROM {table} WHERE book_id = :book AND size = :size"), there)

    def at(self) -> dict[str, object]:
        book_id = self.book.id
        return {"book": book_id.hex if self.owner.dialect.name == "sqlite" else book_id}

    @contextlib.contextmanager
    def unguarded(self) -> Iterator[Connection]:
        """A transaction of the tables' owner, who takes their guards away first."""
        with self.owner.begin() as connection:
            for table in TABLES:
                if self.owner.dialect.name == "sqlite":
                    for act in ("update", "delete"):
                        connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{act}"))
                else:
                    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            yield connection

    def witnesses(self, size: int) -> tuple[str, ...]:
        with Session(self.stand.engine) as session:
            sealed = seal.of_size(session, self.book.id, size)
            assert sealed is not None
            return sealed.witnesses


@pytest.fixture(scope="module")
def log_of_its_own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """A community of its own: its past is rewritten."""
    kind = "postgresql" if request.config.getoption("--db") == "postgresql" else "sqlite"
    folder = tmp_path_factory.mktemp("witnessed")
    with fresh_database(kind, request, folder) as database, serving(database.url) as server:
        engine, owner = engine_for(database.url), engine_for(database.owner_url, migrating=True, poolclass=NullPool)
        with Session(engine) as session:
            make_community(session, people.Vault.of(server.settings), datetime.now(UTC))
        yield Log(Stand(server, engine), owner, folder / "log")
        engine.dispose()
        owner.dispose()


@pytest.fixture
def stand(log_of_its_own: Log) -> Stand:
    return log_of_its_own.stand


@pytest.fixture
def log(log_of_its_own: Log) -> Log:
    """The log, sealed as far as the book goes: a till that opens has something to watch."""
    log_of_its_own.carry_on()
    return log_of_its_own


#: Asks static/js/log.js whether each of these proofs holds.
ARITHMETIC = """async (asked) => {
  const { bytesOf, isConsistent, isIncluded, keyOf, readHead, readNote, verifies } = await import("/static/js/log.js");
  const answers = [];
  for (const { kind, at, from, size, root, proof } of asked.proofs) {
    const check = kind === "inclusion" ? isIncluded : isConsistent;
    answers.push(kind === "inclusion" ? await check(bytesOf(from), at, size, proof.map(bytesOf), bytesOf(root))
      : await check(at, bytesOf(from), size, bytesOf(root), proof.map(bytesOf)));
  }
  const read = [];
  for (const text of asked.notes) {
    try {
      const note = readNote(text);
      const { origin, size } = readHead(note.body);
      const signers = [];
      for (const vkey of asked.keys) if (await verifies(await keyOf(vkey), note)) signers.push(vkey);
      read.push([origin, size, ...signers]);
    } catch (problem) {
      read.push(problem.constructor.name);
    }
  }
  return { answers, read };
}"""


def text_of(value: bytes) -> str:
    return base64.b64encode(value).decode()


def tree_of(hashes: list[bytes]) -> Tree:
    return Tree(len(hashes), lambda level, number, width: b"".join(hashes[number * 256 :][:width]))


def test_the_browsers_arithmetic_is_the_services(visit: Visit) -> None:
    hashes = [seal.leaf_hash(bytes([number])) for number in range(40)]
    trees, draw, proofs, wanted = [tree_of(hashes[:size]) for size in range(41)], Random(5), [], []
    for size in range(1, 41):
        for at in range(size):
            ways = [
                ("inclusion", at, hashes[at], trees[size].inclusion(at)),
                ("consistency", at + 1, trees[at + 1].root(), trees[size].consistency(at + 1)),
            ]
            for kind, number, begins, steps in ways:
                root = trees[size].root()
                proofs.append(
                    {
                        "kind": kind,
                        "at": number,
                        "from": text_of(begins),
                        "size": size,
                        "root": text_of(root),
                        "proof": list(map(text_of, steps)),
                    }
                )
                wanted.append(True)
                broken = [begins, root, *steps]
                spot = draw.randrange(len(broken))
                broken[spot] = bytes([broken[spot][0] ^ 1]) + broken[spot][1:]
                wrong = {"from": text_of(broken[0]), "root": text_of(broken[1]), "proof": list(map(text_of, broken[2:]))}
                proofs.append({**proofs[-1], **wrong})
                wanted.append(False)
    log, witness, stranger = (
        a_witness(name, number) for number, name in enumerate(("log.example.org/1", "street.example.org", "log.example.org/1"), 1)
    )
    log = Signer(log.name, ED25519, log.private)
    stranger = Signer(stranger.name, ED25519, stranger.private)
    body = str(seal.Head(log.name, 7, bytes(32)))
    whole = str(seal.Note(body, (log.sign(body), witness.sign(body, 1_790_000_000))))
    alone = str(seal.Note(body, (stranger.sign(body),)))
    forged = whole.replace("\n7\n", "\n8\n")
    notes = [whole, alone, forged, whole.replace("\n7\n", "\n07\n"), whole[:-1], whole.replace("\n\n", "\n"), whole + "\r", body, ""]
    page = visit(None).open("/")
    given = page.evaluate(ARITHMETIC, {"proofs": proofs, "notes": notes, "keys": [str(log.key), str(witness.key)]})
    assert given["answers"] == wanted
    assert given["read"] == [[log.name, 7, str(log.key), str(witness.key)], [log.name, 7], *["NoteError"] * 7]


#: Asks static/js/log.js which keys it follows to from what is told, and which of them a head of each size may be signed with.
FOLLOWING = """async (histories) => {
  const { follow, signing } = await import("/static/js/log.js");
  const answers = [];
  for (const { known, told, sizes } of histories) {
    const keys = await follow(await follow([], known), told);
    answers.push(sizes.map((size) => signing(keys, size).map((one) => one.vkey)));
  }
  return answers;
}"""


def test_the_browser_follows_a_change_of_keys_as_the_service_does(visit: Visit) -> None:
    first, second, third = (Signer("log.example.org/1", ED25519, a_witness("w", number).private) for number in (1, 2, 3))

    def told(by: Signer, signer: Signer, after: int) -> LogKey:
        body = str(Change(signer.key, after))
        return LogKey(signer.key, after, note=seal.Note(body, (by.sign(body),)))

    good = [LogKey(first.key), told(first, second, 7), told(second, third, 9)]
    odd = [told(third, third, 9), told(first, third, 9), told(second, third, 6), LogKey(third.key, 9), told(second, third, 9)]
    forged = replace(good[2], note=seal.note_of(str(good[2].note).replace("\n9\n", "\n8\n")), after=8)
    histories = [good, good[:1], *([*good[:2], one] for one in (*odd, forged)), [good[0], good[2]], [good[2], good[1]]]
    sizes = [0, 1, 7, 8, 9, 10]

    def written(keys: list[LogKey]) -> list[dict[str, str]]:
        return [{"vkey": str(one.key), "note": str(one.note) if one.note else ""} for one in keys]

    asked = [{"known": written(keys[:1]), "told": written(keys[1:]), "sizes": sizes} for keys in histories]
    # The first one is taken for the log's, whatever is told of it.
    roots = [[replace(keys[0], after=0, note=None), *keys[1:]] for keys in histories]
    wanted = [[list(map(str, signing(followed((), keys), size))) for size in sizes] for keys in roots]
    assert visit(None).open("/").evaluate(FOLLOWING, asked) == wanted


def cosigned(page: Page, log: Log) -> tuple[int, tuple[str, ...]]:
    """Open the till's page and wait until it has cosigned what is new; return how much that is, and who did."""
    # What an earlier page of the till is still at is about an earlier head.
    page.goto("about:blank")
    sealed = log.carry_on()
    is_said = f"size={sealed.head.size}&"
    with page.expect_response(lambda answer: is_said in (answer.request.post_data or "")) as heard:
        page.goto(f"{log.stand.home}/till")
    assert heard.value.status == 204
    return sealed.head.size, log.witnesses(sealed.head.size)


def test_a_till_cosigns_each_head_that_carries_on_under_a_key_of_its_own(log: Log, till: Visitor) -> None:
    page = till.page
    first, (key,) = cosigned(page, log)
    second, (again,) = cosigned(page, log)
    assert second > first
    assert again == key
    assert seal.key_of(key).name.startswith("till-")
    expect(page.locator("body > [data-alarm]")).to_have_count(0)
    page.goto(f"{log.stand.home}/log/{log.book.number}")
    expect(page.locator(".seals .set")).to_contain_text("已见证")


def test_a_till_says_while_all_is_well_that_it_watches(log: Log, till: Visitor) -> None:
    seen, _ = cosigned(till.page, log)
    till.page.get_by_role("link", name="今天").click()
    expect(till.page.locator("main")).to_contain_text(f"这台收银机正在见证账本（{seen:,} 条，")


def test_a_rewritten_past_is_refused_on_the_tills_screen_and_told_to_the_supervisor(
    log: Log, till: Visitor, visit: Visit, tmp_path: Path
) -> None:
    page = till.page
    seen, _ = cosigned(page, log)

    was = log.rewrite(seen - 1, bytes(32), tmp_path / "forged")
    forged = log.carry_on()
    with page.expect_response("**/till/log/refusal") as heard:
        page.goto(f"{log.stand.home}/till")
    assert heard.value.status == 303
    notice = page.locator("body > [data-alarm]")
    expect(notice).to_contain_text("账本对不上：请停用这台收银机，并马上联系监督员。")
    expect(notice).to_contain_text(f"这台收银机见过 {seen} 条的账本日志；现在给它看的 {forged.head.size} 条不是那一本的延续。")
    assert notice.bounding_box()["width"] == page.viewport_size["width"]
    assert log.witnesses(forged.head.size) == ()

    # It stays, whatever the till shows next, and before the network says anything.
    page.get_by_role("link", name="今天").click()
    expect(notice).to_be_visible()

    supervisor = visit("administrator", desk=True).open("/audit")
    supervisor.locator(".problem a").click()
    expect(supervisor.get_by_role("heading", level=1)).to_have_text("账本日志")
    expect(supervisor.locator("main")).to_contain_text(f"它见过 {seen} 条的日志，后来给它看的 {forged.head.size} 条不是那一本的延续。")

    # Once the past is as it was, the till goes on from what it saw.
    log.rewrite(seen - 1, was, tmp_path / "restored")
    size, (key,) = cosigned(page, log)
    assert size > seen
    assert key
    expect(notice).to_have_count(0)


def test_a_log_that_was_cut_is_refused_too(log: Log, till: Visitor, tmp_path: Path) -> None:
    page = till.page
    earlier = log.carry_on()
    seen, _ = cosigned(page, log)
    assert earlier.head.size < seen
    log.cut(seen)
    with page.expect_response("**/till/log/refusal") as heard:
        page.goto(f"{log.stand.home}/till")
    assert heard.value.status == 303
    expect(page.locator("body > [data-alarm]")).to_contain_text(f"见过 {seen} 条的账本日志；现在给它看的 {earlier.head.size} 条")


def test_where_the_browser_knows_no_such_signatures_the_till_is_the_same_without_them(log: Log, till: Visitor) -> None:
    page = till.page
    page.add_init_script("crypto.subtle.generateKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'))")
    page.goto(f"{log.stand.home}/till")
    page.evaluate("() => { indexedDB.deleteDatabase('witness'); }")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("收银")
    expect(page.locator("body > [data-alarm]")).to_have_count(0)


def test_a_till_follows_a_change_of_keys_that_the_key_before_vouches_for_and_no_other(log: Log, till: Visitor, tmp_path: Path) -> None:
    page = till.page
    before, (key,) = cosigned(page, log)
    log.keys = (bytes(range(160, 192)), *log.keys)
    changed, (again,) = cosigned(page, log)
    log.keys = log.keys[:1]
    size, (still,) = cosigned(page, log)
    assert before < changed < size
    assert key == again == still
    page.goto("about:blank")
    ours, log.keys = log.keys, (bytes(range(200, 232)),)
    strange = log.carry_on(key_was_lost=True)
    page.goto(f"{log.stand.home}/till")
    notice = page.locator("body > [data-alarm]")
    expect(notice).to_contain_text("给账本签名的钥匙换了，原来的钥匙没有为新的作证。")
    # What the key that it knows signs it cosigns as before.
    log.keys = ours
    assert cosigned(page, log)[1] == (key,)
    assert log.witnesses(strange.head.size) == ()
    expect(notice).to_be_visible()
