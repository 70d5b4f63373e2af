"""The building leader's pages: the households, bearing witness, proposing deeds; grid workers share those where they do the same."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import claims
from ledger import people
from ledger.claims import MAY
from ledger.claims import REASONS
from ledger.errors import Refusal
from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.reach import own
from ledger.web.kit.reach import reach
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.pages.deeds import AT_ONCE
from ledger.web.pages.deeds import address_of_outcomes
from ledger.web.pages.deeds import chosen
from ledger.web.pages.deeds import deed_choices
from ledger.web.pages.deeds import deed_from_form
from ledger.web.pages.deeds import deed_groups
from ledger.web.pages.deeds import listed
from ledger.web.pages.deeds import outcomes_asked
from ledger.web.pages.deeds import outcomes_page
from ledger.web.pages.deeds import proposed
from ledger.web.pages.deeds import queued
from ledger.web.pages.deeds import turned_down
from ledger.web.pages.office import COUNTED_MAX

pages = Blueprint("leader", __name__)


@pages.get("/leader")
@allow("building_leader")
def home() -> ResponseReturnValue:
    """Show what waits for one's word, and the ways on."""
    waiting = claims.waiting(session(), me().book_id, reach("attest"), ["reported"], most=COUNTED_MAX)
    return render_template("ledger/leader/home.html", waiting=waiting)


@pages.get("/leader/households")
@allow("building_leader")
def households() -> ResponseReturnValue:
    """Show the households in one's charge, each with the last deed of anybody in it."""
    found = people.households_of_leader(session(), me().book_id, me().person_id)
    ids = [person_id for household in found for person_id in household]
    fields = people.fields_of(session(), services().vault, me().book_id, ids, ["name", "phone", "address"])
    last = claims.last_deeds(session(), me().book_id, ids)
    homes = [
        (
            next((fields[one]["address"] for one in members if "address" in fields[one]), ""),
            members,
            max((last[one] for one in members if one in last), key=lambda row: (row.claim.deed_on, row.id), default=None),
        )
        for members in found
    ]
    persons = people.persons(session(), me().book_id, ids)
    return render_template("ledger/leader/households.html", households=homes, fields=fields, persons=persons)


@pages.get("/attest")
@allow(*MAY["attest"])
def attestations() -> ResponseReturnValue:
    """Show the reported deeds that wait for somebody's word, the oldest first."""
    page = queued("attest", ["reported"])
    return render_template(
        "ledger/claims/attestations.html", claims=listed(page.items), next=page.next, reasons=REASONS, refuses=me().has(*MAY["refuse"]),
        returns=me().has(*MAY["return"]), pictures=claims.photos_of(session(), me().book_id, [row.id for row in page.items]),
    )  # fmt: skip


@pages.post("/attest")
@allow(*MAY["attest"])
@form_write(attestations)
def attest() -> str:
    """Bear witness to the ticked deeds, or return or refuse them with a reason."""
    ids, step = chosen("id"), forms.choice("step", "attest", "return", "refuse")
    outcomes = claims.attest(session(), act(), reach(step), ids) if step == "attest" else turned_down(step, ids)
    return address_of_outcomes("leader.attested", ids, outcomes)


@pages.get("/attest/done")
@allow(*MAY["attest"])
def attested() -> ResponseReturnValue:
    """Show what became of the deeds that were ticked."""
    return outcomes_page("attest", "leader.attestations")


@pages.get("/leader/propose")
@allow("building_leader")
def propose_form() -> ResponseReturnValue:
    """Ask what was done, and by whom of those in one's charge."""
    charges = people.charges_of(session(), me().book_id, me().person_id)
    told = people.fields_of(session(), services().vault, me().book_id, charges, ["name", "address"])
    sorted_by_home = sorted(charges, key=lambda one: (told[one].get("address", ""), told[one].get("name", ""), one))
    names = {person_id: told[person_id].get("name", "—") for person_id in sorted_by_home}
    return render_template(
        "ledger/leader/propose.html", names=names, groups=deed_groups(), today=me().today, asked=request.args.get("person")
    )  # fmt: skip


@pages.post("/leader/propose")
@allow("building_leader")
@form_write(propose_form)
def propose() -> str | Refusal:
    """Report a deed for one or several of those in one's charge."""
    return proposed("building_leader", chosen("person_id"))


@pages.get("/proposals/made")
@allow(*MAY["propose"])
def proposals_made() -> ResponseReturnValue:
    """Show what became of the deeds that were proposed, person by person."""
    done, refused = outcomes_asked()
    rows = claims.among(session(), me().book_id, done, own=own())
    ids = [person_id for ids in refused.values() for person_id in ids]
    return render_template("ledger/claims/made.html", claims=listed(rows), refused=refused, names=_names_within_reach(ids))


def _names_within_reach(ids: Sequence[UUID]) -> dict[UUID, str]:
    near = people.within(session(), me().book_id, ids, reach("propose").scope) | (reach("propose").charges & set(ids))
    teams = people.teams_by_id(session(), me().book_id, set(ids) - near)
    return people.names_of(session(), services().vault, me().book_id, near) | {team.id: team.name for team in teams.values()}


@pages.get("/proposals")
@allow(*MAY["propose"])
def proposals() -> ResponseReturnValue:
    """Show what one proposed for others, the newest first, and where each stands."""
    (after,) = read_cursor(request.args.get("cursor"), UUID) or (None,)
    rows = claims.reported_by(session(), me().book_id, me().person_id, after=after, limit=AT_ONCE + 1)
    page = page_of(rows, AT_ONCE, lambda row: [row.id])
    return render_template("ledger/claims/proposals.html", claims=listed(page.items), next=page.next)


@pages.get("/proposals/<uuid:claim_id>")
@allow(*MAY["propose"])
def proposal(claim_id: UUID) -> ResponseReturnValue:
    """Show one proposal, and, where it was returned, the form to tell it anew."""
    row = claims.claim(session(), me().book_id, claim_id, own=own())
    is_teller = row.claim.reporter_id == me().person_id
    return render_template(
        "ledger/claims/proposal.html", claim=listed([row])[0], choices=deed_choices(), today=me().today, is_teller=is_teller
    )  # fmt: skip


@pages.post("/proposals/<uuid:claim_id>")
@allow(*MAY["propose"])
@form_write(proposal)
def propose_again(claim_id: UUID) -> str | Refusal:
    """Tell a returned proposal anew."""
    moved = claims.resubmit(session(), act(), services().vault, reach("propose"), claim_id, deed_from_form())
    return moved if isinstance(moved, Refusal) else url_for("leader.proposal", claim_id=claim_id, told=1)


@pages.post("/proposals/<uuid:claim_id>/withdraw")
@allow(*MAY["propose"])
@form_write(proposal)
def withdraw(claim_id: UUID) -> str | Refusal:
    """Take a proposal back."""
    moved = claims.withdraw(session(), act(), claim_id)
    return moved if isinstance(moved, Refusal) else url_for("leader.proposal", claim_id=claim_id)
