"""What people do themselves, over the pages: the office in the morning, the counter in the afternoon, phones in the evening."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from bench.month.arriving import HELPER_SPENDS
from bench.month.arriving import come_by_link
from bench.month.browser import Browser
from bench.month.client import UnexpectedError
from bench.month.community import Somebody
from bench.month.month import Elder
from bench.month.month import Month
from bench.month.month import Sale
from bench.month.month import day_of
from bench.month.opening import Shop
from ledger.sign_in.rules import GUESSES_HERE

#: From this day on elders have something to spend.
ELDERS_SPEND = 5
CARD_POINTS, HELPER_POINTS = 5, 3
WRONG_PIN = "274915"


def open_office(month: Month, day: int) -> None:
    """Let the administrator sign in."""
    month.at(day, 7, 10)
    month.officer(month.community.administrator).come_in()


def work_in_the_office(month: Month, day: int) -> None:
    """Let the administrator, who came in long ago, give a role with a fresh proof, print links for volunteers, and sign out.

    A link opens once, a copied cookie nothing after its owner has signed out, and no machine more than its scopes.
    """
    administrator, community = month.officer(month.community.administrator), month.community
    leader = community.leaders[day % len(community.leaders)]
    roles = f"/staff/people/{leader.id}/roles"
    administrator.browser.open(f"/staff/people/{leader.id}")
    administrator.browser.send(
        roles, role="activity_host", area_code=leader.area_code, starts_on="", ends_on="", expects="proof-needed"
    )  # fmt: skip
    administrator.prove()
    charged = [one for charges in community.charges.values() for one in charges if one.id not in month.phones and not month.is_elder(one)]
    newcomers = month.some(charged, month.sizes.phones_a_day)
    month.client.together([partial(come_by_link, month, one) for one in newcomers])
    stranger = Browser(month.client)
    stranger.open(month.used_links[-1])
    stranger.send("", expects="link-used")
    copied = administrator.browser.copied()
    administrator.leave()
    copied.send(roles, role="approver", area_code=leader.area_code, starts_on="", ends_on="", expects="not-signed-in")
    month.client.get(month.shops[0].cashiers[0].token, "/pay-code", expects="not-allowed")


def approve_on_page(month: Month, approver: Somebody) -> set[str]:
    """Let an approver sign in and approve what the first page of the queue shows, all at one stroke; return what they approved."""
    officer = month.officer(approver)
    officer.come_in()
    outcomes = officer.decide("/staff/queue", "approve")
    done = outcomes.pop("done", [])
    month.all_refused(outcomes, "own-deed", "kin-or-household", "acted-before", "kin-acted-before")
    officer.leave()
    return {str(UUID(claim_id)) for claim_id in done}


def attest_on_page(month: Month, worker: Somebody, claim_id: str) -> None:
    """Let a grid worker sign in and bear witness to a claim."""
    officer = month.officer(worker)
    officer.come_in()
    if officer.decide("/attest", "attest", [claim_id]).get("done") is None:
        raise UnexpectedError(f"{claim_id} could not be attested on the page")
    officer.leave()


def report_on_page(month: Month, phone: Browser, deed: str, day: int, minutes: int | None, text: str | None) -> str:
    """Report a deed on a phone, one's own or that of whom one acts for; return the claim's id."""
    phone.open(f"/me/report?deed={deed}")
    told = {"deed_on": day_of(day), "place": "本小区", "text": text or ""} | ({"minutes": str(minutes)} if minutes else {})
    return phone.send("/me/report", **told).last


def beside_the_shopping(month: Month, day: int) -> list[Callable[[], None]]:
    """Return what goes on while others go shopping: elders at the counter and a till, a helper who pays for one of them, a guardian."""
    going_on: list[Callable[[], None]] = [partial(_elders, month, day)]
    if day % 5 == 4:
        going_on.append(partial(report_for_child, month, day))
    return going_on


def _elders(month: Month, day: int) -> None:
    """Let elders come to the counter and to a till with card and PIN, and the helper pay for one of them."""
    elder, other = month.elders[day % len(month.elders)], month.elders[(day + 1) % len(month.elders)]
    guess(month, elder)
    read_passbook(month, other)
    if day >= ELDERS_SPEND:
        # Whoever guessed at the counter has locked nobody out of the till.
        pay_by_card(month, elder, month.shops[day % month.sizes.devices], day)
        pay_for_elder(month, month.shops[-1], day)


def guess(month: Month, elder: Elder) -> None:
    """Guess an elder's PIN at the counter until the device has to wait, with the right one too."""
    counter = month.counter
    counter.open("/counter")
    for _ in range(GUESSES_HERE.most):
        counter.send("/counter", card=elder.card, _pin=WRONG_PIN, expects="card-or-pin-wrong")
    counter.send("/counter", card=elder.card, _pin=elder.pin, expects="guesses-too-many")


def read_passbook(month: Month, elder: Elder) -> None:
    """Come in at the counter with card and PIN, look at one's passbook, and sign out."""
    counter = month.counter
    counter.open("/counter")
    counter.send("/counter", card=elder.card, _pin=elder.pin)
    counter.open("/me/passbook")
    counter.send("/sign-out")


def pay_by_card(month: Month, elder: Elder, shop: Shop, day: int) -> None:
    """Pay at a till's device with card and PIN, at once."""
    if (stand := shop.stand) is None:
        raise UnexpectedError(f"{shop.unit_id} has no device")
    with stand.lock:
        stand.begin()
        redemption_id = stand.take_by_card(CARD_POINTS, elder.card, elder.pin)
        stand.must_say(f"已收 {CARD_POINTS} 分")
    month.sales.append(Sale(redemption_id, day, shop, shop.cashiers[0], elder.who, CARD_POINTS, 0))


def pay_for_elder(month: Month, shop: Shop, day: int) -> None:
    """Let the helper act for the first elder and pay a shop's order, and try another that is over the day's limit."""
    phone, elder = month.phones[month.helper.id], month.elders[0].who
    phone.open("/helping")
    phone.send(f"/helping/{elder.id}/act")
    cashier = shop.cashiers[0]
    for spent in range(0, 2 * HELPER_POINTS, HELPER_POINTS):
        order = month.client.post(cashier.token, "/orders", till_id=shop.tills[1], points=HELPER_POINTS)
        phone.open(f"/o/{order['code']}")
        is_over = spent + HELPER_POINTS > HELPER_SPENDS
        phone.send("", expects="mandate-limit" if is_over else "")
        if not is_over:
            month.sales.append(Sale(order["id"], day, shop, cashier, elder, HELPER_POINTS, 0))
    phone.open("/code", expects="pay-code-not-on-behalf")
    phone.send("/helping/stop")


def report_for_child(month: Month, day: int) -> None:
    """Let the guardian act for the child and report what it did; the grid worker saw it."""
    phone = month.phones[month.guardian.id]
    phone.open("/helping")
    phone.send(f"/helping/{month.child_id}/act")
    claim_id = report_on_page(month, phone, "sweep_or_clear_a_shared_space", day, 45, "和家长一起扫楼道")
    phone.send("/helping/stop")
    attest_on_page(month, month.community.grid_workers[0], claim_id)
