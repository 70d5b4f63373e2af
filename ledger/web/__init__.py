"""The edge of `ledger`: its API by resource, its pages by audience."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api

from ledger.web import api as resources
from ledger.web import pages


def register(app: Flask, api: Api) -> None:
    """Register the resources and pages of this package."""
    for resource in resources.ALL:
        api.register_blueprint(resource)
    for page in pages.ALL:
        app.register_blueprint(page)
