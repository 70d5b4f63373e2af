"""Afternoons: volunteers spend, by their own code and by the shop's, small and large, with cash beside; tills void mistakes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from bench.month.browser import Browser
from bench.month.client import UnexpectedError
from bench.month.community import Somebody
from bench.month.month import Month
from bench.month.month import Sale
from bench.month.opening import Shop
from bench.month.stand import Stand
from bench.month.themselves import beside_the_shopping

#: The days of the story are counted from 0.
FIRST_SPENDING_DAY = 3
#: What passes at once by a pay code; above it the volunteer is asked.
AT_ONCE = 50


def spend(month: Month, day: int) -> None:
    """Let people go shopping, and to the counter; then void two of the day's sales as mistakes. On the first days nobody has any points."""
    month.at(day, 14)
    if day < FIRST_SPENDING_DAY:
        month.client.together(beside_the_shopping(month, day))
        return
    # Elders pay by card, and whoever acts for somebody meanwhile does nothing of their own.
    elsewhere = {elder.who.id for elder in month.elders} | {month.helper.id, month.guardian.id}
    seen = [one for one in month.seen.values() if one.id not in elsewhere]
    people = month.some(seen, min(month.sizes.redemptions_a_day, len(seen)))
    with_phone = [one for one in seen if one.id in month.phones and one not in people]
    people += month.some(with_phone, min(month.sizes.phones_reporting, len(with_phone)))
    tasks = [
        partial(_visit, month, day, person, month.shops[number % len(month.shops)], way=number % 8) for number, person in enumerate(people)
    ]
    going_on: list[Callable[[], Sale | None]] = [*beside_the_shopping(month, day), *tasks]
    month.sales += [sale for sale in month.client.together(going_on) if sale]
    month.client.together([stand.end for shop in month.shops if (stand := shop.stand)])
    month.at(day, 17)
    today = [sale for sale in month.sales if sale.day == day and month.may_void(sale)]
    mistakes = [partial(_void_at_till, month, sale, part=number % 2 == 1) for number, sale in enumerate(today[: len(today) // 30 + 1])]
    month.voided += sum(month.client.together(mistakes))
    before = [sale for sale in month.sales if sale.day == day - 1 and month.may_void(sale)][-1:]
    month.voided += sum(month.client.together([partial(_void_later, month, sale) for sale in before]))


def _visit(month: Month, day: int, person: Somebody, shop: Shop, *, way: int) -> Sale | None:
    """Buy something that one can pay for, or nothing."""
    available = month.client.get(person.token, "/passbook")["available"]
    affordable = [offer for offer in shop.offers.values() if offer["points"] <= available]
    if not affordable:
        return None
    offer = affordable[-1 - way % 2] if len(affordable) > 1 else affordable[-1]
    if way % 2 == 0 and (stand := shop.stand):
        return _on_page(month, day, person, shop, stand, offer, way)
    cashier, till = shop.cashiers[way % len(shop.cashiers)], shop.tills[way % len(shop.tills)]
    pay = _by_order if way < 3 else _by_pay_code
    posted = pay(month, person, cashier, till, offer, way)
    return posted and Sale(posted["id"], day, shop, cashier, person, posted["points"], posted["cash_fen"])


def _on_page(month: Month, day: int, person: Somebody, shop: Shop, stand: Stand, offer: dict[str, Any], way: int) -> Sale:
    """Pay where the cashier has the till's page: by an order on its screen, or by a code that is shown and typed."""
    phone = month.phones.get(person.id)
    with stand.lock:
        stand.begin()
        waits = way < 3 or offer["points"] > AT_ONCE
        if way < 3:
            redemption_id, number = stand.order(offer)
            if phone:
                phone.open("/order", number=number)
                phone.send("")
            else:
                month.client.post(person.token, "/orders/confirm", code=number)
        else:
            redemption_id = stand.take(offer, _shown(month, person, phone))
            if waits:
                stand.must_say("等居民在手机上确认")
                _say_yes(month, person, phone, redemption_id)
        if waits:
            stand.browser.open(f"/till/redemptions/{redemption_id}")
        stand.must_say(f"已收 {offer['points']} 分")
    return Sale(redemption_id, day, shop, shop.cashiers[0], person, offer["points"], offer["cash_fen"])


def _shown(month: Month, person: Somebody, phone: Browser | None) -> str:
    """Return the pay code that somebody shows, as it is typed."""
    if phone:
        return phone.open("/code").found(r'<p class="say num">(.*?)</p>').replace("<span>", "").replace("</span>", "")
    shown = month.client.get(person.token, "/pay-code")
    return f"{shown['handle']}{shown['digits']}"


def _say_yes(month: Month, person: Somebody, phone: Browser | None, redemption_id: str) -> None:
    if phone:
        phone.open("/waiting")
        phone.send(f"/waiting/{redemption_id}/confirm")
    else:
        month.client.post(person.token, "/redemptions/{}/confirm", redemption_id)


def _by_order(month: Month, person: Somebody, cashier: Somebody, till: str, offer: dict[str, Any], way: int) -> Any:
    """Pay by the shop's order, which the volunteer scans or types, sees, and confirms."""
    order = month.client.post(cashier.token, "/orders", till_id=till, offer_id=offer["id"])
    code = order["number"] if way == 0 else order["code"]
    seen = month.client.get(person.token, "/orders/{}", code)
    _must(seen["points"] == offer["points"] and seen["cash_fen"] == offer["cash_fen"], f"an order shows another price: {seen}")
    posted = month.client.post(person.token, "/orders/confirm", code=order["address"] if way == 1 else code)
    _must(posted["state"] == "posted", f"a confirmed order is {posted['state']}")
    return posted


def _by_pay_code(month: Month, person: Somebody, cashier: Somebody, till: str, offer: dict[str, Any], way: int) -> Any:
    """Pay by the volunteer's code, scanned or typed; a large one waits for the volunteer, who mostly says yes."""
    shown = month.client.get(person.token, "/pay-code")
    code = shown["handle"] + shown["digits"] if way == 4 else shown["address"]
    taken = month.client.post(cashier.token, "/redemptions", till_id=till, offer_id=offer["id"], code=code)
    if offer["points"] <= AT_ONCE:
        _must(taken["state"] == "posted", f"a small redemption is {taken['state']}")
        return taken
    _must(taken["state"] == "pending", f"a large redemption is {taken['state']}")
    waiting = month.client.get(person.token, "/redemptions/waiting")["items"]
    _must([one["id"] for one in waiting] == [taken["id"]], "what waits for confirmation is not shown")
    if way == 7:
        month.client.post(person.token, "/redemptions/{}/decline", taken["id"])
        return None
    if way == 6 and int(person.handle) % 5 == 0:
        month.client.post(cashier.token, "/redemptions/{}/cancel", taken["id"])
        return None
    return month.client.post(person.token, "/redemptions/{}/confirm", taken["id"])


def _void_at_till(month: Month, sale: Sale, *, part: bool) -> int:
    points = sale.points // 2 if part else sale.points
    asked = {"points": points} if part else {}
    month.client.post(sale.cashier.token, "/redemptions/{}/void", sale.id, body=asked, reason="wrong-item")
    return points


def _void_later(month: Month, sale: Sale) -> int:
    """On the next day the till is refused, and staff void what is left, if the till had not voided all of it."""
    left: int = sale.points - month.client.get(sale.cashier.token, "/redemptions/{}", sale.id)["voided"]
    month.client.post(sale.cashier.token, "/redemptions/{}/void", sale.id, reason="returned", expects="void-only-same-day")
    month.client.post(month.community.approvers[1].token, "/redemptions/{}/void", sale.id, reason="returned")
    return left


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise UnexpectedError(otherwise)
