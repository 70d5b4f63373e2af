"""Ids: they sort as they were made, also within a millisecond, and say what they are."""

from __future__ import annotations

import time

import pytest

from ledger import ids
from ledger.ids import new_id
from ledger.ids import new_ids


def test_ids_sort_as_they_were_made_within_a_millisecond_too() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert len({one.int >> 80 for one in made}) < len(made) / 10  # many to a millisecond, or this would say nothing


@pytest.mark.parametrize("nanoseconds", [0, 999_999, 1_795_797_375_352_234_999, 1_795_797_375_352_999_999])
def test_an_id_says_that_it_is_a_uuid_of_version_7_and_when_it_was_made(monkeypatch: pytest.MonkeyPatch, nanoseconds: int) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: nanoseconds)
    one = ids.new_id()
    assert (one.version, one.variant) == (7, "specified in RFC 4122")
    assert one.int >> 80 == nanoseconds // 1_000_000
    assert one.int >> 64 & 0xFFF == nanoseconds % 1_000_000 * 4096 // 1_000_000


def test_ids_for_many_are_in_no_order() -> None:
    made = new_ids(30)
    assert len(set(made)) == 30
    assert made != sorted(made)
    assert new_ids(0) == []
