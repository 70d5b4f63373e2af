"""A day on which everything is tried that must not work: each refusal has its code, and nothing is written."""

from __future__ import annotations

from functools import partial
from itertools import cycle
from typing import Any

from bench.month.arriving import link_for
from bench.month.browser import Browser
from bench.month.client import Answer
from bench.month.client import UnexpectedError
from bench.month.community import Somebody
from bench.month.earning import tell
from bench.month.month import Month
from bench.month.month import Sale
from bench.month.month import day_of
from bench.month.opening import Shop
from ledger.ids import new_id
from ledger.web.kit.auth import SESSION_COOKIE

TWICE = 8
WRONG_TRIES = 10
#: Volunteers among whom there are enough that can pay.
SAMPLE = 60


def try_all(month: Month, day: int) -> None:
    """Try every chapter of what must be refused, one after the other, each with people of its own."""
    month.at(day, 13)
    chapters = (
        _strangers, _malformed, _conflicts, _deeds, _decisions, _venue, _same_key_twice, _codes, _orders, _requests, _offers, _voids,
        _wrong_tries, _ways_in,
    )  # fmt: skip
    for chapter in chapters:
        month.client.attempt(partial(chapter, month, day))


def _rich(month: Month) -> list[Somebody]:
    """Return volunteers that can pay for small things, of some that are drawn by lot."""
    people = [person for person in month.some(month.community.volunteers, SAMPLE) if not month.is_elder(person)]
    found = month.client.together([partial(_if_rich, month, person) for person in people])
    return [person for person in found if person]


def _if_rich(month: Month, person: Somebody) -> Somebody | None:
    return person if month.client.get(person.token, "/passbook")["available"] >= 70 else None


def _strangers(month: Month, day: int) -> None:
    client, community = month.client, month.community
    one, other = community.volunteers[:2]
    client.get(None, "/passbook", expects="not-signed-in")
    client.post(one.token, "/tariff/caps", period="year", measure="points", most=1, valid_from=day_of(day), expects="not-allowed")
    client.post(one.token, "/claims/approve", ids=[str(new_id())], expects="not-allowed")
    claim = tell(month, one, "help_a_household_in_difficulty", day)
    client.get(other.token, "/claims/{}", claim["id"], expects="not-found")
    client.post(other.token, "/claims/{}/withdraw", claim["id"], expects="not-found")
    client.post(one.token, "/claims/{}/withdraw", claim["id"])


def _malformed(month: Month, day: int) -> None:
    cashier, till = month.shops[0].cashiers[0], month.shops[0].tills[0]
    for points in (0, -1, 2**63, "10", True, 1.5, [1], None):
        month.client.post(
            cashier.token, "/orders", till_id=till, points=points, expects="nothing-asked" if points is None else "invalid-input"
        )
    tell(month, month.community.volunteers[0], "help_a_household_in_difficulty", day + 1, expects="deed-day-out-of-range")
    month.client.post(month.community.volunteers[0].token, "/claims", deed_on=day_of(day), expects="invalid-input")


def _conflicts(month: Month, day: int) -> None:
    """Try to decide on one's own deed, on kin's, and twice on the same."""
    client, community = month.client, month.community
    first, second, third, _ = community.approvers
    worker = community.grid_workers[0]
    near = next(person for person in community.volunteers if person.area_code == worker.area_code)
    own = tell(month, second, "help_a_household_in_difficulty", day)["id"]
    kin = tell(month, community.kin_of_approver, "help_a_household_in_difficulty", day)["id"]
    theirs = tell(month, near, "give_blood", day)["id"]
    _decided(month, first, "attest", [own])
    _decided(month, second, "attest", [kin])
    _decided(month, worker, "attest", [theirs])
    _decided(month, second, "approve", [own], "own-deed")
    _decided(month, first, "approve", [kin], "kin-or-household")
    _decided(month, second, "approve", [kin], "acted-before")
    _decided(month, worker, "attest", [theirs], "claim-not-in-state")
    own_of_worker = tell(month, worker, "help_a_household_in_difficulty", day)["id"]
    _decided(month, worker, "attest", [own_of_worker], "own-deed")
    _decided(month, third, "attest", [own_of_worker])
    # A deed of staff takes two approvers, and they are two.
    _decided(month, first, "approve", [own_of_worker])
    _decided(month, first, "approve", [own_of_worker], "acted-before")
    for claim_id in (own, kin, theirs, own_of_worker):
        state = client.get(first.token, "/claims/{}", claim_id)["state"]
        if state != "attested":
            raise UnexpectedError(f"a claim that nobody could decide is {state}")


def _decided(month: Month, who: Somebody, step: str, ids: list[str], *expects: str) -> None:
    items = month.client.post(who.token, f"/claims/{step}", ids=ids)["items"]
    done = month.judged(items, *expects)
    if bool(done) == bool(expects):
        raise UnexpectedError(f"{step}: {items}, expected {expects or 'success'}")


def _deeds(month: Month, day: int) -> None:
    person = month.community.volunteers[-5]
    clinic = "accompany_a_neighbour_to_the_clinic"
    begins = month.moment(day, 9).isoformat()
    tell(month, person, clinic, day, minutes=60, starts_at=begins)
    tell(month, person, clinic, day, minutes=30, starts_at=month.moment(day, 9, 30).isoformat(), expects="in-two-places")
    tell(month, person, clinic, day, minutes=120)
    tell(month, person, clinic, day, minutes=30, expects="cap-reached")
    tell(month, person, clinic, day, expects="minutes-missing")
    tell(month, person, clinic, day - 1, minutes=1, expects="too-short-to-count")
    tell(month, person, "fly_to_the_moon", day, expects="deed-not-in-tariff")
    tell(month, person, clinic, day, minutes=60, starts_at=begins, expects="deed-told-already")
    # Of a mediation nothing is told but who mediated and where.
    tell(month, person, "help_settle_a_dispute_between_neighbours", day, text="两家为晾衣杆争执", expects="deed-told-without-text")


def _decisions(month: Month, day: int) -> None:
    """Tell anew what was returned; what was refused or withdrawn stays so."""
    client, worker = month.client, month.community.grid_workers[1]
    near = [person for person in month.community.volunteers if person.area_code == worker.area_code]
    returned, refused, withdrawn = (tell(month, person, "give_blood", day)["id"] for person in near[:3])
    items = client.post(worker.token, "/claims/return", ids=[returned], reason="evidence-missing", note="请补充献血证")["items"]
    month.judged(items)
    month.judged(client.post(worker.token, "/claims/refuse", ids=[refused], reason="not-done")["items"])
    client.post(near[2].token, "/claims/{}/withdraw", withdrawn)
    told = {"deed": "give_blood", "deed_on": day_of(day), "place": "献血车", "text": "证号已附"}
    client.post(near[0].token, "/claims/{}/resubmit", returned, body=told)
    client.post(near[1].token, "/claims/{}/resubmit", refused, body=told, expects="claim-not-in-state")
    client.post(near[2].token, "/claims/{}/withdraw", withdrawn, expects="claim-not-in-state")
    _decided(month, worker, "attest", [returned])


def _venue(month: Month, day: int) -> None:
    client, host = month.client, month.community.hosts[1]
    one, other, third = month.community.volunteers[-20:-17]
    plan = {"area_code": host.area_code, "deed": "attend_a_class_or_lecture", "title": "插花课", "place": "活动室", "capacity": 1}
    times = {"starts_at": month.moment(day, 13, 20).isoformat(), "ends_at": month.moment(day, 14, 20).isoformat()}
    activity_id = client.post(host.token, "/activities", body=plan | times)["id"]
    later = {"starts_at": month.moment(day, 16).isoformat(), "ends_at": month.moment(day, 17).isoformat()}
    later_id = client.post(host.token, "/activities", body=plan | later)["id"]
    month.client.get(month.community.hosts[2].token, "/activities/{}/venue-code", activity_id, expects="not-found")
    old = client.get(host.token, "/activities/{}/venue-code", activity_id)
    month.later(seconds=75)
    client.post(one.token, "/check-in", code=old["address"], expects="venue-code-expired")
    client.post(one.token, "/check-in", code="9-NONE", expects="venue-code-unknown")
    shown = client.get(host.token, "/activities/{}/venue-code", activity_id)
    client.post(one.token, "/check-out", code=shown["address"], expects="not-checked-in")
    client.post(one.token, "/check-in", code=shown["address"])
    client.post(other.token, "/check-in", code=shown["address"], expects="activity-full")
    early = client.get(host.token, "/activities/{}/venue-code", later_id)
    client.post(third.token, "/check-in", code=early["address"], expects="check-in-closed")
    client.post(one.token, "/check-out", code=shown["address"])
    client.post(one.token, "/check-out", code=shown["address"], expects="checked-out-already")


def _same_key_twice(month: Month, day: int) -> None:
    """Ask again with the same key, one by one and all at once: one effect, one answer; with other input it is refused."""
    client, person, key = month.client, month.community.volunteers[-30], f"story-{new_id()}"
    told = {"deed": "give_blood", "deed_on": day_of(day), "place": "献血车"}
    ask = partial(client.ask, person.token, "POST", "/claims", body=told, key=key)
    _must_be_one([ask() for _ in range(TWICE)])
    at_once = partial(client.ask, person.token, "POST", "/claims", body=told | {"place": "医院"}, key=f"{key}-at-once")
    _must_be_one(client.together([at_once] * TWICE))
    client.ask(person.token, "POST", "/claims", body=told | {"place": "别处"}, key=key, expects="idempotency-key-reused")
    for _ in range(2):
        client.ask(
            month.community.approvers[0].token, "POST", "/claims/{}/withdraw", new_id(), key=f"{key}-none", expects="not-found"
        )  # fmt: skip


def _must_be_one(answers: list[Answer]) -> None:
    if len(answers) != TWICE or len({str(answer.body) for answer in answers}) != 1 or sum(not answer.is_replay for answer in answers) != 1:
        raise UnexpectedError(f"the same key was answered {[(answer.status, answer.is_replay) for answer in answers]}")


def _take(month: Month, shop: Shop, person: Somebody, code: str, *, till: int = 0, expects: str = "", **asked: Any) -> Any:
    body = {"till_id": shop.tills[till], "code": code} | asked
    taken = month.client.post(shop.cashiers[0].token, "/redemptions", body=body, expects=expects)
    if not expects and taken["state"] == "posted":
        _sold(month, taken, shop, person)
    return taken


def _sold(month: Month, posted: dict[str, Any], shop: Shop, person: Somebody) -> Sale:
    month.sales.append(Sale(posted["id"], -1, shop, shop.cashiers[0], person, posted["points"], posted["cash_fen"]))
    return month.sales[-1]


def _code(month: Month, person: Somebody) -> str:
    address: str = month.client.get(person.token, "/pay-code")["address"]
    return address


def _codes(month: Month, day: int) -> None:
    shop, person, other = month.shops[0], *_rich(month)[:2]
    poor = month.community.couriers[-1]
    used = _code(month, person)
    _take(month, shop, person, used, points=5)
    _take(month, shop, person, used, points=5, till=1, expects="pay-code-used")
    key = f"story-{new_id()}"
    body = {"till_id": shop.tills[0], "code": _code(month, other), "points": 5}
    answers = [month.client.ask(shop.cashiers[0].token, "POST", "/redemptions", body=body, key=key) for _ in range(TWICE)]
    _must_be_one(answers)
    _sold(month, answers[0].body, shop, other)
    month.client.ask(
        shop.cashiers[0].token, "POST", "/redemptions", body=body | {"points": 6}, key=key, expects="idempotency-key-reused"
    )  # fmt: skip
    _take(month, shop, poor, _code(month, poor), points=20, expects="points-insufficient")
    month.later(seconds=75)
    old = _code(month, other)
    month.later(seconds=75)
    _take(month, shop, other, old, points=5, expects="pay-code-expired")


def _orders(month: Month, day: int) -> None:
    client, shop, (person, other, *_) = month.client, month.shops[1], _rich(month)
    cashier = shop.cashiers[0]
    order = client.post(cashier.token, "/orders", till_id=shop.tills[0], points=5)
    _sold(month, client.post(person.token, "/orders/confirm", code=order["code"]), shop, person)
    client.post(other.token, "/orders/confirm", code=order["code"], expects="order-taken")
    client.post(other.token, "/orders/confirm", code="999", expects="order-unknown")
    cancelled = client.post(cashier.token, "/orders", till_id=shop.tills[0], points=5)
    client.post(cashier.token, "/redemptions/{}/cancel", cancelled["id"])
    client.post(other.token, "/orders/confirm", code=cancelled["code"], expects="order-cancelled")
    own = client.post(cashier.token, "/orders", till_id=shop.tills[0], points=5)
    as_volunteer = next(one for one in month.community.shopkeepers if one.id == cashier.id)
    client.post(as_volunteer.token, "/orders/confirm", code=own["code"], expects="own-till")
    client.post(cashier.token, "/orders", till_id=month.shops[2].tills[0], points=5, expects="not-found")
    month.later(seconds=150)
    client.post(other.token, "/orders/confirm", code=own["code"], expects="order-expired")


def _requests(month: Month, day: int) -> None:
    """Decline a request, and let one lapse: each ends once."""
    client, shop, (person, other, *_) = month.client, month.shops[2], _rich(month)
    waits = _take(month, shop, person, _code(month, person), points=60)
    client.post(other.token, "/redemptions/{}/confirm", waits["id"], expects="not-found")
    client.post(person.token, "/redemptions/{}/decline", waits["id"])
    client.post(person.token, "/redemptions/{}/confirm", waits["id"], expects="not-pending")
    waits = _take(month, shop, other, _code(month, other), points=60)
    month.later(minutes=6)
    client.post(other.token, "/redemptions/{}/confirm", waits["id"], expects="redemption-lapsed")


def _offers(month: Month, day: int) -> None:
    client, shop, people = month.client, month.shops[3], cycle(_rich(month))
    make = partial(client.post, shop.owner.token, "/units/{}/offers", shop.unit_id)
    rare = make(title="限量礼盒", points=10, stock=1)
    once = make(title="体验券", points=5, limit_per_person=1, limit_period="month")
    coming = make(title="下月新品", points=5, valid_from=day_of(day + 1))
    person, other = next(people), next(people)
    _take(month, shop, person, _code(month, person), offer_id=rare["id"])
    _take(month, shop, other, _code(month, other), offer_id=rare["id"], expects="stock-out")
    month.client.post(shop.owner.token, "/offers/{}/deliveries", rare["id"], quantity=1)
    _take(month, shop, other, _code(month, other), offer_id=rare["id"])
    month.later(seconds=61)
    _take(month, shop, person, _code(month, person), offer_id=once["id"])
    month.later(seconds=61)
    _take(month, shop, person, _code(month, person), offer_id=once["id"], expects="limit-reached")
    _take(month, shop, other, _code(month, other), offer_id=coming["id"], expects="offer-not-available")
    order = partial(client.post, shop.cashiers[0].token, "/orders", till_id=shop.tills[0])
    order(offer_id=month.shops[0].offers["理发一次"]["id"], expects="not-found")
    order(points=5, offer_id=once["id"], expects="offer-or-points")
    client.post(shop.owner.token, "/offers/{}/end", once["id"], valid_to=day_of(day))


def _voids(month: Month, day: int) -> None:
    client, shop, (person, *_) = month.client, month.shops[4], _rich(month)
    sale = _take(month, shop, person, _code(month, person), points=10)
    void = partial(client.post, shop.cashiers[0].token, "/redemptions/{}/void", sale["id"], reason="wrong-amount")
    void(points=11, expects="void-exceeds")
    void(points=4)
    void(points=7, expects="void-exceeds")
    void()
    void(expects="voided-already")
    month.voided += 10
    client.post(month.shops[0].cashiers[0].token, "/redemptions/{}/void", sale["id"], reason="other", expects="not-found")


def _wrong_tries(month: Month, day: int) -> None:
    """Guess codes at a till until the shop has to wait, at its other till too."""
    shop, (person, *_) = month.shops[-1], _rich(month)
    for number in range(WRONG_TRIES):
        _take(month, shop, person, f"{person.handle}{number:06}", points=5, expects="pay-code-unknown")
    _take(month, shop, person, _code(month, person), points=5, expects="till-must-wait")
    _take(month, shop, person, _code(month, person), points=5, till=1, expects="till-must-wait")
    month.later(minutes=6)
    _take(month, shop, person, _code(month, person), points=5)


def _ways_in(month: Month, day: int) -> None:
    """Try a wrong password, a code twice, a link for a strong way in, a session for a token, a token for a session, and one too wide."""
    client, community = month.client, month.community
    officer, stranger = month.officer(community.approvers[3]), Browser(month.client)
    told = {"number": officer.who.handle, "password": officer.password, "code": officer.code}
    officer.come_in()
    stranger.open("/sign-in")
    stranger.send("/sign-in", **told, expects="sign-in-wrong")
    month.later(minutes=1)
    stranger.send("/sign-in", **told | {"password": "不是这一句，不是这一句", "code": officer.code}, expects="sign-in-wrong")
    stranger.send("/sign-in", **told | {"number": "00000000", "code": officer.code}, expects="sign-in-wrong")
    stranger.open("/pair")
    stranger.send("/pair", code="ABCD-2345", expects="pairing-code-wrong")
    by_link = Browser(client)
    by_link.open(link_for(month, officer.who))
    by_link.send("", expects="link-not-enough")
    client.get(officer.browser.cookies[SESSION_COOKIE], "/passbook", expects="not-signed-in")
    officer.leave()
    by_token = Browser(client)
    by_token.cookies[SESSION_COOKIE] = community.volunteers[0].token
    if by_token.open("/me").last != "sign-in":
        raise UnexpectedError("a machine's token opened a page")
    asked = {"person_id": str(officer.who.id), "name": "代审核", "scopes": ["approver"], "days": 1}
    client.post(community.administrator.token, "/tokens", body=asked, expects="token-for-oneself-only")
    client.post(community.administrator.token, "/claims/approve", ids=[str(new_id())], expects="not-allowed")
