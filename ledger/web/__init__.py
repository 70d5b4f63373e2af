"""The edge of `ledger`: its API by resource, its pages by audience."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask
from flask_smorest import Api

from ledger.people import Leaving
from ledger.web import api as resources
from ledger.web import pages


def register(app: Flask, api: Api, leavings: Sequence[Leaving]) -> None:
    """Register the resources and pages of this package; `leavings` are what every capability has to do with somebody who is erased."""
    app.extensions["leavings"] = tuple(leavings)
    for resource in resources.ALL:
        api.register_blueprint(resource)
    for page in pages.ALL:
        app.register_blueprint(page)
