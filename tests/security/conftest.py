"""What the tests of the lines of security stand on."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.conftest import HandClock
from tests.web.pages.hall import Hall
from tests.web.pages.hall import a_hall


@pytest.fixture
def hall(app: Flask, session: Session, clock: HandClock) -> Hall:
    return a_hall(app, session, clock)
