"""Taking in an office's sheet of deeds: read, judged against the tariff and each other, sealed and written."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from datetime import date
from datetime import datetime
from datetime import timedelta
from uuid import UUID

import xlsxwriter
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench.market import Market
from ledger import areas
from ledger import claims
from ledger import journal
from ledger import tariff
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Vault

DAYS = 40


def sheet_of(handles: Sequence[str], rows: int, until: date) -> bytes:
    """Return an Excel file of so many deeds: everybody once a day, on as many days as it takes."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet = workbook.add_worksheet("善行")
        sheet.write_row(0, 0, ["存折号", "善行", "日期", "地点"])
        for row in range(rows):
            sheet.write_row(row + 1, 0, [handles[row % len(handles)], "巡逻"])
            sheet.write_datetime(row + 1, 2, datetime.combine(until - timedelta(days=row // len(handles)), datetime.min.time()), day)
            sheet.write_string(row + 1, 3, "3栋")
    return buffer.getvalue()


def import_rate(engine: Engine, vault: Vault, market: Market, rows: int, at: datetime) -> float:
    """Return the rows a second that a sheet of deeds is taken in at, from its bytes to the commit."""
    with Session(engine) as session:
        act = _act(session, market, at, OPERATOR)
        tariff.define_categories(session, act)
        patrol = tariff.RateRow("patrol", "patrol", "巡逻", "Patrol", "deed", 5)
        assert not isinstance(tariff.define_rate(session, act, patrol, valid_from=at.date() - timedelta(days=365)), Refusal)
        session.commit()
    handles = [volunteer.handle for volunteer in market.volunteers[: -(-rows // DAYS)]]
    content = sheet_of(handles, rows, at.date())
    with Session(engine) as session:
        began = time.monotonic()
        act = _act(session, market, at, market.clerk_id)
        report = claims.import_claims(
            session, act, vault, claims.Reach(areas.EVERYWHERE), claims.read_deeds(content), dry_run=False
        )  # fmt: skip
        session.commit()
        took = time.monotonic() - began
    assert not isinstance(report, Refusal), report
    assert report.is_written, report.faults[:3]
    assert report.claims == rows, report
    return rows / took


def _act(session: Session, market: Market, at: datetime, actor: UUID) -> Act:
    (claimed,) = journal.claim(session, market.book_id, [journal.Ask(actor, str(new_id()), b"bench", at)])
    journal.answer(session, market.book_id, [(claimed.request_id, 200, {})])
    return Act(market.book_id, actor, "import", claimed.request_id, at)
