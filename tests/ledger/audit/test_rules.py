from __future__ import annotations

import pytest

from ledger.audit import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:aaaa:bbbb::1", "2001:db8:aaaa::/48"),
        ("somewhere", None),
        ("", None),
        (None, None),
    ],
)
def test_of_an_address_the_neighbourhood_is_kept_and_not_the_home(address: str | None, network: str | None) -> None:
    assert network_of(address) == network
