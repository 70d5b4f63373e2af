from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime

import pytest

from redeem.catalogue import period_begins


@pytest.mark.parametrize(
    ("period", "begins"),
    [
        ("day", datetime(2026, 11, 22, 16, tzinfo=UTC)),
        ("month", datetime(2026, 10, 31, 16, tzinfo=UTC)),
        ("year", datetime(2025, 12, 31, 16, tzinfo=UTC)),
    ],
)
def test_a_period_begins_at_midnight_on_the_books_own_clock(period: str, begins: datetime) -> None:
    assert period_begins(period, date(2026, 11, 23), "Asia/Shanghai") == begins
