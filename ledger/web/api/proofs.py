"""The proofs of the lines of one's own passbook, and of one's hours."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from ledger.errors import NotFound
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.fields import Shape
from ledger.web.kit.sealing import HoursDiffer
from ledger.web.kit.sealing import Promised
from ledger.web.kit.sealing import Proven
from ledger.web.kit.sealing import ProvenHours
from ledger.web.kit.sealing import hours_receipt
from ledger.web.kit.sealing import receipt

blp = Resource("proofs", __name__, "Proofs of the lines of one's own passbook, and of one's hours")

#: As many records of hours as anybody could have.
RECORDS_MAX = 1_000_000_000


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


class HoursProofOut(Shape):
    """What proves one's hours as far as they are sealed; nothing where none of them are, or where they are not what was sealed."""

    sealed = fields.Boolean(required=True, metadata={"description": "Some stand in the log, under a signed head"})
    differs = fields.Boolean(required=True, metadata={"description": "They are not what was sealed: tell the residents' supervisor"})
    records = fields.Integer(required=True, allow_none=True, metadata={"description": "How many records are proven, the first ones"})
    credit_minutes = fields.Integer(required=True, allow_none=True, metadata={"description": "What they come to by check-in"})
    honour_minutes = fields.Integer(required=True, allow_none=True, metadata={"description": "What they come to by attested report"})
    index = fields.Integer(required=True, allow_none=True, metadata={"description": "The number of the last one's leaf in the log, from 0"})
    size = fields.Integer(required=True, allow_none=True, metadata={"description": "How many leaves the signed head has"})
    check_word = fields.String(required=True, allow_none=True, metadata={"description": "What is printed on the proof of hours"})
    cosigned = fields.List(fields.String(), required=True, metadata={"description": "The witnesses of the book that cosigned the head"})
    proof = fields.String(required=True, allow_none=True, metadata={"description": "A tlog-proof; its extra data opens the leaf"})


@blp.reads("/hours/proof", HoursProofOut)
@allow()
def hours_proof() -> dict[str, Any]:
    """Show what proves one's own hours of service, all that are sealed."""
    return _told(hours_receipt())


@blp.reads("/hours/records/<int:number>/proof", HoursProofOut)
@allow()
def hours_record_proof(number: int) -> dict[str, Any]:
    """Show what proves one's own hours of service up to a record, the how-manieth that was sealed."""
    found = hours_receipt(number) if number <= RECORDS_MAX else None
    if found is None:
        raise NotFound("number")
    return _told(found)


def _told(found: ProvenHours | HoursDiffer | None) -> dict[str, Any]:
    if not isinstance(found, ProvenHours):
        nothing = dict.fromkeys(("records", "credit_minutes", "honour_minutes", "index", "size", "check_word", "proof"))
        return nothing | {"sealed": False, "differs": found is not None, "cosigned": []}
    hours = found.opening.hours
    return {
        "sealed": True,
        "differs": False,
        "records": hours.number,
        "credit_minutes": hours.credit,
        "honour_minutes": hours.honour,
        "index": found.proof.index,
        "size": found.size,
        "check_word": found.opening.word,
        "cosigned": list(found.cosigned),
        "proof": str(found.proof),
    }
