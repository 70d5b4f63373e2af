"""Measure that whoever guesses at somebody and at nobody waits equally long: `make timing` (ROUNDS=100).

Exit status 1 unless the ratio of the medians is between 0.9 and 1.1. That each of them hashes once, the tests prove without a clock.
"""

from __future__ import annotations

import base64
import os
import secrets
import statistics
import sys
import tempfile
import time
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pyotp
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.server import migrate
from ledger import areas
from ledger import people
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.ids import new_id
from ledger.people import Vault
from ledger.settings import Settings
from ledger.sign_in import codes
from ledger.sign_in import passwords
from ledger.store import engine_for
from wsgi import create_app

COUNTY = "320106"
AREAS = [
    {"code": "32", "name": "江苏省", "level": "province", "parent_code": ""},
    {"code": "3201", "name": "南京市", "level": "city", "parent_code": "32"},
    {"code": COUNTY, "name": "鼓楼区", "level": "county", "parent_code": "3201"},
]
#: As many guesses as are served at one account, before the clock moves on.
AT_ONCE = 4


class StandingClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 23, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time, UTC."""
        return self.moment


def main() -> int:
    """Guess in turns, print the medians and their ratio, and return the exit status."""
    rounds, clock = int(os.environ.get("ROUNDS", "100")), StandingClock()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/book.db"
        migrate(url)
        keys = {f"PASSBOOK_{name}": base64.b64encode(secrets.token_bytes(32)).decode() for name in ("SECRET_KEY", "MASTER_KEY", "PEPPER")}
        settings = Settings.from_mapping(keys | {"PASSBOOK_DATABASE_URL": url, "PASSBOOK_PUBLIC_URL": "http://localhost"})
        known, without = _enrolled(settings, clock.now() - timedelta(hours=1))
        client = create_app(settings, clock=clock).test_client()
        waits: dict[str, list[float]] = {"somebody": [], "somebody without a password": [], "nobody": []}
        for number in range(rounds + AT_ONCE):
            if number % AT_ONCE == 0:
                clock.moment += timedelta(minutes=16)
            for who, handle in zip(waits, (known, without, "99999999"), strict=True):
                waited = _waited(client, handle)
                if number >= AT_ONCE:  # what runs for the first time is slower
                    waits[who].append(waited)
    medians = {who: statistics.median(those) for who, those in waits.items()}
    for who, median in medians.items():
        print(f"{who}: {median * 1000:.1f} ms, ratio {median / medians['somebody']:.3f}")
    return int(not all(0.9 <= median / medians["somebody"] <= 1.1 for median in medians.values()))


def _enrolled(settings: Settings, at: datetime) -> tuple[str, str]:
    """Return the passbook numbers of somebody with a password and of somebody without."""
    engine, vault = engine_for(settings.database_url), Vault.of(settings)
    with Session(engine) as session:
        areas.import_published(session, AREAS)
        book = areas.open_book(session, name="鼓楼区", area_code=COUNTY, zone="Asia/Shanghai", at=at)
        act = Act(book.id, OPERATOR, "command", new_id(), at)
        found = [people.enrol(session, act, vault, people.NewPerson(name, COUNTY, roles=("approver",))) for name in ("甲一", "甲二")]
        persons = [one for one in found if isinstance(one, people.Person)]
        first = persons[0]
        passwords.set_password(session, act, vault, first.id, secrets.token_hex(16))
        key = codes.new_key(vault, book.id, first.id, account="a", issuer="b", at=at)
        codes.confirm_key(session, act, vault, first.id, key.sealed, pyotp.TOTP(key.text).at(at))
        session.commit()
        handles = (persons[0].handle, persons[1].handle)
    engine.dispose()
    return handles


def _waited(client: FlaskClient, handle: str) -> float:
    begun = time.perf_counter()
    answer = client.post("/sign-in", data={"number": handle, "password": "a guess that is wrong", "code": "000000"})
    waited = time.perf_counter() - begun
    if answer.status_code == 429:
        raise RuntimeError("the guess was not served")
    return waited


if __name__ == "__main__":
    sys.exit(main())
