"""The commands `flask ledger ...`, one module a capability."""

from __future__ import annotations

from flask import Flask
from flask.cli import AppGroup

from ledger.cli import areas
from ledger.cli import journal
from ledger.cli import people

group = AppGroup("ledger", help="How points are earned and recorded 善行存折.")


def register(app: Flask) -> None:
    """Add the commands to `flask`."""
    for module in (areas, people, journal):
        module.register(group)
    app.cli.add_command(group)
