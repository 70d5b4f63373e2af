"""What can be had for points: the shops, the nearest first, and of each what it offers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import takewhile
from uuid import UUID

from flask import Blueprint
from flask import render_template
from flask import request
from flask.typing import ResponseReturnValue

from ledger import areas
from ledger import journal
from ledger import people
from ledger.errors import NotFound
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from redeem import catalogue
from redeem import library

pages = Blueprint("catalogue", __name__)

SHOPS, OFFERS_OF_SHOP, OFFERS_MAX = 10, 5, 200


@dataclass(frozen=True)
class ShopSeen:
    """A shop, and the smallest area in which it and whoever looks both are: its level and its name."""

    unit: library.Unit
    level: str
    area: str
    #: How deep in the tree that is: the deeper, the nearer.
    depth: int


@pages.get("/offers")
@allow()
def offers() -> ResponseReturnValue:
    """Show what can be had and where, the nearest shops first: everything, or only what one's points are enough for."""
    if (which := request.args.get("which", "")) not in {"", "enough"}:
        raise NotFound("which")
    available = _available()
    most = available if which else None
    (begun,) = read_cursor(request.args.get("cursor"), int) or (0,)
    shops = nearest(catalogue.shops_offering(session(), me().book_id, me().today, points_most=most))
    page = page_of(list(enumerate(shops))[begun : begun + SHOPS + 1], SHOPS, lambda one: [one[0] + 1])
    seen = [shop for _, shop in page.items]
    ids = [shop.unit.id for shop in seen]
    rows = catalogue.offers_by_shop(session(), me().book_id, me().today, ids, points_most=most, each=OFFERS_OF_SHOP + 1)
    return render_template(
        "redeem/spend/offers.html",
        shops=[(shop, rows[shop.unit.id]) for shop in seen],
        most=OFFERS_OF_SHOP,
        available=available,
        which=which,
        next=page.next,
    )


@pages.get("/offers/<uuid:unit_id>")
@allow()
def shop(unit_id: UUID) -> ResponseReturnValue:
    """Show one shop: where it is, when it is open, what to call, and all that it offers."""
    if not (found := nearest([unit_id])):
        raise NotFound("unit_id")
    rows = catalogue.offers(session(), me().book_id, me().today, unit_ids=[unit_id], limit=OFFERS_MAX)
    return render_template("redeem/spend/shop.html", shop=found[0], rows=rows, available=_available())


def nearest(unit_ids: Collection[UUID]) -> list[ShopSeen]:
    """Return these shops, those with which whoever asks has the smallest area in common first, and then by name."""
    person = people.person(session(), me().book_id, me().person_id)
    units = library.units_by_id(session(), me().book_id, unit_ids).values()
    paths = areas.paths_of(session(), me().book_id, {person.area_code, *(unit.area_code for unit in units)})
    own = paths[person.area_code].rstrip("/").split("/")
    around = {area.code: area for area in areas.areas_by_code(session(), me().book_id, own)}
    shops = []
    for unit in units:
        both = zip(own, paths[unit.area_code].rstrip("/").split("/"), strict=False)
        shared = [code for code, _ in takewhile(lambda pair: pair[0] == pair[1], both)]
        shops.append(ShopSeen(unit, around[shared[-1]].level, around[shared[-1]].name, len(shared)))
    return sorted(shops, key=lambda shop: (-shop.depth, shop.unit.name))


def _available() -> int:
    # Whoever has earned nothing yet has no account.
    account_id = journal.account_ids(session(), me().book_id, "passbook", [me().person_id]).get(me().person_id)
    return journal.balance_of(session(), me().book_id, account_id, services().clock.now()).available if account_id else 0
