"""Whose claims whoever asks may act on; the API and the pages ask the same table."""

from __future__ import annotations

from ledger import claims
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import session


def own() -> claims.Own:
    """Return whose claims are one's own: on somebody's behalf theirs, without what they told of others."""
    return claims.Own(me().person_id, on_behalf=me().acted_for is not None)


def reach(step: str) -> claims.Reach:
    """Return whose claims whoever asks may take `step` on (see `claims.MAY`)."""
    return claims.reach_of(session(), me().book_id, me().person_id, me().powers(*claims.MAY[step]), step)
