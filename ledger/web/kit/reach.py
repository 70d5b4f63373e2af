"""Whose claims whoever asks may act on, and whose data are theirs; the API and the pages ask the same."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from ledger import areas
from ledger import claims
from ledger import people
from ledger.errors import Refusal
from ledger.web.kit.auth import me
from ledger.web.kit.auth import want_proof
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session

#: What a machine's token, which proves nothing, has approved within so long counts together.
_UNPROVED = timedelta(days=1)


def own() -> claims.Own:
    """Return whose claims are one's own: on somebody's behalf theirs, without what they told of others."""
    return claims.Own(me().person_id, on_behalf=me().acted_for is not None)


def against_own_data() -> Refusal | None:
    """Return why whoever asks may not see or put right what is kept of whom they act for: a child's guardian may, a helper may not."""
    if me().acted_for is None:
        return None
    mandates = people.mandates(session(), me().book_id, helper_id=me().actor_id, person_id=me().person_id, on=me().today)
    return None if any(one.kind == "guardian" for one in mandates) else Refusal("not-on-behalf")


def against_own_erasure() -> Refusal | None:
    """Return why whoever asks may not have somebody erased for good: a guardian has it done by staff, who see a document."""
    if me().acted_for is None:
        return None
    return against_own_data() or Refusal("erasure-of-child-by-staff")


def against_part_of_book() -> Refusal | None:
    """Refuse where whoever asks is administrator of a part of the book only: the tariff is one for all of it."""
    root = areas.path_of(session(), me().book_id, me().book.area_code)
    return None if areas.in_scope(root, me().scope("administrator")) else Refusal("for-the-whole-book")


def in_words(rows: Sequence[claims.ClaimRow]) -> set[UUID]:
    """Return of which of these claims whoever asks may read names and words: all of them, unless they come to them as an auditor."""
    if not me().has("street_auditor"):
        return {row.id for row in rows}
    return {row.id for row in claims.among(session(), me().book_id, [row.id for row in rows], reach("open"), own=own())}


def shown_name(row: claims.ClaimRow, names: Mapping[UUID, str], is_open: Collection[UUID]) -> str:
    """Return whose deed a claim is, the person's or the team's name; a person's is masked where the claim is not open to whoever asks."""
    owner = row.claim.person_id or row.claim.team_id
    assert owner is not None, "a CHECK of the table"
    return names[owner] if row.id in is_open or row.claim.team_id else people.masked_name(names[owner])


def prove_large(ids: Collection[UUID]) -> None:
    """Go no further without a fresh proof where more is approved than one person approves alone, with all they approved since the last."""
    since = me().signed_in.proved_at or services().clock.now() - _UNPROVED
    asked = claims.points_of(session(), me().book_id, ids)
    if asked + claims.points_approved_by(session(), me().book_id, me().actor_id, since) > me().book.approve_alone_points_max:
        want_proof()


def reach(step: str) -> claims.Reach:
    """Return whose claims whoever asks may take `step` on (see `claims.MAY`)."""
    return claims.reach_of(session(), me().book_id, me().person_id, me().powers(*claims.MAY[step]), step)
