"""The volunteer's pages: the balance, the passbook, reporting a deed, one's claims, activities."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Blueprint
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import activities
from ledger import claims
from ledger import journal
from ledger import people
from ledger import tariff
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.parts import waiting
from ledger.web.kit.pictures import with_photos
from ledger.web.kit.reach import own
from ledger.web.kit.reach import reach
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.pages.deeds import deed_choices
from ledger.web.pages.deeds import deed_from_form

pages = Blueprint("volunteer", __name__)

LINES, RECENT, CLAIMS, ACTIVITIES = 20, 3, 20, 30


@pages.get("/me")
@allow("volunteer")
def home() -> ResponseReturnValue:
    """Show the balance, the two things to do, and the newest lines."""
    account, balance = _account()
    here = activities.present_at(session(), me().book_id, me().person_id)
    return render_template(
        "ledger/volunteer/home.html",
        person=people.person(session(), me().book_id, me().person_id),
        balance=balance,
        year=me().today.year,
        lines=_lines(account, None, RECENT),
        deeds=_deeds,
        hours=activities.hours_of(session(), me().book_id, me().person_id),
        here=here,
        waiting=waiting(),
        leads=not me().acted_for and people.teams_led_by(session(), me().book_id, me().person_id, me().today),
        returned=claims.returned_to(session(), me().book_id, me().person_id, but_of=here.id if here else None),
    )


@pages.get("/me/passbook")
@allow("volunteer")
def passbook() -> ResponseReturnValue:
    """Show the lines, the newest first, from before the line the address names."""
    account, balance = _account()
    (before,) = read_cursor(request.args.get("cursor"), int) or (None,)
    page = page_of(_lines(account, before, LINES + 1), LINES, lambda line: [line.number])
    return render_template(
        "ledger/volunteer/passbook.html",
        name=people.names_of(session(), services().vault, me().book_id, [me().person_id])[me().person_id],
        person=people.person(session(), me().book_id, me().person_id),
        balance=balance,
        lines=page.items,
        next=page.next,
        deeds=_deeds,
    )


def _account() -> tuple[UUID | None, journal.Balance]:
    # Whoever has earned nothing yet has no account.
    found = journal.account_ids(session(), me().book_id, "passbook", [me().person_id]).get(me().person_id)
    if found is None:
        return None, journal.Balance(0, 0, 0, 0)
    return found, journal.balance_of(session(), me().book_id, found, services().clock.now())


def _lines(account: UUID | None, before: int | None, limit: int) -> list[journal.LineRow]:
    return journal.history(session(), me().book_id, account, before_number=before, limit=limit) if account else []


def _deeds(lines: list[journal.LineRow]) -> dict[UUID, object]:
    """Return the rate of the deed behind each award among these lines."""
    ids = {line.reference for line in lines if line.kind == "award" and line.reference}
    return {row.id: row.rate for row in claims.among(session(), me().book_id, ids, own=own())}


@pages.get("/me/report")
@allow("volunteer")
def report_form() -> ResponseReturnValue:
    """Ask what was done: of which kind, which deed of the tariff, and then when and where."""
    rates = tariff.rates_on(session(), me().book_id, me().today)
    deed = (request.form if request.method == "POST" else request.args).get("deed")
    before = [row.rate.deed for row in claims.mine(session(), me().book_id, me().person_id, limit=CLAIMS)]
    return render_template(
        "ledger/volunteer/report.html",
        rate=next((rate for rate in rates if rate.deed == deed), None),
        category=request.args.get("category"),
        categories=[(one, [rate for rate in rates if rate.category == one.code]) for one in tariff.categories(session(), me().book_id)],
        before=[rate for told in dict.fromkeys(before) for rate in rates if rate.deed == told][:RECENT],
        choices=deed_choices(),
        today=me().today,
    )


@pages.post("/me/report")
@allow("volunteer")
@with_photos
@form_write(report_form)
def report() -> str | Refusal:
    """Report one's own deed."""
    claim = claims.report(session(), act(), services().vault, deed_from_form())
    return claim if isinstance(claim, Refusal) else url_for("volunteer.claim", claim_id=claim.id, told=1)


@pages.get("/me/claims")
@allow("volunteer")
def my_claims() -> ResponseReturnValue:
    """Show one's own claims, the newest first, and where each stands."""
    (after,) = read_cursor(request.args.get("cursor"), UUID) or (None,)
    rows = claims.mine(session(), me().book_id, me().person_id, after=after, limit=CLAIMS + 1)
    page = page_of(rows, CLAIMS, lambda row: [row.id])
    return render_template("ledger/volunteer/claims.html", rows=page.items, next=page.next)


@pages.get("/me/claims/<uuid:claim_id>")
@allow("volunteer")
def claim(claim_id: UUID) -> ResponseReturnValue:
    """Show one claim: where it stands and why, and, where it was returned, the form to tell it anew."""
    row = claims.claim(session(), me().book_id, claim_id, own=own())
    told = claims.told_of(session(), services().vault, me().book_id, [row.claim])
    notes = claims.notes_of(session(), services().vault, me().book_id, [row])[row.id]
    return render_template(
        "ledger/volunteer/claim.html",
        row=row,
        told=told[row.id],
        notes=notes,
        steps=claims.decisions_of(session(), me().book_id, [claim_id])[claim_id],
        photos=claims.photos_of(session(), me().book_id, [claim_id])[claim_id],
        choices=deed_choices(),
        today=me().today,
        is_teller=row.claim.reporter_id == me().person_id,
    )


@pages.post("/me/claims/<uuid:claim_id>")
@allow("volunteer")
@with_photos
@form_write(claim)
def resubmit(claim_id: UUID) -> str | Refusal:
    """Tell a returned claim anew."""
    moved = claims.resubmit(session(), act(), services().vault, reach("propose"), claim_id, deed_from_form())
    return moved if isinstance(moved, Refusal) else url_for("volunteer.claim", claim_id=claim_id, told=1)


@pages.post("/me/claims/<uuid:claim_id>/withdraw")
@allow("volunteer")
@form_write(claim)
def withdraw(claim_id: UUID) -> str | Refusal:
    """Take a claim back."""
    moved = claims.withdraw(session(), act(), claim_id)
    return moved if isinstance(moved, Refusal) else url_for("volunteer.claim", claim_id=claim_id)


@pages.get("/activities")
@allow("volunteer")
def coming() -> ResponseReturnValue:
    """Show the activities that are coming, and which one has signed up for."""
    after = read_cursor(request.args.get("cursor"), datetime.fromisoformat, UUID)
    if after and after[0].tzinfo is None:
        raise Invalid("cursor-malformed", "cursor")
    now = services().clock.now()
    rows = activities.coming(session(), me().book_id, now, me().person_id, after=after, limit=ACTIVITIES + 1)
    page = page_of(rows, ACTIVITIES, lambda row: [row.activity.starts_at.isoformat(), row.activity.id])
    return render_template("ledger/volunteer/activities.html", rows=page.items, next=page.next)


def _coming_again(activity_id: UUID) -> ResponseReturnValue:
    return coming()


@pages.post("/activities/<uuid:activity_id>/sign-up")
@allow("volunteer")
@form_write(_coming_again)
def sign_up(activity_id: UUID) -> str | Refusal:
    """Sign up for an activity."""
    outcome = activities.sign_up(session(), act(), activity_id)
    return outcome if isinstance(outcome, Refusal) else url_for("volunteer.coming")


@pages.post("/activities/<uuid:activity_id>/cancel-sign-up")
@allow("volunteer")
@form_write(_coming_again)
def cancel_sign_up(activity_id: UUID) -> str:
    """Take one's sign-up back."""
    activities.cancel_sign_up(session(), act(), activity_id)
    return url_for("volunteer.coming")
