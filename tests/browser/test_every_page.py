"""Everybody can use every page: axe finds nothing, and nothing is too small, cut, overlapping, wider than the screen or complained of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench import weighing
from bench.weighing import LOOKS
from tests.browser.conftest import Stand
from tests.browser.conftest import Visitor

#: Who of the cast looks, and whether they do at a desk as well.
AUDIENCES = {
    None: False,
    "volunteer": False,
    "leader": False,
    "first_approver": True,
    "grid_worker": True,
    "administrator": True,
    "owner": False,
}


@pytest.mark.parametrize("key", AUDIENCES)
def test_every_page_is_fit_for_everybody(visit: Callable[..., Visitor], stand: Stand, key: str | None) -> None:
    """Each page in one way of looking, in turn; `make weigh` takes all of them."""
    looks = [one for one in LOOKS if AUDIENCES[key] or not one.is_desk]
    visitors = {one: visit(key, **one.options()) for one in looks}
    for one, visitor in visitors.items():
        visitor.context.add_cookies(one.cookies(stand.home))
    pages = weighing.walk(visitors[looks[0]].context, stand.home)
    assert len(pages) > 5
    faults = {}
    for number, (name, address) in enumerate(sorted(pages.items())):
        one = looks[number % len(looks)]
        page = visitors[one].open(address)
        if found := weighing.weigh(page, address).faults:
            faults[name, one.name] = found
    assert faults == {}
