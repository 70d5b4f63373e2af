from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest
from flask import Flask
from flask import request

from ledger.settings import Settings
from ledger.settings import SettingsError
from ledger.web.kit.auth import allow
from ledger.web.kit.extensions import db
from tests.conftest import HandClock
from wsgi import create_app

TOLD = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}


def address_seen(app: Flask) -> tuple[str | None, str, str]:
    """The address, scheme and host that a view sees."""
    seen: list[tuple[str | None, str, str]] = []

    @allow(public=True)
    def look() -> str:
        seen.append((request.remote_addr, request.scheme, request.host))
        return ""

    app.view_functions["public.health"] = look
    app.test_client().get("/healthz", headers=TOLD)
    with app.app_context():
        db.engine.dispose()
    return seen[0]


@pytest.mark.parametrize(("proxies", "address"), [(0, "127.0.0.1"), (1, "198.51.100.7"), (2, "203.0.113.9")])
def test_an_address_is_believed_of_one_s_own_proxies_only(settings: Settings, clock: HandClock, proxies: int, address: str) -> None:
    app = create_app(replace(settings, proxies=proxies), clock=clock)
    assert address_seen(app) == (address, "http", "localhost")


@pytest.mark.parametrize("told", ["-1", "4", "yes", "1.5", "\uff11"])
def test_the_number_of_proxies_is_a_small_number(told: str) -> None:
    with pytest.raises(SettingsError, match="PASSBOOK_PROXIES"):
        Settings.from_mapping({**KEYS, "PASSBOOK_PROXIES": told})
    assert Settings.from_mapping({**KEYS, "PASSBOOK_PROXIES": "2"}).proxies == 2


KEYS = {
    "PASSBOOK_DATABASE_URL": "sqlite:///book.db",
    "PASSBOOK_PUBLIC_URL": "https://passbook.example.org",
} | {
    f"PASSBOOK_{name}": base64.b64encode(hashlib.sha256(name.encode()).digest()).decode() for name in ("SECRET_KEY", "MASTER_KEY", "PEPPER")
}
