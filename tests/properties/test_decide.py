"""The law without a database: whatever set is asked, each row it writes and each answer it gives keeps the laws."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from ledger.errors import Refusal
from ledger.journal import decide as law
from tests.properties.histories import NAMES
from tests.properties.histories import amounts
from tests.properties.histories import histories
from tests.properties.histories import names
from tests.properties.pure import PureBook


@settings(max_examples=200)
@given(history=histories)
def test_every_row_that_is_decided_keeps_the_laws(history: Any) -> None:
    book = PureBook().live(history)
    moved = dict.fromkeys(book.accounts, 0)
    for entry in book.entries.values():
        moved[entry.from_account] -= entry.amount
        moved[entry.to_account] += entry.amount
    for name in (*NAMES, "fund"):
        assert moved[book.ids[name]] == book.accounts[book.ids[name]].balance


@settings(max_examples=200)
@given(gifts=st.lists(st.tuples(names, amounts), max_size=6), spends=st.lists(st.tuples(names, amounts), max_size=12))
def test_of_a_set_each_is_judged_by_what_those_before_it_left(gifts: Any, spends: Any) -> None:
    steps = [("give", *gift) for gift in gifts] + [("spend", *spend) for spend in spends]
    together = PureBook(100_000)
    alone = PureBook(100_000)
    outcomes = together.post(steps) if steps else []
    one_by_one = [alone.post([step])[0] for step in steps]
    assert [_told(outcome) for outcome in outcomes] == [_told(outcome) for outcome in one_by_one]


def _told(outcome: law.Outcome) -> Any:
    if isinstance(outcome, Refusal):
        return outcome
    assert isinstance(outcome, law.Posted)
    return outcome.from_line, outcome.to_line
