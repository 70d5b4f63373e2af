"""What the tests of the lines of security stand on."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.conftest import HandClock
from tests.earning import a_community
from tests.played import Played
from tests.played import Theatre
from tests.played import database  # noqa: F401
from tests.played import theatre  # noqa: F401
from tests.played import theatre_on_postgresql  # noqa: F401
from tests.played import theatre_on_sqlite  # noqa: F401
from tests.web.pages.hall import Hall
from tests.web.pages.hall import hall_of


@pytest.fixture
def played(theatre: Theatre) -> Played:  # noqa: F811
    return theatre.once(a_community)


@pytest.fixture
def hall(played: Played, app: Flask, session: Session, clock: HandClock) -> Hall:
    return hall_of(app, session, clock)
