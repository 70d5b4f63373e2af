"""A real Chromium, driven over its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/) by a small WebSocket client."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_S = 30.0


class Channel:
    """A WebSocket (RFC 6455), as its client: texts, whole or in parts, and pings."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        assert parts.hostname
        assert parts.port
        self._socket = socket.create_connection((parts.hostname, parts.port), PATIENCE_S)
        self._file = self._socket.makefile("rb")
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = [f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        assert b" 101 " in self._file.readline()
        while self._file.readline().strip():
            pass

    def send(self, text: str, kind: int = 1) -> None:
        """Send a text."""
        payload, mask = text.encode(), secrets.token_bytes(4)
        length = len(payload)
        size = (
            bytes([0x80 | length])
            if length < 126
            else b"\xfe" + struct.pack("!H", length)
            if length < 65536
            else b"\xff" + struct.pack("!Q", length)
        )
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
        self._socket.sendall(bytes([0x80 | kind]) + size + mask + masked)

    def receive(self) -> str:
        """Return the next text."""
        whole = b""
        while True:
            first, second = self._file.read(2)
            length = second & 0x7F
            if length > 125:
                length = int.from_bytes(self._file.read(2 if length == 126 else 8), "big")
            payload = self._file.read(length)
            kind = first & 0x0F
            if kind == 9:
                self.send(payload.decode(), 10)
            elif kind in {0, 1}:
                whole += payload
                if first & 0x80:
                    return whole.decode()
            elif kind == 8:
                raise ConnectionError("the browser hung up")

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()


class Tab:
    """A page of the browser."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._number = 0
        for domain in ("Page", "Runtime", "WebAuthn"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **given: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self._number += 1
        self._channel.send(json.dumps({"id": self._number, "method": method, "params": given}))
        while True:
            told = json.loads(self._channel.receive())
            if told.get("id") == self._number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result

    def has_authenticator(self) -> None:
        """Let the machine have a finger's reader of its own, and a finger that it knows."""
        self.call(
            "WebAuthn.addVirtualAuthenticator",
            options={
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
                "automaticPresenceSimulation": True,
            },
        )  # fmt: skip

    def value(self, expression: str) -> Any:
        """Return what JavaScript in the page gives, as if somebody had just touched it."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def open(self, address: str) -> None:
        """Open an address and wait until the page that it leads to is there."""
        self.call("Page.navigate", url=address)
        self.wait("true")

    def press(self, words: str) -> None:
        """Press the button or link that is seen and says `words`."""
        seen = (
            "[...document.querySelectorAll('main button, main a, .foot button')].find((one) => one.offsetParent && one.innerText.includes"
        )
        self.wait(f"!!{seen}({json.dumps(words)}))")
        self.value(f"{seen}({json.dumps(words)})).click()")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true of a page that is all there."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            # While one page goes and the next comes there is nothing to ask.
            with contextlib.suppress(AssertionError):
                if self.value(f"document.readyState === 'complete' && ({expression})"):
                    return
            time.sleep(0.05)
        raise AssertionError(f"{expression} never came true at {self.value('location.href + document.body.innerText')}")


@contextlib.contextmanager
def chromium() -> Iterator[Tab]:
    """Give a page of a new Chromium with a profile of its own."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, (
        f"there is no Chromium on the PATH under any of {', '.join(PROGRAMS)}: install one, for this test is about a real browser"
    )
    profile = Path(tempfile.mkdtemp(prefix="pbchromium"))
    arguments = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}", "--no-first-run", "--disable-gpu"]
    arguments += [
        "--disable-dev-shm-usage",
        "--no-default-browser-check",
        "--accept-lang=zh-CN",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        "about:blank",
    ]
    with (profile / "log").open("wb") as log:
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
    channel = None
    try:
        channel = Channel(_page_of(profile, process))
        yield Tab(channel)
    finally:
        if channel:
            channel.close()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(profile, ignore_errors=True)


def _page_of(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Return the address at which the browser's page is driven, once it says so."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError, IndexError, StopIteration):
            port = (profile / "DevToolsActivePort").read_text().splitlines()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE_S) as answer:
                pages = json.load(answer)
            return str(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))
        time.sleep(0.05)
    raise AssertionError(f"the browser did not start:\n{(profile / 'log').read_text(errors='replace')}")
