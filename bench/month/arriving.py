"""How everybody comes in at first: staff by links over the pages, machines by tokens, elders by cards, helpers by mandates."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from bench.month import staff
from bench.month import stand
from bench.month.browser import Browser
from bench.month.community import TOKENS_LIVE
from bench.month.community import Somebody
from bench.month.month import FIRST_DAY
from bench.month.month import Elder
from bench.month.month import Month
from bench.month.opening import Shop
from bench.month.staff import Officer

#: Of the grid of the first worker: so many elders with cards; one volunteer helps the first of them, another is a child's guardian.
ELDERS = 4
CARD_PIN = "90474{number}"
#: What the helper may spend a day for the elder.
HELPER_SPENDS = 5
#: Runs a command of `flask ledger` as an operator, and returns what it says.
Operator = Callable[..., str]


def open_office(month: Month, operator: Operator) -> None:
    """Let the operator give two administrators a link and a token; everybody else of the staff has a link that took both of them."""
    community = month.community
    first, second = (_invited(month, operator, one) for one in (community.administrator, community.second_administrator))
    invited = [(one, _link_on_page(first, second, one)) for one in (*community.approvers, *community.grid_workers)]
    for officer in month.client.together([partial(staff.set_up, month.client, month.clock, *one) for one in invited]):
        month.officers[officer.who.id] = officer
    second.leave()


def _invited(month: Month, operator: Operator, administrator: Somebody) -> Officer:
    """Let an administrator come in by a link from the operator, who gives them a token afterwards: a new password ends those before."""
    who = ("--book", str(month.community.book_number), "--handle", administrator.handle)
    link = path_of(operator("people", "link", *who))
    month.officers[administrator.id] = officer = staff.set_up(month.client, month.clock, administrator, link)
    scopes = ("--scope", "administrator", "--scope", "unattended")
    told = operator("people", "token", *who, "--days", str(TOKENS_LIVE.days), "--name", "办公室", *scopes)
    administrator.token = told.strip()
    return officer


def open_tills(month: Month) -> None:
    """Let shop owners come in, hire their cashiers and pair the devices of their first tills; the other tills have machines with tokens."""
    month.shops = month.client.together([partial(_staffed, month, shop, number) for number, shop in enumerate(month.shops)])


def _staffed(month: Month, shop: Shop, number: int) -> Shop:
    owner = staff.set_up(month.client, month.clock, shop.owner, link_for(month, shop.owner))
    for cashier in shop.cashiers:
        owner.browser.open(f"/shop/{shop.unit_id}/staff")
        owner.browser.send(f"/shop/{shop.unit_id}/staff", handle=cashier.handle)
    has_device = number < month.sizes.devices
    desk = stand.set_up(month.client, owner, shop.unit_id, shop.tills[0], shop.cashiers[0], number) if has_device else None
    owner.leave()
    cashiers = [replace(cashier, token=_token_for(month, cashier, "cashier")) for cashier in shop.cashiers]
    return replace(shop, cashiers=cashiers, stand=desk)


def _token_for(month: Month, person: Somebody, scope: str) -> str:
    asked = {"person_id": str(person.id), "name": "收银机", "scopes": [scope], "days": TOKENS_LIVE.days}
    token: str = month.client.post(month.community.administrator.token, "/tokens", body=asked)["token"]
    return token


def open_counter(month: Month) -> None:
    """Let a grid worker pair the counter's device, hand cards to elders, name a helper, and enrol a child with its guardian."""
    worker = month.officer(month.community.grid_workers[0])
    month.later(minutes=1)
    worker.come_in()
    month.counter = stand.pair(month.client, worker.browser, "/counter/devices", name="服务大厅平板", area_code=worker.who.area_code)
    charged = {one.id for charges in month.community.charges.values() for one in charges}
    near = [one for one in month.community.volunteers if one.area_code == worker.who.area_code and one.id in charged]
    *elders, helper, guardian = islice(near, 5, 5 + ELDERS + 2)
    month.elders = [_with_card(worker, elder, number) for number, elder in enumerate(elders)]
    month.helper, month.guardian = helper, guardian
    until = FIRST_DAY + timedelta(days=60)
    worker.browser.open("/staff/mandates", number=elders[0].handle)
    worker.browser.send(
        "/staff/mandates", helper=helper.handle, kind="helper", ends_on=until.isoformat(), points_per_day_max=str(HELPER_SPENDS)
    )  # fmt: skip
    worker.browser.open("/staff/people/new")
    child = {"name": "周小满", "area_code": worker.who.area_code, "birth_month": f"{FIRST_DAY.year - 8}-05", "guardian": guardian.handle}
    month.child_id = worker.browser.send("", **child).last
    worker.leave()
    for one in (helper, guardian):
        come_by_link(month, one)
        _agree(month, one)


def _with_card(worker: Officer, elder: Somebody, number: int) -> Elder:
    desk, pin = worker.browser, CARD_PIN.format(number=number)
    desk.open(f"/counter/cards/{elder.id}")
    card = desk.send(f"/counter/cards/{elder.id}/issue").found(stand.SAY).replace(" ", "")
    desk.open("/counter/pin")
    desk.send("/counter/pin", card=card, _pin=pin, _pin_again=pin)
    return Elder(elder, card, pin)


def come_by_link(month: Month, person: Somebody) -> None:
    """Let a volunteer come in on their own phone, by a link that staff printed; they stay signed in."""
    month.phones[person.id] = phone = Browser(month.client)
    month.used_links.append(link := link_for(month, person))
    phone.open(link)
    phone.send("")


def link_for(month: Month, person: Somebody) -> str:
    """Return where a one-time link leads that the office printed for somebody; one for staff took a second administrator."""
    community = month.community
    made: dict[str, Any] = month.client.post(community.administrator.token, "/people/{}/sign-in-links", person.id)
    if made["link"] is None:
        made = month.client.post(community.second_administrator.token, "/sign-in-links/{}/confirm", made["id"])
    return path_of(made["link"])


def _link_on_page(first: Officer, second: Officer, person: Somebody) -> str:
    """Let one administrator ask for a link on the page of somebody of the staff, and the other confirm it and read it there."""
    page = f"/staff/sign-ins/{person.id}"
    first.browser.open(page)
    first.browser.send(f"{page}/link", way="link")
    second.browser.open(page)
    shown = second.browser.send(second.browser.page.found(rf'"({page}/links/[0-9a-f-]+/confirm)"'))
    return path_of(shown.found(r"<p>(http\S+/sign-in/\S+?)</p>"))


def _agree(month: Month, person: Somebody) -> None:
    """Let somebody say yes to acting for whom they were asked to."""
    phone = month.phones[person.id]
    for action in re.findall(r'"(/helping/mandates/[0-9a-f-]+/agree)"', phone.open("/helping").html):
        phone.send(action)


def path_of(address: str) -> str:
    """Return the path of an address that somebody was given."""
    return urlsplit(address.strip()).path
