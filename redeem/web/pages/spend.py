"""The volunteer's side of spending: the pay code, the shop's order, what waits for a yes, receipts, and what can be had."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint
from flask import g
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import journal
from ledger.errors import Refusal
from ledger.tokens import digits_of
from ledger.web.kit import scanning
from ledger.web.kit.addresses import code_address
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paired import open_form
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import show
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from redeem import codes
from redeem import redemptions
from redeem.web.kit import if_changed
from redeem.web.kit import own_pay_code
from redeem.web.kit import own_session

pages = Blueprint("spend", __name__)

#: How often the code's page looks whether a shop asks for something.
LOOKS_EVERY = timedelta(seconds=6)
#: For how long the code's page says what was just paid.
JUST_NOW = timedelta(minutes=2)


@pages.get("/code")
@allow("volunteer")
def code() -> ResponseReturnValue:
    """Show the pay code of this moment, unless it was used, and what waits for a yes; the page asks for itself again."""
    now = services().clock.now()
    drawn = own_pay_code()
    if isinstance(drawn, Refusal):
        g.problem = body_of(drawn)
        return render_template("redeem/spend/typed.html", number=""), g.problem["status"]
    return render_template(
        "redeem/spend/code.html",
        drawn=drawn,
        is_used=codes.is_used(session(), me().book_id, me().person_id, now),
        address=code_address("p", drawn.token),
        seconds=int((drawn.valid_until - now).total_seconds()),
        looks_again=max(1, int(min(LOOKS_EVERY, drawn.valid_until - now).total_seconds())),
        draws_alone=own_session() is not None,
        **lately(),
    )


def lately() -> dict[str, object]:
    """Return what the code's page says of redemptions: what waits for a yes, what was paid just now, and what is left."""
    now = services().clock.now()
    return {
        "waiting": redemptions.waiting_for(session(), me().book_id, now, me().person_id),
        "paid": [row for row in _newest() if row.posted_at and row.posted_at > now - JUST_NOW],
        "balance": _balance(),
    }


@pages.get("/o/<token>")
@pages.get("/O/<token>")
@allow("volunteer")
def order(token: str) -> ResponseReturnValue:
    """Show what a shop's order asks for, with the balance before and after."""
    found = redemptions.order(session(), me().book, token, services().clock.now())
    if isinstance(found, Refusal):
        return show(body_of(found))
    return render_template("redeem/spend/order.html", row=found, balance=_balance())


@pages.post("/o/<token>")
@pages.post("/O/<token>")
@allow("volunteer")
@form_write(order)
def confirm_order(token: str) -> str | Refusal:
    """Pay what the order asks for."""
    done = redemptions.confirm_order(session(), act(), token)
    return done if isinstance(done, Refusal) else url_for("spend.receipt", redemption_id=done.id)


@pages.get("/order")
@allow("volunteer")
def typed() -> ResponseReturnValue:
    """Take the six digits of a shop's order; looking one up changes nothing."""
    number = request.args.get("number", "")
    if not number:
        return render_template("redeem/spend/typed.html", number="")
    digits = digits_of(number)
    missing = redemptions.NUMBER_LENGTH - len(digits)
    found: redemptions.RedemptionRow | Refusal
    if missing > 0 and digits.isdecimal():
        found = Refusal("order-number-short", "number", {"missing": missing})
    else:
        found = redemptions.order(session(), me().book, number, services().clock.now())
    if not isinstance(found, Refusal):
        return redirect(url_for("spend.order", token=digits))
    g.problem = body_of(found)
    return render_template("redeem/spend/typed.html", number=number), g.problem["status"]


@pages.get("/scan")
@allow("volunteer")
def scan() -> ResponseReturnValue:
    """Scan the code of a shop's order, or of a venue."""
    return render_template("redeem/spend/scan.html")


@pages.post("/scan")
@allow("volunteer")
@open_form(scan)
def look_up() -> ResponseReturnValue | Refusal:
    """Lead to what a scanned or photographed code of this service is about; nothing else is followed, and nothing changed."""
    found = scanning.scanned(scanning.code_given("code", "photo"))
    return found if isinstance(found, Refusal) else redirect(found.path, 303)


@pages.get("/live")
@allow("volunteer", by_itself=True)
def live() -> ResponseReturnValue:
    """Tell what became of what shops asked for in the last minutes, for pages that wait; nothing where nothing changed."""
    rows = redemptions.lately(session(), me().book_id, services().clock.now(), me().person_id)
    waiting = sum(state == "pending" for _, state in rows)
    return if_changed({"shown": str(waiting), "lately": [{"id": str(redemption_id), "state": state} for redemption_id, state in rows]})


@pages.get("/waiting")
@allow("volunteer")
def waiting() -> ResponseReturnValue:
    """Show what shops ask for that waits for a yes or a no."""
    rows = redemptions.waiting_for(session(), me().book_id, services().clock.now(), me().person_id)
    return render_template("redeem/spend/waiting.html", rows=rows, balance=_balance())


def _waiting_again(redemption_id: UUID) -> ResponseReturnValue:
    return waiting()


@pages.post("/waiting/<uuid:redemption_id>/confirm")
@allow("volunteer")
@form_write(_waiting_again)
def confirm(redemption_id: UUID) -> str | Refusal:
    """Say yes to what a shop asks for."""
    done = redemptions.confirm(session(), act(), redemption_id)
    return done if isinstance(done, Refusal) else url_for("spend.receipt", redemption_id=redemption_id)


@pages.post("/waiting/<uuid:redemption_id>/decline")
@allow("volunteer")
@form_write(_waiting_again)
def decline(redemption_id: UUID) -> str | Refusal:
    """Say no to what a shop asks for."""
    done = redemptions.decline(session(), act(), redemption_id)
    return done if isinstance(done, Refusal) else url_for("spend.receipt", redemption_id=redemption_id)


@pages.get("/receipts/<uuid:redemption_id>")
@allow("volunteer")
def receipt(redemption_id: UUID) -> ResponseReturnValue:
    """Show what became of one redemption."""
    row = redemptions.redemption(session(), me().book_id, services().clock.now(), redemption_id, person_id=me().person_id)
    return render_template("redeem/spend/receipt.html", row=row, balance=_balance())


@pages.get("/p/<token>")
@pages.get("/P/<token>")
@allow(public=True)
def scanned(token: str) -> ResponseReturnValue:
    """Lead a cashier who scans a pay code to the till; tell anybody else nothing."""
    who = maybe_me()
    if who and who.has("cashier", "shop_owner"):
        return redirect(url_for("till.till", code=token))
    return render_template("redeem/spend/scanned.html")


def _newest() -> list[redemptions.RedemptionRow]:
    return redemptions.of_person(session(), me().book_id, services().clock.now(), me().person_id, limit=1)


def _balance() -> journal.Balance:
    # Whoever has earned nothing yet has no account.
    account_id = journal.account_ids(session(), me().book_id, "passbook", [me().person_id]).get(me().person_id)
    return journal.balance_of(session(), me().book_id, account_id, services().clock.now()) if account_id else journal.Balance(0, 0, 0, 0)
