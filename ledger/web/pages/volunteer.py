"""The volunteer's pages: the balance, the passbook, reporting a deed, one's claims, activities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import activities
from ledger import areas
from ledger import claims
from ledger import journal
from ledger import people
from ledger import tariff
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import moment
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.parts import waiting
from ledger.web.kit.pictures import with_photos
from ledger.web.kit.reach import own
from ledger.web.kit.reach import reach
from ledger.web.kit.sealing import HoursDiffer
from ledger.web.kit.sealing import ProvenHours
from ledger.web.kit.sealing import check_words_of
from ledger.web.kit.sealing import hours_receipt
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.pages.deeds import deed_choices
from ledger.web.pages.deeds import deed_from_form

pages = Blueprint("volunteer", __name__)

LINES, RECENT, CLAIMS, ACTIVITIES = 20, 3, 20, 30
#: What of a passbook is shown: everything, what came in, what went out.
SIGNS = {"": 0, "in": 1, "out": -1}
#: Until how long from today activities are shown.
WITHIN = {"": None, "today": timedelta(days=1), "week": timedelta(days=7)}


@pages.get("/me")
@allow("volunteer")
def home() -> ResponseReturnValue:
    """Show the balance, the two things to do, what waits, and the newest lines."""
    account, balance = _account()
    person = people.person(session(), me().book_id, me().person_id)
    here = activities.present_at(session(), me().book_id, me().person_id)
    return render_template(
        "ledger/volunteer/home.html",
        person=person,
        balance=balance,
        runs_out=_runs_out(balance),
        lines=_lines(account, None, RECENT),
        deeds=_deeds,
        hours=activities.hours_of(session(), me().book_id, me().person_id),
        here=here,
        next=activities.mine(session(), me().book_id, me().person_id, services().clock.now(), limit=1),
        waiting=waiting(),
        asked=[] if me().acted_for else _asked(),
        leads=not me().acted_for and people.teams_led_by(session(), me().book_id, me().person_id, me().today),
        returned=claims.returned_to(session(), me().book_id, me().person_id, but_of=here.id if here else None),
        phone=areas.phone_for(session(), me().book_id, areas.path_of(session(), me().book_id, person.area_code)),
    )


def _asked() -> list[people.Mandate]:
    """Return what somebody else has asked of whoever asks, and waits for their yes."""
    found = people.mandates_of(session(), me().book_id, me().person_id)
    return [
        one for one in found
        if one.helper_id == me().person_id and one.agreed_at is None and one.ended_at is None and one.ends_on >= me().today
    ]  # fmt: skip


def _runs_out(balance: journal.Balance) -> list[tuple[int, date, int]]:
    """Return what runs out and when: points, the day, and how many days there are until then; the soonest first."""
    terms = {me().today.year: balance.expiring, me().today.year + 1: balance.balance - balance.expiring}
    return [(amount, date(year, 12, 31), (date(year, 12, 31) - me().today).days) for year, amount in terms.items() if amount]


@pages.get("/me/passbook")
@allow("volunteer")
def passbook() -> ResponseReturnValue:
    """Show the lines of a year, the newest first, from before the line the address names: all of them, or only what came in or went out."""
    account, balance = _account()
    begun = journal.begun_at(session(), me().book_id, account) if account else None
    years = list(range(me().today.year, (local_day(begun, me().zone) if begun else me().today).year - 1, -1))
    year, which = _chosen_year(years), request.args.get("which", "")
    if which not in SIGNS:
        raise NotFound("which")
    since, until = (datetime(one, 1, 1, tzinfo=ZoneInfo(me().zone)) for one in (year, year + 1))
    (before,) = read_cursor(request.args.get("cursor"), int) or (None,)
    rows: list[journal.LineRow] = []
    sums = (0, 0)
    if account:
        of_year = (session(), me().book_id, account, since, until)
        rows = journal.page_between(*of_year, sign=SIGNS[which], before=before, limit=LINES + 1)
        sums = journal.sums_between(*of_year)
    page = page_of(rows, LINES, lambda line: [line.number])
    return render_template(
        "ledger/volunteer/passbook.html",
        name=people.names_of(session(), services().vault, me().book_id, [me().person_id])[me().person_id],
        person=people.person(session(), me().book_id, me().person_id),
        balance=balance,
        runs_out=_runs_out(balance),
        years=years,
        year=year,
        which=which,
        sums=sums,
        lines=page.items,
        next=page.next,
        deeds=_deeds,
        words=check_words_of(account, page.items),
    )


def _chosen_year(years: Sequence[int]) -> int:
    """Return which of these years the address names; the first where it names none."""
    asked = request.args.get("year", str(years[0]))
    if asked not in map(str, years):
        raise NotFound("year")
    return int(asked)


@pages.get("/me/hours")
@allow("volunteer")
def hours() -> ResponseReturnValue:
    """Show the hours of service, those of check-ins and those of reports apart: of every year, and of one what they come from."""
    # First: an alarm that it keeps ends what was read before.
    sealed = hours_receipt()
    by_year = activities.hours_by_year(session(), me().book_id, me().person_id)
    years = sorted({*by_year, me().today.year}, reverse=True)
    year = _chosen_year(years)
    served = activities.services_of(session(), me().book_id, me().person_id, year)
    told = claims.among(session(), me().book_id, {one.reference for one in served if one.title is None}, own=own())
    return render_template(
        "ledger/volunteer/hours.html",
        total=activities.hours_of(session(), me().book_id, me().person_id),
        by_year=by_year,
        years=years,
        year=year,
        served=served,
        rates={row.id: row.rate for row in told},
        proven=sealed if isinstance(sealed, ProvenHours) else None,
        differ=isinstance(sealed, HoursDiffer),
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
    """Show the activities that are coming and which one has signed up for: all, or only those that are near, soon, or of a kind."""
    after = read_cursor(request.args.get("cursor"), moment, UUID)
    now, person = services().clock.now(), people.person(session(), me().book_id, me().person_id)
    community = areas.community_of(session(), me().book_id, areas.path_of(session(), me().book_id, person.area_code))
    chosen = {name: request.args.get(name, "") for name in ("when", "where", "category")}
    kinds = tariff.categories(session(), me().book_id)
    known = {"when": WITHIN.keys(), "where": {"", "near"}, "category": {"", *(kind.code for kind in kinds)}}
    if any(chosen[name] not in known[name] for name in chosen):
        raise NotFound("address")
    rows = activities.coming(
        session(),
        me().book_id,
        now,
        me().person_id,
        until=_end_of(chosen["when"]),
        scope=(community.path,) if community and chosen["where"] else None,
        deeds=_deeds_of(chosen["category"]) if chosen["category"] else None,
        after=after,
        limit=ACTIVITIES + 1,
    )
    page = page_of(rows, ACTIVITIES, lambda row: [row.activity.starts_at.isoformat(), row.activity.id])
    return render_template(
        "ledger/volunteer/activities.html",
        rows=page.items,
        next=page.next,
        chosen=chosen,
        kinds=kinds,
        community=community,
        mine=activities.mine(session(), me().book_id, me().person_id, now),
        here=activities.present_at(session(), me().book_id, me().person_id),
        gives={rate.deed: rate for rate in tariff.rates_on(session(), me().book_id, me().today)},
    )


def _end_of(when: str) -> datetime | None:
    """Return when that ends of which activities are asked: today, or the week from today on."""
    if (days := WITHIN[when]) is None:
        return None
    return datetime.combine(me().today + days, time.min, ZoneInfo(me().zone))


def _deeds_of(category: str) -> list[str]:
    return [rate.deed for rate in tariff.rates_on(session(), me().book_id, me().today) if rate.category == category]


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
