"""What the demonstration's cashier needs: a code that pairs a browser as the till, and a PIN for the shift."""

from __future__ import annotations

import secrets
from datetime import timedelta

from ledger import sign_in
from ledger.errors import Invalid
from redeem import library
from scripts.demo.stage import Stage


def pairing_code(stage: Stage, lives: timedelta) -> str:
    """Return a code that pairs a browser as a device of the shop."""
    (shop,) = library.units(stage.session, stage.book.id, colour="white")
    device = sign_in.prepare_device(stage.session, stage.act("owner"), stage.vault, name="示范收银机", unit_id=shop.id, lives=lives)
    return sign_in.shown_code(stage.session, stage.book, sign_in.pairing_code(stage.vault, device))


def new_pin(stage: Stage) -> str:
    """Return a PIN drawn by lot, with which the cashier opens a shift from now on."""
    while True:
        pin = f"{secrets.randbelow(10**6):06}"
        try:
            sign_in.set_pin(stage.session, stage.vault, stage.book.id, stage.who("cashier"), "shift", pin, stage.now)
        except Invalid:
            continue
        return pin
