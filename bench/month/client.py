"""The story's client: many threads, one connection each; every answer is either what was expected or an error."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import TypeVar
from urllib.parse import urlsplit

from ledger.ids import new_id

T = TypeVar("T")
PREFIX = "/api/v1"
#: So many requests go over one connection: many people have a phone each, and the server's processes are found anew by each.
ASKED_OVER_ONE = 25


class UnexpectedError(Exception):
    """An answer that was not expected: what was asked, and what came."""


@dataclass(frozen=True)
class Answer:
    """An answer of the API."""

    status: int
    body: Any
    is_replay: bool

    @property
    def code(self) -> str:
        """Return the code of the problem, or "" for none."""
        return "" if self.status < 400 else str(self.body["type"]).rpartition("/")[2]


@dataclass(frozen=True)
class Reply:
    """What came back over the line."""

    status: int
    content: bytes
    headers: http.client.HTTPMessage


@dataclass
class Tally:
    """What the answers come to."""

    #: Milliseconds of each request, by route.
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    #: Expected refusals, by their code.
    refused: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Return how many requests were answered."""
        return sum(len(times) for times in self.times.values())

    @property
    def over_pages(self) -> int:
        """Return how many of them were of browsers."""
        return sum(len(times) for route, times in self.times.items() if PREFIX not in route)


class Client:
    """Asks the API in the name of whoever's token is given."""

    def __init__(self, url: str, threads: int) -> None:
        self.host = urlsplit(url).netloc
        self.tally = Tally()
        self._pool = ThreadPoolExecutor(threads)
        self._own = threading.local()
        self._lock = threading.Lock()

    def ask(
        self, token: str | None, method: str, route: str, *ids: object, body: dict[str, Any] | None = None, query: str = "",
        key: str | None = None, expects: str = "",
    ) -> Answer:  # fmt: skip
        """Ask once; `expects` is the code of the refusal that must come, "" for an answer that is none. Raise Unexpected otherwise."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if method != "GET":
            headers |= {"Content-Type": "application/json", "Idempotency-Key": key or str(new_id())}
        raw = json.dumps(body or {}).encode() if method != "GET" else None
        path = PREFIX + route.format(*ids) + (f"?{query}" if query else "")
        reply = self.exchange(method, path, raw, headers, f"{method} {PREFIX}{route.format(*['…'] * len(ids))}")
        answer = Answer(reply.status, json.loads(reply.content), reply.headers.get("Idempotency-Replayed") == "true")
        if answer.code != expects:
            came = f"{answer.status} {answer.code or answer.body}"
            raise UnexpectedError(f"{method} {route.format(*ids)} {str(body)[:200]}: {came}, expected {expects or 'success'}")
        if expects:
            self.refuse(expects)
        return answer

    def exchange(self, method: str, path: str, raw: bytes | None, headers: dict[str, str], route: str) -> Reply:
        """Send a request as it is, and note how long the answer took, by route."""
        began = time.perf_counter()
        reply = self._send(method, path, raw, headers)
        took = (time.perf_counter() - began) * 1000
        with self._lock:
            self.tally.times[route].append(took)
        return reply

    def get(self, token: str | None, route: str, *ids: object, query: str = "", expects: str = "") -> Any:
        """Return the body of a GET."""
        return self.ask(token, "GET", route, *ids, query=query, expects=expects).body

    def post(self, token: str, route: str, *ids: object, body: dict[str, Any] | None = None, expects: str = "", **more: Any) -> Any:
        """Return the body that a POST was answered with."""
        return self.ask(token, "POST", route, *ids, body=(body or {}) | more, expects=expects).body

    def pages(self, token: str, route: str, query: str) -> Iterable[Any]:
        """Yield the items of a list, page by page."""
        cursor = ""
        while True:
            page = self.get(token, route, query=f"{query}&limit=100{cursor}")
            yield from page["items"]
            if page["next"] is None:
                return
            cursor = f"&cursor={page['next']}"

    def refuse(self, code: str) -> None:
        """Count an expected refusal."""
        with self._lock:
            self.tally.refused[code] += 1

    def fail(self, what: str) -> None:
        """Count an error."""
        with self._lock:
            self.tally.errors.append(what)

    def together(self, tasks: Iterable[Callable[[], T]]) -> list[T]:
        """Do the tasks in all threads at once; return what came of those that went as expected, in order.

        One task or two may do others together in turn: they hold their threads meanwhile, so no more of them than there are threads.
        """
        return [done for done in self._pool.map(self.attempt, tasks) if done is not _FAILED]

    def attempt(self, task: Callable[[], T]) -> Any:
        """Do a task; what goes wrong in it is an error of the story, and told at its end."""
        try:
            return task()
        except UnexpectedError as problem:
            self.fail(str(problem))
        except Exception as problem:  # noqa: BLE001  whatever it is, it was not expected
            self.fail(f"{type(problem).__name__}: {problem}")
        return _FAILED

    def _send(self, method: str, path: str, raw: bytes | None, headers: dict[str, str]) -> Reply:
        kept: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        self._own.asked = getattr(self._own, "asked", 0) + 1
        if kept and self._own.asked % ASKED_OVER_ONE == 0:
            kept.close()
            kept = None
        try:
            return self._over(kept or self._connect(), method, path, raw, headers)
        except (http.client.HTTPException, OSError):
            if kept is None:
                raise
            # The server closes a connection that was idle for long; the key makes asking again harmless.
            return self._over(self._connect(), method, path, raw, headers)

    def _connect(self) -> http.client.HTTPConnection:
        self._own.connection = http.client.HTTPConnection(self.host, timeout=60)
        connected: http.client.HTTPConnection = self._own.connection
        return connected

    @staticmethod
    def _over(connection: http.client.HTTPConnection, method: str, path: str, raw: bytes | None, headers: dict[str, str]) -> Reply:
        connection.request(method, path, raw, headers)
        response = connection.getresponse()
        return Reply(response.status, response.read(), response.headers)


_FAILED: Any = object()
