"""`make serve`, as somebody starts it in a fresh checkout."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pysqlite3
import pytest

from tests.conftest import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the project consists of, without anything that was made in it."""
    made = shutil.ignore_patterns(".*", "var", "__pycache__", "tests")
    return Path(shutil.copytree(ROOT, tmp_path / "checkout", ignore=made))


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number


def start(checkout: Path, port: int) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PASSBOOK_")}
    with (checkout / "printed").open("wb") as printed:
        return subprocess.Popen(
            [sys.executable, "scripts/serve.py"], cwd=checkout, env=kept | {"PORT": str(port)}, stdout=printed, stderr=subprocess.STDOUT
        )


def said(checkout: Path) -> str:
    return (checkout / "printed").read_text()


@contextlib.contextmanager
def served(checkout: Path, port: int) -> Iterator[list[str]]:
    """Serve while the block lasts, and give the paths of the sign-in links that were printed; asked to end, the server ends."""
    process = start(checkout, port)
    try:
        while True:
            assert process.poll() is None, said(checkout)
            with contextlib.suppress(OSError):
                if asked("GET", port, "/healthz") == 200:
                    break
            time.sleep(0.1)
        yield sorted(set(re.findall(rf"http://localhost:{port}(/sign-in/\S+)", said(checkout))))
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, said(checkout)
        assert "Traceback" not in said(checkout)
    finally:
        process.kill()
        process.wait()


def asked(method: str, port: int, path: str) -> int:
    connection = http.client.HTTPConnection("localhost", port, timeout=5)
    with contextlib.closing(connection):
        connection.request(method, path)
        return connection.getresponse().status


def counted(checkout: Path) -> dict[str, int]:
    connection = pysqlite3.connect(str(checkout / "var" / "passbook.db"))
    tables = ("published_area", "book", "person", "claim", "entry", "line", "redemption", "activity")
    with contextlib.closing(connection):
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def test_an_empty_checkout_serves_a_community_and_keeps_it(checkout: Path, port: int) -> None:
    with served(checkout, port) as links:
        assert len(links) >= 5
        assert asked("POST", port, links[0]) == 303
        made = counted(checkout)
    assert (made["published_area"], made["book"]) == (6141, 1)
    assert min(made.values()) > 0
    with served(checkout, port) as new_links:
        assert counted(checkout) == made
        assert len(new_links) == len(links)
        assert not set(new_links) & set(links)
        assert asked("POST", port, links[1]) == 303


def test_a_port_that_is_taken_is_told_in_a_sentence(checkout: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        process = start(checkout, taken := holder.getsockname()[1])
        assert process.wait(15) == 1
    assert f"port {taken} cannot be used" in said(checkout)
    assert "Traceback" not in said(checkout)
    assert not (checkout / "var").exists()
