"""What the tests of the pages of `ledger` share."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.conftest import HandClock
from tests.earning import a_community
from tests.played import Played
from tests.played import Theatre
from tests.web.pages.hall import Hall
from tests.web.pages.hall import hall_of


@pytest.fixture
def played(theatre: Theatre) -> Played:
    return theatre.once(a_community)


@pytest.fixture
def hall(played: Played, app: Flask, session: Session, clock: HandClock) -> Hall:
    return hall_of(app, session, clock)
