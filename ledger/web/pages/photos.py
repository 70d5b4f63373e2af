"""The photos of claims, for those who may read what is told in them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask import Response
from flask import request
from flask.typing import ResponseReturnValue

from ledger import claims
from ledger.errors import NotFound
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.pictures import small
from ledger.web.kit.reach import in_words
from ledger.web.kit.reach import own
from ledger.web.kit.reach import reach

pages = Blueprint("photos", __name__)

#: A picture, and nothing that it could do.
HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": 'inline; filename="photo.jpg"'}


@pages.get("/claims/<uuid:claim_id>/photos/<uuid:photo_id>")
@allow()
def show(claim_id: UUID, photo_id: UUID) -> ResponseReturnValue:
    """Give one photo of a claim of one's own or within reach, small where the address says so, as on a page."""
    row = claims.claim(session(), me().book_id, claim_id, reach("read"), own=own())
    if claim_id not in in_words([row]):
        raise NotFound("photo_id")
    content = claims.picture(session(), services().vault, me().book_id, claim_id, photo_id)
    return Response(small(content) if "small" in request.args else content, mimetype="image/jpeg", headers=HEADERS)
