"""The commands `flask redeem ...`, one module a capability."""

from __future__ import annotations

from flask import Flask
from flask.cli import AppGroup

from redeem.cli import catalogue
from redeem.cli import library
from redeem.cli import merchants

group = AppGroup("redeem", help="How points are spent 积分兑换.")


def register(app: Flask) -> None:
    """Add the commands to `flask`."""
    for module in (library, merchants, catalogue):
        module.register(group)
    app.cli.add_command(group)
