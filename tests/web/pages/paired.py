"""Browsers on paired devices, for the tests of what is done on them."""

from __future__ import annotations

from uuid import UUID

from flask import Flask
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.people import Card
from tests.builders import VAULT
from tests.builders import an_act
from tests.conftest import START
from tests.journeys.browser import Browser

PIN = "274913"


def on_device(app: Flask, session: Session, book: Book, *, unit_id: UUID | None = None, area_code: str | None = None) -> Browser:
    """A browser that was paired as a device of a shop or of a counter."""
    device = sign_in.prepare_device(session, an_act(book), VAULT, name="柜台平板", unit_id=unit_id, area_code=area_code)
    code = sign_in.pairing_code(VAULT, device)
    session.commit()
    browser = Browser(app)
    browser.open(f"/pair/{code}")
    assert browser.send("配对这台设备").status == 200
    return browser


def with_pin(session: Session, book: Book, person_id: UUID, kind: str = "pin", pin: str = PIN) -> None:
    """Let somebody have set a PIN."""
    sign_in.set_pin(session, VAULT, book.id, person_id, kind, pin, START)
    session.commit()


def a_card(session: Session, book: Book, person_id: UUID) -> str:
    """Let somebody have a card with a PIN; return its number."""
    card = people.issue_card(session, an_act(book), person_id)
    assert isinstance(card, Card)
    number = card.number
    with_pin(session, book, person_id)
    return number
