"""What anybody may see of the alliance: its units in three colours, what they give, and what the shops have for points."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from flask import Blueprint
from flask import render_template
from flask import request
from flask.typing import ResponseReturnValue

from ledger import areas
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.web.kit.auth import allow
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.shared import for_everybody
from redeem import catalogue
from redeem import library

pages = Blueprint("alliance", __name__)

UNITS = 50
#: So many offers are shown with the units of a page.
OFFERS_MAX = 300


@pages.get("/partners/<int(max=99999):number>")
@allow(public=True)
def partners(number: int) -> ResponseReturnValue:
    """Show the units of a book's alliance by colour."""
    if (book := areas.book_numbered(session(), number)) is None:
        raise NotFound("book")
    (after,) = read_cursor(request.args.get("cursor"), str) or ("",)
    page = page_of(library.units(session(), book.id, after=after, limit=UNITS + 1), UNITS, lambda unit: [unit.name])
    by_colour = {colour: [unit for unit in page.items if unit.colour == colour] for colour in library.COLOURS}
    gives: dict[UUID, list[library.Resource]] = defaultdict(list)
    for resource in library.resources(session(), book.id, [unit.id for unit in page.items]):
        gives[resource.unit_id].append(resource)
    offers: dict[UUID, list[catalogue.OfferRow]] = defaultdict(list)
    today, shops = local_day(services().clock.now(), book.zone), [unit.id for unit in by_colour["white"]]
    for row in catalogue.offers(session(), book.id, today, unit_ids=shops, limit=OFFERS_MAX):
        offers[row.offer.unit_id].append(row)
    drawn = render_template("redeem/alliance/partners.html", book=book, units=by_colour, gives=gives, offers=offers, next=page.next)
    return for_everybody(drawn)
