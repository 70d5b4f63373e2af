"""The composition root: the one place that sees every part."""

from __future__ import annotations

import gc
import os

import click
from flask import Flask

import ledger.cli
import ledger.web
import redeem.cli
import redeem.web
from ledger import activities
from ledger import claims
from ledger import people
from ledger import seal
from ledger import sign_in
from ledger.clock import Clock
from ledger.clock import SystemClock
from ledger.settings import Settings
from ledger.settings import SettingsError
from ledger.web.kit import api
from ledger.web.kit import assets
from ledger.web.kit import auth
from ledger.web.kit import database
from ledger.web.kit import extensions
from ledger.web.kit import headers
from ledger.web.kit import logs
from ledger.web.kit import look
from ledger.web.kit import origins
from ledger.web.kit import parts
from ledger.web.kit import pictures
from ledger.web.kit import problems
from ledger.web.kit import proof
from ledger.web.kit import repeated
from ledger.web.kit import templating
from ledger.web.kit import trail
from ledger.web.problems import LEDGER_PROBLEMS
from redeem import catalogue
from redeem import codes
from redeem import merchants
from redeem import redemptions
from redeem.web.problems import REDEEM_PROBLEMS


def _settings() -> Settings:
    """Read the settings; to whoever gave a command, what is wrong with them is said in a sentence."""
    try:
        return Settings.from_mapping(os.environ)
    except SettingsError as problem:
        if click.get_current_context(silent=True) is None:
            raise
        raise click.ClickException(str(problem)) from None


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> Flask:
    """Return the application; settings come from the environment and time from the machine unless they are handed in."""
    settings = settings or _settings()
    app = Flask(__name__)
    extensions.init(app, extensions.Services(settings, clock or SystemClock(), people.Vault.of(settings)))
    database.check(app)

    logs.init(app)
    origins.init(app)
    pictures.init(app)
    auth.init(app, [merchants.powers_of])
    repeated.init(app)
    headers.init(app)
    assets.init(app)
    trail.init(app)
    proof.init(app)
    templating.init(app)
    look.init(app)
    records = [part.records_of for part in (people, claims, activities, sign_in, redemptions, codes, merchants)]
    parts.init(app, parts.Parts({"spend.waiting": redemptions.waiting_for}, redemptions.had, records))
    problems.init(app, LEDGER_PROBLEMS | REDEEM_PROBLEMS)
    resources = api.init(app)

    leavings = [part.leaving() for part in (claims, activities, sign_in, redemptions, codes, merchants)]
    ledger.web.register(app, resources, leavings)
    redeem.web.register(app, resources)
    sealed_parts = [part for capability in (people, sign_in, activities, codes) for part in capability.sealed_parts()]
    verifiers = [
        people.verify,
        lambda session, book_id: seal.verify(session, book_id, extensions.services().clock.now()),
        redemptions.verify,
        catalogue.verify,
    ]
    ledger.cli.register(app, verifiers, sealed_parts)
    redeem.cli.register(app)
    collect_less()
    return app


def collect_less() -> None:
    """Let Python look for garbage less often, and never among what is there for good: the first time, whatever is there now.

    One look through all modules and routes takes 60 ms, in which nobody is answered; a set of movements makes and drops many objects.
    """
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
