"""The commands `flask ledger ...`, one module a capability."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask
from flask.cli import AppGroup

from ledger.cli import areas
from ledger.cli import cards
from ledger.cli import claims
from ledger.cli import funds
from ledger.cli import journal
from ledger.cli import people
from ledger.cli import seal
from ledger.cli import tariff
from ledger.cli import vault
from ledger.people import SealedPart

group = AppGroup("ledger", help="How points are earned and recorded 善行存折.")


def register(app: Flask, verifiers: Sequence[journal.Verifier], sealed_parts: Sequence[SealedPart]) -> None:
    """Add the commands to `flask`.

    `verifiers` recompute what another package keeps, for `flask ledger verify`; `sealed_parts` are what the master key seals, for
    `flask ledger vault`.
    """
    app.extensions["verifiers"] = tuple(verifiers)
    app.extensions["sealed_parts"] = tuple(sealed_parts)
    for module in (areas, people, cards, tariff, funds, claims, journal, seal, vault):
        module.register(group)
    app.cli.add_command(group)
