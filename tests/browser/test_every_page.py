"""Everybody can use every page: axe finds nothing, and nothing is too small, cut, overlapping, wider than the screen or complained of."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from itertools import islice

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


def test_every_page_is_fit_for_everybody(visit: Callable[..., Visitor], stand: Stand) -> None:
    """Each page once, as the first who sees it, each audience in two ways of looking; `make weigh` takes everybody and all of them."""
    faults, seen, turn = {}, set(), cycle(LOOKS)
    for key, has_desk in AUDIENCES.items():
        looks = list(islice((one for one in turn if has_desk or not one.is_desk), 2))
        visitors = {one: visit(key, **one.options()) for one in looks}
        for one, visitor in visitors.items():
            one.choose(visitor.context, stand.home)
            weighing.bring_axe(visitor.context)
        pages = weighing.walk(visitors[looks[0]].context, stand.home)
        for number, name in enumerate(sorted(pages.keys() - seen)):
            one = looks[number % len(looks)]
            if found := weighing.weigh(visitors[one].open(pages[name]), name).faults:
                faults[name, one.name] = found
        seen |= pages.keys()
    assert len(seen) > 80
    assert faults == {}
