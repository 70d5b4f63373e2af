"""The office's pages: the queue of approval, and proposing deeds for several people or from a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint
from flask import Response
from flask import g
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import areas
from ledger import claims
from ledger import people
from ledger import tariff
from ledger.claims import MAY
from ledger.claims import REASONS
from ledger.claims import STATES
from ledger.claims import DeedFault
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.people import Person
from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.problems import sentences
from ledger.web.kit.reach import prove_large
from ledger.web.kit.reach import reach
from ledger.web.kit.templating import named
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.pages.deeds import AT_ONCE
from ledger.web.pages.deeds import Listed
from ledger.web.pages.deeds import address_of_outcomes
from ledger.web.pages.deeds import chosen
from ledger.web.pages.deeds import deed_groups
from ledger.web.pages.deeds import listed
from ledger.web.pages.deeds import outcomes_page
from ledger.web.pages.deeds import persons_typed
from ledger.web.pages.deeds import priced
from ledger.web.pages.deeds import proposed
from ledger.web.pages.deeds import queued
from ledger.web.pages.deeds import ticked
from ledger.web.pages.deeds import turned_down
from ledger.web.pages.office import STAFF
from ledger.web.pages.office import WORKERS
from ledger.web.pages.office import office
from ledger.web.pages.office import to_confirm
from ledger.web.pages.weighing import evidence_of
from ledger.web.pages.weighing import weighed

pages = Blueprint("staff", __name__)

#: Decided already, and not yet in a passbook.
ON_THE_WAY = ("on_notice", "awaiting_funds")
#: How many cells of a sheet are shown; after so many it is the wrong sheet.
FAULTS_MAX = 200


pages.add_app_template_global(office, "office")


@pages.get("/staff")
@allow(*STAFF)
def home() -> ResponseReturnValue:
    """Show what waits, and the ways on."""
    return render_template("ledger/staff/home.html", person=people.person(session(), me().book_id, me().person_id))


@pages.get("/staff/queue")
@allow("approver")
def queue() -> ResponseReturnValue:
    """Show what waits for approval, the oldest first, and beside it everything about the one that is chosen."""
    stage = _stage()
    page = queued("approve", ["attested"], halfway=stage == "second")
    claims_here = weighed(page.items)
    asked = request.args.get("claim")
    found = next((place for place, one in enumerate(claims_here) if str(one.row.id) == asked), None)
    one = claims_here[found or 0] if claims_here else None
    around = [claims_here[place].row.id if 0 <= place < len(claims_here) else None for place in ((found or 0) - 1, (found or 0) + 1)]
    return render_template(
        "ledger/staff/queue.html", stage=stage, claims=claims_here, one=one, is_chosen=found is not None, previous=around[0],
        following=around[1], evidence=evidence_of(one.row) if one else None, next=page.next, cursor=request.args.get("cursor"),
        reasons=REASONS, just=_just_decided(), priced=priced,
    )  # fmt: skip


def _stage() -> str:
    stage = request.args.get("stage", "first")
    if stage not in {"first", "second"}:
        raise Invalid("choice-malformed", "stage")
    return stage


def _just_decided() -> Listed | None:
    """Return the claim that was decided on the page before, as it stands now."""
    try:
        asked = [UUID(request.args.get("was", ""))]
    except ValueError:
        return None
    return next(iter(listed(claims.among(session(), me().book_id, asked, reach("approve")))), None)


@pages.post("/staff/queue")
@allow("approver")
@form_write(queue)
def decide() -> str | Refusal:
    """Approve the ticked deeds, or approve, return or refuse the one that is shown, and go on to the next."""
    ids, step = chosen("id"), forms.choice("step", "approve", "return", "refuse")
    if step == "approve":
        prove_large(ids)
    outcomes = claims.approve(session(), act(), reach(step).scope, ids) if step == "approve" else turned_down(step, ids)
    if "following" not in request.form:
        return address_of_outcomes("staff.decided", ids, outcomes)
    if isinstance(outcomes[0], Refusal):
        return outcomes[0]
    following = forms.an_id("following") if forms.text("following") else None
    stage, cursor = _stage(), request.args.get("cursor")
    return url_for("staff.queue", stage=stage if stage == "second" else None, cursor=cursor, claim=following, was=ids[0])


@pages.get("/staff/queue/done")
@allow("approver")
def decided() -> ResponseReturnValue:
    """Show what became of the deeds that were ticked."""
    return outcomes_page("approve", "staff.queue")


@pages.get("/staff/on-the-way")
@allow("approver")
def on_the_way() -> ResponseReturnValue:
    """Show what is approved and not yet in a passbook: on public notice, or waiting for funds."""
    page = queued("approve", ON_THE_WAY)
    return render_template("ledger/staff/on_the_way.html", claims=listed(page.items), next=page.next)


@pages.get("/staff/claims")
@allow("street_auditor")
def looked_over() -> ResponseReturnValue:
    """Show the claims in a state, the oldest first, to whoever looks whether they went by the rules: without names and words."""
    state = request.args.get("state", STATES[0])
    if state not in STATES:
        raise Invalid("choice-malformed", "state")
    page = queued("read", [state])
    decisions = claims.decisions_of(session(), me().book_id, [row.id for row in page.items])
    return render_template(
        "ledger/staff/looked_over.html", claims=listed(page.items), next=page.next, state=state, states=STATES, decisions=decisions
    )  # fmt: skip


@pages.get("/staff/second-word")
@allow(*WORKERS)
def second_word() -> ResponseReturnValue:
    """Show what waits for a second administrator: roles, links, merges of two records, and erasing somebody."""
    found = to_confirm()
    ids = {
        *(one.person_id for one in found["grants"]), *(one.person_id for one in found["links"]), *(one.id for one in found["erasures"]),
        *(one for merge in found["merges"] for one in (merge.kept_id, merge.gone_id)),
    }  # fmt: skip
    names = people.names_of(session(), services().vault, me().book_id, ids)
    return render_template(
        "ledger/staff/second_word.html", found=found, persons=people.persons(session(), me().book_id, ids),
        names={one: people.masked_name(name) for one, name in names.items()},
    )  # fmt: skip


@pages.get("/staff/propose")
@allow(*WORKERS)
def propose_form() -> ResponseReturnValue:
    """Ask what was done and by whom, going down from one's own areas to a grid and its people."""
    scope, book_id = areas.widest(me().scope(*WORKERS)), me().book_id
    area = areas.area(session(), book_id, request.args["area"], scope) if "area" in request.args else None
    within = (area.path,) if area else scope
    below = (
        areas.children(session(), book_id, area.code) if area else [areas.subtree(session(), book_id, path, limit=1)[0] for path in scope]
    )
    (after,) = read_cursor(request.args.get("cursor"), str) or ("",)
    page = page_of(people.living_in(session(), book_id, within, after=after, limit=AT_ONCE + 1), AT_ONCE, lambda one: [one.handle])
    asked = _asked(scope)
    listed_here = {one.id: one for one in (*([asked] if asked else []), *page.items)}
    whole = people.names_of(session(), services().vault, book_id, listed_here)
    names = {person_id: people.masked_name(name) for person_id, name in whole.items()}
    persons = sorted(listed_here.values(), key=lambda one: (one.area_code, names[one.id], one.handle))
    return render_template(
        "ledger/staff/propose.html", area=area, below=below, persons=persons, names=names, next=page.next,
        teams=people.teams(session(), book_id, within), groups=deed_groups(), today=me().today, asked=asked,
    )  # fmt: skip


def _asked(scope: areas.Scope) -> Person | None:
    """Return for whom it is asked from the page of that person."""
    try:
        person_id = UUID(request.args["person"])
    except (KeyError, ValueError):
        return None
    return people.person(session(), me().book_id, person_id, scope)


@pages.post("/staff/propose")
@allow(*WORKERS)
@form_write(propose_form)
def propose() -> str | Refusal:
    """Report a deed for several people and teams."""
    teams = ticked("team_id")
    typed = persons_typed("numbers")
    persons = chosen("person_id", *typed) if typed or not teams else ticked("person_id")
    return proposed("grid_worker", persons, teams)


@pages.get("/staff/sheet")
@allow(*MAY["import"])
def sheet_form() -> ResponseReturnValue:
    """Ask for an office's sheet of deeds, and show which of its cells could not be taken."""
    said = g.get("problem") or {}
    return render_template("ledger/staff/sheet.html", faults=said.get("data", {}).get("faults", []))


@pages.get("/staff/sheet/empty.xlsx")
@allow(*MAY["import"])
def empty_sheet() -> ResponseReturnValue:
    """Give an empty sheet to fill in, with the deeds of today's tariff to choose from."""
    deeds = [named(rate) for rate in tariff.rates_on(session(), me().book_id, me().today)]
    return Response(claims.empty_sheet(deeds), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


@pages.post("/staff/sheet")
@allow(*MAY["import"])
@form_write(sheet_form)
def take_sheet() -> str | Refusal:
    """Report the deeds of a sheet, all of them or none; or only look whether they can be."""
    is_trial = forms.choice("step", "look", "take") == "look"
    file = request.files.get("file")
    if not file:
        raise Invalid("file-missing", "file")
    reading = claims.read_deeds(file.read())
    report = claims.import_claims(session(), act(), services().vault, reach("import"), reading, dry_run=is_trial)
    if isinstance(report, Refusal):
        return report
    if report.faults:
        # Raised, not returned: a refusal is kept for ever, and what the cells say may be somebody's name.
        raise Invalid("sheet-has-faults", "file", count=len(report.faults), faults=_told(report.faults))
    return url_for("staff.sheet_form", count=report.claims, points=report.points, taken=int(report.is_written))


def _told(faults: Sequence[DeedFault]) -> list[dict[str, Any]]:
    return [
        {"place": f"{fault.sheet} {fault.cell}", "says": fault.says, **sentences(fault.code, fault.data)} for fault in faults[:FAULTS_MAX]
    ]
