"""How a log asks its witnesses (https://c2sp.org/tlog-witness): one request, two where the witness is further behind than was thought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from http.client import HTTPException
from http.client import HTTPSConnection
from urllib.parse import urlsplit

from ledger.seal import notes
from ledger.seal.merkle import Tree

#: A witness that does not answer keeps nobody waiting: the head is published without it, and it is asked again with the next.
PATIENCE_S = 3.0
_ANSWER_BYTES_MAX = 16_384

#: Sends a request's body to a witness; gives the status and the text that it answers.
Send = Callable[[str, bytes], tuple[int, str]]


@dataclass(frozen=True)
class Said:
    """What a witness said of a head: its signature; or that it refused, having seen this size; or neither, since it was not to be had."""

    signature: notes.Signature | None = None
    refused: bool = False
    seen: int | None = None


def ask(address: str, key: notes.Key, note: notes.Note, tree: Tree, seen: int, send: Send | None = None) -> Said:
    """Ask the witness at `address` to cosign `note`, the head of `tree`; it is thought to have seen `seen` leaves."""
    send = send or send_over_http
    for _ in range(2):
        if seen > tree.size:
            # It saw a longer log than there is: a history that somebody cut off.
            return Said(refused=True, seen=seen)
        proof = tree.consistency(seen) if seen < tree.size else []
        try:
            status, text = send(f"{address.rstrip('/')}/add-checkpoint", request(seen, proof, note))
        except (OSError, HTTPException):
            return Said()
        try:
            if status == 409:
                seen = notes.whole(text.removesuffix("\n"))
                continue
            if status == 200:
                return Said(_signature(text, key, note))
        except notes.NoteError:
            return Said()
        return Said(refused=status == 422, seen=seen)
    return Said()


def request(old: int, proof: list[bytes], note: notes.Note) -> bytes:
    """Return the body of a request to cosign."""
    return f"old {old}\n{notes.hash_lines(proof)}\n{note}".encode()


def _signature(text: str, key: notes.Key, note: notes.Note) -> notes.Signature | None:
    # The signatures of others that it may send as well are passed over.
    for line in text.splitlines():
        signature = notes.signature_of(line)
        if signature.is_by(key) and key.holds(signature.value, note.body):
            return signature
    return None


def send_over_http(address: str, body: bytes) -> tuple[int, str]:
    """Post `body` and return the answer; raise OSError or HTTPException where there is none within `PATIENCE_S`."""
    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=PATIENCE_S)
    try:
        connection.request("POST", parts.path, body, {"Content-Type": "text/plain; charset=utf-8"})
        answer = connection.getresponse()
        return answer.status, answer.read(_ANSWER_BYTES_MAX).decode("utf-8", "replace")
    finally:
        connection.close()
