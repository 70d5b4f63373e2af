"""The examples of docs/api.md, run in their order as they stand there: each command, and whether the answer is the one that is shown."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ledger.ids import new_id
from tests.conftest import ROOT
from tests.house.conftest import Community

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
PEOPLE = {
    "VOLUNTEER": "volunteer",
    "LEADER": "leader",
    "APPROVER": "first_approver",
    "OTHER_APPROVER": "second_approver",
    "CASHIER": "cashier",
}
ANYTHING = "…"


def examples() -> Iterator[tuple[str, Any]]:
    """Each command of the page, with the answer shown below it, if one is."""
    blocks = re.findall(r"^```(sh|json)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for number, (kind, text) in enumerate(blocks):
        if kind == "sh":
            after = blocks[number + 1] if number + 1 < len(blocks) else ("", "")
            yield text, json.loads(after[1]) if after[0] == "json" else ANYTHING


def curl(client: FlaskClient, command: str, names: dict[str, str]) -> TestResponse:
    """Do what curl would do, with the few of its words that the page uses."""
    said = re.sub(r"\$(\w+)", lambda name: names[name[1]], command.replace("$(openssl rand -hex 16)", str(new_id())))
    program, address, *words = shlex.split(said.replace("\\\n", " "))
    assert program == "curl"
    options = list(zip(words[::2], words[1::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    bodies = [json.loads(value) for option, value in options if option == "--json"]
    assert len(bodies) <= 1
    assert {option for option, _ in options} <= {"-H", "--json"}
    return client.post(address, headers=headers, json=bodies[0]) if bodies else client.get(address, headers=headers)


def compare(shown: Any, answered: Any, names: dict[str, str], place: str = "") -> None:
    """Hold an answer against what the page shows; learn the values it gives a name."""
    if isinstance(shown, str) and shown.startswith("$"):
        assert names.setdefault(shown[1:], str(answered)) == str(answered), place
    elif isinstance(shown, dict):
        named = shown.keys() - {ANYTHING}
        assert named <= answered.keys(), place
        assert ANYTHING in shown or named == answered.keys(), place
        for name in named:
            compare(shown[name], answered[name], names, f"{place}.{name}")
    elif isinstance(shown, list):
        assert len(shown) == len(answered), place
        for number, (one, other) in enumerate(zip(shown, answered, strict=True)):
            compare(one, other, names, f"{place}.{number}")
    elif shown != ANYTHING:
        assert shown == answered, place


def test_every_example_answers_as_the_page_shows(community: Community, client: FlaskClient) -> None:
    names = {"API": "/api/v1"} | {name: community.token(key) for name, key in PEOPLE.items()}
    ran = 0
    for command, shown in examples():
        answer = curl(client, command, names)
        ran += 1
        is_problem = isinstance(shown, dict) and "status" in shown
        assert answer.status_code == (shown["status"] if is_problem else answer.status_code), command
        assert is_problem or answer.status_code < 300, f"{command}{answer.text}"
        compare(shown, json.loads(answer.text), names, command)
    assert ran > 10


@pytest.mark.parametrize("answered", [{"a": 2}, {"a": 1, "b": 2}, {}, {"a": [1]}])
def test_an_answer_that_differs_from_the_page_is_found(answered: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        compare({"a": 1}, answered, {})


def test_the_same_write_sent_again_is_answered_as_the_first_time(community: Community, client: FlaskClient) -> None:
    names = {"API": "/api/v1", "VOLUNTEER": community.token("volunteer")}
    (command,) = (command for command, _ in examples() if "a-patrol-on-sunday" in command)
    first, second = curl(client, command, names), curl(client, command, names)
    assert (second.get_json(), second.headers["Idempotency-Replayed"]) == (first.get_json(), "true")
