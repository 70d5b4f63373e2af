"""The API keeps to its own document: schemathesis asks every operation for what the document promises and for what it forbids.

A few examples of each here, always the same ones; `make fuzz` takes many more, and others each time (PASSBOOK_FUZZ=<examples>).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import Phase
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.checks import load_all_checks
from schemathesis.core.failures import Failure
from schemathesis.core.failures import FailureGroup

from ledger.web.kit.auth import allow
from tests.house.conftest import Community

pytestmark = pytest.mark.walk("postgresql")

EXAMPLES = os.environ.get("PASSBOOK_FUZZ")
HOW_MUCH = {"max_examples": int(EXAMPLES)} if EXAMPLES else {"max_examples": 3, "derandomize": True, "phases": [Phase.generate]}
LIKE_THIS = settings(**HOW_MUCH, deadline=None, database=None, suppress_health_check=list(HealthCheck))

load_all_checks()
#: Tokens are drawn up here, not by schemathesis (tests/house/test_routes.py is about them); a request that is right in form may be
#: refused by the rules.
NOT_ASKED = CHECKS.get_by_names(["ignored_auth", "positive_data_acceptance"])


@pytest.mark.parametrize(
    ("who", "mode"),
    [
        ("everything", GenerationMode.POSITIVE),
        ("everything", GenerationMode.NEGATIVE),
        ("volunteer", GenerationMode.POSITIVE),
        ("cashier", GenerationMode.POSITIVE),
    ],
)
def test_every_answer_is_one_that_the_document_names(app: Flask, community: Community, who: str, mode: GenerationMode) -> None:
    if who == "everything":
        community.make_owner_of_everything(who := "owner")
    assert ask_all(app, community, who, mode) > 60


def ask_all(app: Flask, community: Community, who: str, mode: GenerationMode, paths: str = ".") -> int:
    """Ask the operations of some paths, and return how many there were; raise where an answer is not as the document says."""
    known, headers = community.known(), {"Authorization": f"Bearer {community.token(who)}"}
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app).include(path_regex=paths)
    operations = [found.ok() for found in document.get_all_operations()]
    for operation in operations:

        @settings(LIKE_THIS)
        @given(case=operation.as_strategy(generation_mode=mode), random=st.randoms(use_true_random=False))
        def ask(case: schemathesis.Case, random: Random) -> None:
            if mode is GenerationMode.POSITIVE:
                case.path_parameters = likely(case.path_parameters, known, random)
                case.body = likely(case.body, known, random)
            case.call_and_validate(headers=headers, excluded_checks=NOT_ASKED)

        ask()
    return len(operations)


def likely(value: Any, known: Mapping[str, list[str]], random: Random, name: str = "") -> Any:
    """Return `value`, with something that there is in many places where a name says what it is about."""
    if isinstance(value, dict):
        return {key: likely(below, known, random, key) for key, below in value.items()}
    if isinstance(value, list):
        return [likely(below, known, random, name) for below in value]
    return random.choice(known[name]) if name in known and random.random() < 0.8 else value


@pytest.mark.parametrize(
    "broken",
    [
        lambda: 1 // 0,
        lambda: ("", 418),
        lambda: ({"items": "many", "next": None}, 200),
        lambda: ("<p>many", 200),
    ],
    ids=["an error of ours", "a status", "a shape", "a type"],
)
def test_an_answer_that_the_document_does_not_name_is_found(
    app: Flask, community: Community, monkeypatch: pytest.MonkeyPatch, broken: Callable[[], Any]
) -> None:
    monkeypatch.setitem(app.view_functions, "api_tariff.list_categories", allow()(broken))
    with pytest.raises((FailureGroup, Failure)):
        ask_all(app, community, "volunteer", GenerationMode.POSITIVE, "/categories$")
