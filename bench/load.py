"""A client that costs little: prepared bytes over kept connections, in one thread, so that the server has the machine to itself."""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import NamedTuple
from urllib.parse import urlsplit

TIMEOUT_S = 60


class Reply(NamedTuple):
    """An answer: its status and what JSON it brought."""

    status: int
    body: Any


def request_of(method: str, path: str, token: str = "", key: str = "", body: Any = None) -> bytes:
    """Return a whole request, ready to be sent."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Idempotency-Key: {key}"] if key else []
    lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"] if content else []
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection:
    """A kept connection; one request at a time."""

    def __init__(self, url: str) -> None:
        host, _, port = urlsplit(url).netloc.partition(":")
        self.socket = socket.create_connection((host, int(port)), TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def send(self, request: bytes) -> None:
        """Send a request."""
        self._read = b""
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """Take what has come; return the answer once it is whole."""
        if not (part := self.socket.recv(65536)):
            raise ConnectionError("the server closed a connection in the middle of an answer")
        self._read += part
        head, end, content = self._read.partition(b"\r\n\r\n")
        if not end or len(content) < _length(head):
            return None
        return self._read

    def answer(self) -> Reply:
        """Wait for the answer and return it."""
        while (raw := self.receive()) is None:
            pass
        return reply_of(raw)

    def close(self) -> None:
        """Close it."""
        self.socket.close()


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


def reply_of(raw: bytes) -> Reply:
    """Return the answer that these bytes are."""
    head, _, content = raw.partition(b"\r\n\r\n")
    return Reply(int(head[9:12]), json.loads(content) if content else None)


class Crowd:
    """So many connections that ask at the same moment."""

    def __init__(self, url: str, size: int) -> None:
        self._connections = [Connection(url) for _ in range(size)]

    def ask(self, requests: Sequence[bytes]) -> list[Reply]:
        """Send all requests before any answer is read, and return the answers in their order."""
        for connection, request in zip(self._connections, requests, strict=True):
            connection.send(request)
        return [connection.answer() for connection in self._connections]

    def close(self) -> None:
        """Close all."""
        for connection in self._connections:
            connection.close()


@dataclass
class Load:
    """What a stream of requests came to."""

    seconds: float = 0.0
    #: How much of one processor the client itself took.
    client_cpu: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    #: Milliseconds from when a request was due until its answer was read.
    took_ms: list[float] = field(default_factory=list)
    unexpected: list[bytes] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return the answers a second."""
        return sum(self.statuses.values()) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the time that this share of the answers took at most."""
        ordered = sorted(self.took_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def stream(
    url: str, make: Callable[[], bytes], *, connections: int, seconds: float, rate: float | None = None, expects: int = 200
) -> Load:  # fmt: skip
    """Send what `make` makes over so many connections for so long: at once when one is free, or `rate` a second, whether it is or not.

    With a rate the time of an answer counts from the moment its request was due, so that a server that stalls is not spared.
    """
    load, chooser = Load(), selectors.DefaultSelector()
    free = [Connection(url) for _ in range(connections)]
    everyone = list(free)
    due_at: dict[Connection, float] = {}
    for connection in free:
        chooser.register(connection.socket, selectors.EVENT_READ, connection)
    began, cpu, sent = time.perf_counter(), time.process_time(), 0
    while (now := time.perf_counter()) - began < seconds or due_at:
        is_over = now - began >= seconds
        while free and not is_over and (rate is None or began + sent / rate <= now):
            connection = free.pop()
            due_at[connection] = now if rate is None else began + sent / rate
            sent += 1
            connection.send(make())
        wait = None if is_over or rate is None else max(0.0, began + sent / rate - time.perf_counter()) if free else None
        for chosen, _ in chooser.select(wait):
            connection = chosen.data
            if (raw := connection.receive()) is None:
                continue
            load.took_ms.append((time.perf_counter() - due_at.pop(connection)) * 1000)
            status = int(raw[9:12])
            load.statuses[status] += 1
            if status != expects:
                load.unexpected.append(raw)
            free.append(connection)
    load.seconds = time.perf_counter() - began
    load.client_cpu = (time.process_time() - cpu) / load.seconds
    for connection in everyone:
        connection.close()
    chooser.close()
    return load
