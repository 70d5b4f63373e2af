"""The till over HTTP: redemptions with everything on, beside a route of the same server that does nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from itertools import cycle
from pathlib import Path

from bench.load import Load
from bench.load import request_of
from bench.load import stream
from bench.market import Market
from bench.market import asked_at
from bench.server import Server
from ledger.ids import new_id
from ledger.tokens import STEP_SECONDS
from ledger.tokens import step_at

CONNECTIONS = 32
PRICE = 3


@dataclass(frozen=True)
class Desk:
    """What the desk was measured at."""

    nothing: Load
    spread: Load
    one_till: Load
    half_load: Load


def nothing(server: Server, seconds: float) -> Load:
    """Return what the server does when it only reads JSON and writes it back."""
    request = request_of("POST", "/api/v1/nothing", body={"till_id": str(new_id()), "offer_id": str(new_id()), "code": "1-20000000-0"})
    return stream(server.url, lambda: request, connections=CONNECTIONS, seconds=seconds)


def measure(server: Server, market: Market, seconds: float) -> Desk:
    """Redeem as fast as it goes at many tills and at one, and then at half that rate."""
    _redeem(server, market, seconds / 2, tills=len(market.stands))  # what runs for the first time is slower
    idle = nothing(server, seconds)
    spread = _redeem(server, market, seconds, tills=len(market.stands))
    one_till = _redeem(server, market, seconds, tills=1)
    half_load = _redeem(server, market, seconds, tills=len(market.stands), rate=spread.rate / 2)
    return Desk(idle, spread, one_till, half_load)


def _redeem(server: Server, market: Market, seconds: float, *, tills: int, rate: float | None = None) -> Load:
    load = stream(
        server.url, _redemptions(server, market, tills).__next__, connections=CONNECTIONS, seconds=seconds, rate=rate, expects=201
    )  # fmt: skip
    assert not load.unexpected, load.unexpected[0]
    return load


def _redemptions(server: Server, market: Market, tills: int) -> Iterator[bytes]:
    """Yield redemptions, each with a code that was not used before: one of each volunteer in a step, then the clock goes on to the next.

    A code is good in the step it was drawn in and in the next. The clock goes on by one step at a time, by itself or when everybody has
    had a turn, so no request is under way when its code runs out: all connections have carried others since, or half a minute is over.
    """
    assert len(market.volunteers) >= 2 * CONNECTIONS
    stands, clock = cycle(market.stands[:tills]), server.clock
    step = step_at(clock.now())
    while True:
        step = max(step + 1, step_at(clock.now()))
        if step > step_at(clock.now()):
            clock.move_to(datetime.fromtimestamp(step * STEP_SECONDS, UTC))
        for volunteer in market.volunteers:
            if step_at(now := clock.now()) > step:
                break
            stand = next(stands)
            code = market.pay_code(volunteer, now)
            yield request_of("POST", "/api/v1/redemptions", stand.cashier_token, str(new_id()), asked_at(stand, code))


def memory_growth(server: Server, market: Market, few: int, many: int, said: Callable[[int], object]) -> tuple[float, float]:
    """Return the megabytes of the server's one worker after `few` requests and after `many`."""
    asked = cycle(
        request_of("GET", path, volunteer.token)
        for volunteer in market.volunteers[:50]
        for path in ("/api/v1/passbook", "/api/v1/passbook/lines", "/api/v1/pay-code", "/api/v1/offers", "/api/v1/redemptions/mine")
    )
    sent, sizes = 0, []
    for until in (few, many):
        while sent < until:
            load = stream(server.url, asked.__next__, connections=8, seconds=1)
            assert not load.unexpected, load.unexpected[0]
            sent += sum(load.statuses.values())
            said(sent)
        sizes.append(_resident_mb(_worker_of(server.process.pid)))
    return sizes[0], sizes[1]


def _worker_of(pid: int) -> int:
    (worker,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(worker)


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20
