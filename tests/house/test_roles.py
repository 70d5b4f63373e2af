"""The page of the roles says what the code says."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from ledger.claims import MAY
from ledger.people import ROLES
from ledger.web.kit.auth import rule_of
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "roles.md").read_text(encoding="utf-8")
#: What the page calls each role.
CALLED = {role: role.replace("_", " ") for role in ROLES} | {"co_confirmer": "co-confirmer (community police)"}


def table(heading: str) -> dict[str, dict[str, str]]:
    """Return a table of the page: what stands in each column, by the role of the row."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (text,) = (part for part in section if part.startswith(heading))
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|"))
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


def says_yes(rows: dict[str, dict[str, str]], role: str, column: str) -> bool:
    return rows.get(CALLED[role], rows["everybody else"])[column] != "–"


def test_every_role_is_told_of() -> None:
    told = {name for heading in ("Claims", "People", "Figures", "Units") for name in table(heading)}
    assert set(CALLED.values()) <= told


@pytest.mark.parametrize(
    ("column", "step"),
    [
        ("proposes for others", "propose"),
        ("attests", "attest"),
        ("approves", "approve"),
        ("returns", "return"),
        ("refuses", "refuse"),
    ],
)
def test_who_takes_which_step_on_claims_is_as_the_page_says(column: str, step: str) -> None:
    rows = table("Claims")
    assert {role for role in ROLES if says_yes(rows, role, column)} == set(MAY[step])


@pytest.mark.parametrize(
    ("heading", "column", "endpoint"),
    [
        ("People", "finds and lists people", "api_people.list_people"),
        ("People", "enrols, answers applications", "api_people.enrol"),
        ("People", "enrols, answers applications", "api_applications.confirm"),
        ("People", "merges two records", "api_merges.confirm"),
        ("People", "gives roles", "api_people.grant_role"),
        ("Figures", "funds: what is left", "api_funds.list_funds"),
        ("Figures", "funds: line by line", "api_funds.list_lines"),
        ("Figures", "opens funds, gives budgets", "api_funds.open_fund"),
    ],
)
def test_who_gets_through_a_door_is_as_the_page_says(app: Flask, heading: str, column: str, endpoint: str) -> None:
    rows, rule = table(heading), rule_of(endpoint, app)
    assert rule is not None
    # Building leaders and leaders of teams see those of their own, on pages of their own.
    elsewhere = {"building_leader"} if column == "finds and lists people" else set()
    assert {role for role in ROLES if says_yes(rows, role, column)} - elsewhere == rule.roles
