"""A team as whoever leads it sees it, and staff of its area."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ledger import areas
from ledger import claims
from ledger import journal
from ledger import people
from ledger.errors import NotFound
from ledger.people import Team
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session

#: Staff who see the teams of their areas.
READERS = ("grid_worker", "approver", "administrator")


def seen(team_id: UUID) -> Team:
    """Return a team that whoever asks leads today, or that belongs to one of their areas; raise NotFound for any other."""
    led = people.teams_led_by(session(), me().book_id, me().actor_id, me().today)
    found = next((team for team in led if team.id == team_id), None)
    if found is None and not me().has(*READERS):
        raise NotFound("team_id")
    return found or people.team(session(), me().book_id, team_id, me().scope(*READERS))


def balance_of(team: Team) -> journal.Balance:
    """Return what a team has; one that has earned nothing yet has a passbook of zeros."""
    account_id = _account_id(team)
    if account_id is None:
        return journal.Balance(0, 0, 0, 0)
    return journal.balance_of(session(), me().book_id, account_id, services().clock.now())


def lines_of(team: Team, before: int | None, limit: int) -> tuple[list[journal.LineRow], dict[UUID | None, Any]]:
    """Return the lines of a team's passbook, the newest first, and the rate of the deed behind each award."""
    account_id = _account_id(team)
    if account_id is None:
        return [], {}
    lines = journal.history(session(), me().book_id, account_id, before_number=before, limit=limit)
    about = {line.reference for line in lines if line.reference and line.kind == "award"}
    return lines, {row.id: row.rate for row in claims.among(session(), me().book_id, about, claims.Reach(areas.EVERYWHERE))}


def _account_id(team: Team) -> UUID | None:
    return journal.account_ids(session(), me().book_id, "team", [team.id]).get(team.id)
