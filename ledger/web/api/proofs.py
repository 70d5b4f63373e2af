"""The proofs of the lines of one's own passbook."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.fields import Shape
from ledger.web.kit.sealing import Promised
from ledger.web.kit.sealing import Proven
from ledger.web.kit.sealing import receipt

blp = Resource("proofs", __name__, "Proofs of the lines of one's own passbook")


class ProofOut(Shape):
    """What proves a line: the log's proof once it is sealed, until then a signed promise; neither where it is not what was sealed."""

    sealed = fields.Boolean(required=True, metadata={"description": "The line stands in the log, under a signed head"})
    differs = fields.Boolean(required=True, metadata={"description": "The line is not what was sealed: tell the residents' supervisor"})
    index = fields.Integer(required=True, allow_none=True, metadata={"description": "The number of its leaf in the log, from 0"})
    size = fields.Integer(required=True, allow_none=True, metadata={"description": "How many leaves the signed head has"})
    check_word = fields.String(required=True, allow_none=True, metadata={"description": "What is printed beside the line"})
    cosigned = fields.List(fields.String(), required=True, metadata={"description": "The witnesses of the book that cosigned the head"})
    proof = fields.String(required=True, allow_none=True, metadata={"description": "A tlog-proof; its extra data opens the leaf"})
    promise = fields.String(required=True, allow_none=True, metadata={"description": "A signed note: that it will be sealed, and by when"})


@blp.reads("/passbook/lines/<int:number>/proof", ProofOut)
@allow()
def proof(number: int) -> dict[str, Any]:
    """Show what proves a line of one's own passbook."""
    found = receipt(number)
    if not isinstance(found, Proven):
        nothing = dict.fromkeys(("index", "size", "check_word", "proof"))
        promise = str(found.note) if isinstance(found, Promised) else None
        return nothing | {"sealed": False, "differs": promise is None, "cosigned": [], "promise": promise}
    return {
        "sealed": True,
        "differs": False,
        "index": found.proof.index,
        "size": found.size,
        "check_word": found.word,
        "cosigned": list(found.cosigned),
        "proof": str(found.proof),
        "promise": None,
    }
