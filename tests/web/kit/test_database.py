from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.settings import Settings
from ledger.web.kit.extensions import db
from tests.conftest import HandClock
from wsgi import create_app


def test_a_relative_file_is_the_one_beside_which_the_service_was_started(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(sqlite_template, tmp_path / "book.db")
    monkeypatch.chdir(tmp_path)
    keys = {"secret_key": bytes(range(32)), "master_key": bytes(range(32, 64)), "pepper": bytes(range(64, 96))}
    app = create_app(Settings("sqlite:///book.db", "http://localhost:8000", **keys), clock=HandClock())
    with app.app_context():
        assert db.engine.url.database == str(tmp_path / "book.db")
        db.engine.dispose()
