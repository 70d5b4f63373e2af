"""`make race`: one pay code at two tills at the same moment, again and again; then the same write at the same moment.

Each round 64 requests use one code at two tills: exactly one redemption comes of it, and every other answer says when and at which till.
Then 64 identical writes with one key: one effect, equal answers. DATABASE_URL chooses the database as in the story, ROUNDS how often.
The last line is `race: ok, N of N`, and the exit status says the same.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

sys.path.pop(0)  # this folder, whose bench.py would be taken for all of it
sys.path.insert(0, str(Path(__file__).parent.parent))

from rich.console import Console
from rich.progress import Progress
from sqlalchemy.orm import Session

from bench.load import Crowd
from bench.load import Reply
from bench.load import request_of
from bench.market import Market
from bench.market import Stand
from bench.market import asked_at
from bench.market import open_market
from bench.server import Server
from bench.server import analyze
from bench.server import scratch_database
from bench.server import serving
from ledger import journal
from ledger.ids import new_id
from ledger.store import engine_for
from redeem import redemptions

AT_ONCE, PRICE, VOLUNTEERS = 64, 3, 8
#: One round in so many is followed by one of identical writes.
IDENTICAL_EVERY = 10
START = datetime(2026, 3, 2, 1, tzinfo=UTC)
FAULTS_SHOWN = 10


def main() -> int:
    """Run the race and return the exit status."""
    rounds = int(os.environ.get("ROUNDS", "50"))
    kind = os.environ.get("DATABASE_URL") or "postgresql"
    console, faults, won = Console(stderr=True), list[str](), 0
    with scratch_database(kind) as (url, owner_url), serving(url, threads=AT_ONCE // 2, start=START) as server:
        identical = -(-rounds // IDENTICAL_EVERY)
        market = open_market(server, owner_url, volunteers=VOLUNTEERS, shops=2, points=(rounds + identical) * PRICE, price=PRICE)
        analyze(owner_url)
        crowd, began = Crowd(server.url, AT_ONCE), time.monotonic()
        with Progress(console=console) as bar:
            for number in bar.track(range(rounds), description=f"{AT_ONCE} uses of one code at two tills, {server.kind}"):
                wrong = _use_at_two_tills(server, market, crowd, number)
                faults += wrong
                won += not wrong
            for number in bar.track(range(identical), description=f"{AT_ONCE} identical writes with one key"):
                faults += _write_the_same(server, market, crowd, number)
        seconds = time.monotonic() - began
        crowd.close()
        faults += _look_into_the_books(server, market, won, identical)
    asked = (rounds + identical) * AT_ONCE
    print(f"{server.kind}: {asked:,} requests in {seconds:.0f} s, {asked / seconds:,.0f} a second")
    for fault in faults[:FAULTS_SHOWN]:
        print(f"  {fault}")
    print(f"race: {'failed' if faults else 'ok'}, {won} of {rounds}")
    return 1 if faults else 0


def _use_at_two_tills(server: Server, market: Market, crowd: Crowd, number: int) -> list[str]:
    """Use one code at two tills of two shops, by every connection; return what is wrong with the answers."""
    server.clock.move_to(server.clock.now() + timedelta(seconds=60))
    code = market.pay_code(market.volunteers[number % VOLUNTEERS], server.clock.now())
    tills = (market.stands[0], market.stands[2])
    asked = [_redemption(tills[place % 2], str(new_id()), code) for place in range(AT_ONCE)]
    replies = crowd.ask(asked)
    won = [reply for reply in replies if reply.status == 201]
    if len(won) != 1 or won[0].body["state"] != "posted":
        return [f"round {number + 1}: {len(won)} redemptions of one code: {sorted({reply.status for reply in replies})}"]
    # Whoever lost is told when the one that won was posted, and at which till.
    where = {"at": won[0].body["posted_at"], "till": won[0].body["till_name"]}
    return [
        f"round {number + 1}: {reply.status} {reply.body}, not when and where: {where}"
        for reply in replies
        if reply is not won[0] and not _says(reply, "pay-code-used", where)
    ][:1]


def _says(reply: Reply, code: str, data: dict[str, str]) -> bool:
    return reply.status == 409 and str(reply.body["type"]).endswith(f"/{code}") and data.items() <= reply.body["data"].items()


def _redemption(stand: Stand, key: str, code: str) -> bytes:
    return request_of("POST", "/api/v1/redemptions", stand.cashier_token, key, asked_at(stand, code))


def _write_the_same(server: Server, market: Market, crowd: Crowd, number: int) -> list[str]:
    """Send the same write over every connection; return what is wrong with the answers."""
    server.clock.move_to(server.clock.now() + timedelta(seconds=60))
    stand, volunteer = market.stands[number % 2], market.volunteers[number % VOLUNTEERS]
    same = _redemption(stand, str(new_id()), market.pay_code(volunteer, server.clock.now()))
    replies = crowd.ask([same] * AT_ONCE)
    if replies[0].status != 201 or any(reply != replies[0] for reply in replies):
        return [f"identical writes {number + 1}: {len({str(reply) for reply in replies})} different answers, the first {replies[0]}"]
    return []


def _look_into_the_books(server: Server, market: Market, won: int, identical: int) -> list[str]:
    """Compare the answers with what stands in the book, and verify all of it."""
    engine = engine_for(server.settings.database_url)
    with Session(engine) as session:
        found = [*journal.verify(session, market.book_id, server.clock.now()), *redemptions.verify(session, market.book_id)]
        faults = [": ".join(fault) for fault in found]
        sums = journal.trial_balance(session, market.book_id)
    engine.dispose()
    if sum(sums.values()) != 0 or sums.get("receivable") != (won + identical) * PRICE:
        faults.append(f"{won + identical} redemptions of {PRICE} points, and the book says {sums}")
    return faults


if __name__ == "__main__":
    sys.exit(main())
