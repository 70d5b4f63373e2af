"""The documents keep to the code: what they name exists, what exists they name, and what they tell people to run works."""

from __future__ import annotations

import ast
import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import URL
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ledger.settings import Settings
from ledger.store import engine_for
from ledger.store import missing_guards
from scripts.reference import PAGES
from scripts.reference import filled
from tests.builders import a_book
from tests.builders import a_person
from tests.conftest import ROOT
from tests.conftest import migrate

#: What is made in a checkout and is no part of the project.
MADE = re.compile(r"var|__pycache__|\.(?!ci$|github$).*")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
ALL = "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)


def sources() -> Iterator[Path]:
    """Every file of the project, without what is made in it."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not MADE.fullmatch(name)]
        yield from (Path(folder) / name for name in names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_that_follow_from_the_code_are_up_to_date(app: Flask, page: Path) -> None:
    written = page.read_text(encoding="utf-8")
    assert filled(written, app) == written, "run `make docs`"


def test_every_setting_is_explained_and_no_other() -> None:
    told = set(re.findall(r"^\| `(PASSBOOK_\w+)` \|", OPERATING, re.MULTILINE))
    assert told == {f"PASSBOOK_{field.name.upper()}" for field in fields(Settings)}
    assert set(re.findall(r"PASSBOOK_[A-Z_]+", ALL)) == told


def test_every_make_target_is_told_and_every_one_told_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    listed = set(re.findall(r"\.PHONY: (.*)", makefile)[0].split())
    assert targets == listed
    assert set(re.findall(r"`make ([a-z-]+)", ALL)) | set(re.findall(r"^make ([a-z-]+)", ALL, re.MULTILINE)) == targets


def test_decisions_are_numbered_without_a_gap_and_led_to() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(one.name[:4]) for one in decisions] == list(range(1, len(decisions) + 1))
    for number, one in enumerate(decisions, start=1):
        assert one.read_text(encoding="utf-8").startswith(f"# {number}. ")
        assert f"(adr/{one.name})" in (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as they are commonly made."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    written = re.sub(r"```.*?```|`[^`\n]*`", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", written):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(found), target


def test_every_library_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[>=<]", one)[0] for one in wanted if not one.startswith("types-")}
    table = (ROOT / "docs" / "adr" / "0004-libraries.md").read_text(encoding="utf-8")
    told = {name for row in re.findall(r"^\| [^|]* \| ([^|]*) \|", table, re.MULTILINE) for name in re.findall(r"[a-z][\w-]+", row)}
    assert names - told == set()


def test_every_word_of_the_glossary_is_used_on_a_screen() -> None:
    rows = re.findall(r"^\| (.*?) \| (.*?) \| ", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)[1:]
    told = {word for _, words in rows for word in words.split(", ")} - {"–"}
    screens = [*ROOT.glob("templates/**/*.html"), *(path for package in ("ledger", "redeem") for path in ROOT.glob(f"{package}/**/*.py"))]
    seen = "".join(path.read_text(encoding="utf-8") for path in screens)
    assert {word for word in told if word not in seen} == set()
    assert len(told) > 40


def test_every_file_and_name_of_the_tour_exists() -> None:
    tour = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:ledger|redeem|migrations|tests|scripts|bench|wsgi)[\w/]*(?:\.py|/))(?::(\w+)(?:\.(\w+))?)?`", tour)
    for path, name, inner in named:
        assert (ROOT / path).exists(), path
        for wanted in filter(None, (name, inner)):
            assert wanted in _defined((ROOT / path).read_text(encoding="utf-8")), f"{path}:{wanted}"
    assert len(named) > 30


def _defined(source: str) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_every_folder_of_code_stands_in_the_tour() -> None:
    house = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8").split("```")[1]
    inside = [path for package in ("ledger", "redeem") for path in (ROOT / package).iterdir()]
    folders = {path.name for path in inside if path.is_dir() and not MADE.fullmatch(path.name)}
    assert folders <= set(re.findall(r"(\w+)/", house))


BINARY = {".xlsx", ".png", ".mo", ".db", ".ttf", ".wasm", ".gz", ".br"}


def test_no_file_names_a_place_of_somebody_s_machine_or_a_registry() -> None:
    own = re.compile(r"(?:^|[\s\"'=(])/(?:work|home|root|Users|tmp|mnt|opt)/|pypi\.org|pythonhosted|index-url|npmjs|registry\.")
    found = []
    for path in sources():
        if path.suffix not in BINARY and path != Path(__file__) and "vendor" not in path.parts:
            lines = path.read_text(encoding="utf-8").splitlines()
            found += [f"{path.relative_to(ROOT)}:{number}" for number, line in enumerate(lines, start=1) if own.search(line)]
    assert found == []


def test_what_operating_begins_with_can_be_typed_as_it_stands(app: Flask, session: Session) -> None:
    begins = OPERATING.split("## Beginning")[1].split("```sh\n")[1].split("```")[0]
    commands = [shlex.split(line, comments=True) for line in begins.splitlines() if line.startswith("flask ")]
    assert len(commands) >= 9
    put_in = {"roster.xlsx": str(ROOT / "examples" / "roster-office.xlsx")}
    for _, *words in commands:
        done = app.test_cli_runner().invoke(args=[put_in.get(word, word) for word in words], input="陈桂芳\n13800000001\n")
        assert done.exit_code == 0, f"{words}: {done.output}"
        if "enrol" in words:
            put_in["..."] = re.findall(r"\b\d{8}\b", done.output)[-1]


def test_what_has_to_be_done_every_day_can_be_typed_as_it_stands(app: Flask, session: Session) -> None:
    a_person(session, book := a_book(session), "administrator")
    assert book.number == 1
    session.commit()
    commands = sorted(set(re.findall(r"^[0-9* ]+ passbook .* \.venv/bin/flask (.*)$", OPERATING, re.MULTILINE)))
    assert len(commands) == 4
    for command in commands:
        done = app.test_cli_runner().invoke(args=shlex.split(command))
        assert done.exit_code == 0, f"{command}: {done.output}"


def test_the_roles_of_postgresql_are_made_as_operating_says(postgresql_server: URL) -> None:
    ours = {name: f"{name}_{os.getpid()}" for name in ("passbook_owner", "passbook")}
    server = postgresql_server.set(database="postgres")
    before, after = (_as_ours(block, ours) for block in re.findall(r"```sql\n(.*?)```", OPERATING, re.DOTALL))

    def address(name: str) -> str:
        return server.set(username=ours[name], password="secret", database=ours["passbook"]).render_as_string(hide_password=False)

    try:
        _as_superuser(server, *before)
        migrate(address("passbook_owner"))
        _as_superuser(server, *after)
        with Session(engine_for(address("passbook"), poolclass=NullPool)) as session:
            a_book(session)
            session.commit()
            assert missing_guards(session.connection()) == []
            with pytest.raises(DatabaseError, match="permission denied"):
                session.execute(text("DELETE FROM line WHERE book_id = book_id"))
    finally:
        drops = (f"DATABASE IF EXISTS {ours['passbook']} WITH (FORCE)", *(f"ROLE IF EXISTS {role}" for role in reversed(ours.values())))
        _as_superuser(server, *(f"DROP {what}" for what in drops))


def _as_ours(block: str, ours: dict[str, str]) -> list[str]:
    """Return the statements of a block, under names of our own: the server may be one that has a passbook."""
    said = re.sub(r"--.*", "", block).replace("'...'", "'secret'")
    renamed = re.sub(r"\b(passbook_owner|passbook)\b", lambda name: ours[name[1]], said)
    return [statement for statement in renamed.split(";") if statement.strip()]


def _as_superuser(server: URL, *statements: str) -> None:
    engine = engine_for(server.render_as_string(hide_password=False), migrating=True, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
