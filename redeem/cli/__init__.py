"""The commands `flask redeem ...`, one module a capability."""

from __future__ import annotations

from flask import Flask
from flask.cli import AppGroup

group = AppGroup("redeem", help="How points are spent 积分兑换.")


def register(app: Flask) -> None:
    """Add the commands to `flask`."""
    app.cli.add_command(group)
