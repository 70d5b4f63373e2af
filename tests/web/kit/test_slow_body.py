"""A body that comes in slowly holds nobody else up."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from ledger import sign_in
from ledger.store import engine_for
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import Database


class SlowBody(io.RawIOBase):
    """A body; while it is read, somebody else writes."""

    def __init__(self, content: bytes, database: Database) -> None:
        self.rest = content
        self.database = database
        self.writes = 0

    def readinto(self, buffer: Any) -> int:
        engine = engine_for(self.database.url)
        with Session(engine) as other:
            a_book(other, with_grids=False)
            other.commit()
        engine.dispose()
        self.writes += 1
        part, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def test_whoever_sends_slowly_holds_no_lock_meanwhile(app: Flask, database: Database, session: Session) -> None:
    book = a_book(session)
    administrator = a_person(session, book, "administrator", area_code=VILLAGE)
    token = sign_in.issue_bearer(session, an_act(book), [administrator.id], lives=timedelta(days=1))[0]
    session.commit()
    content = json.dumps({"parent_code": VILLAGE, "code": f"{VILLAGE}-09", "name": "第9网格", "kind": "special"}).encode()
    body = SlowBody(content, database)
    answer = app.test_client().post(
        "/api/v1/areas",
        content_type="application/json",
        environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(len(content))},
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "slow"},
    )
    assert (answer.status_code, body.writes > 0) == (201, True)
