"""How a log asks its witnesses (https://c2sp.org/tlog-witness): one request, two where the witness is further behind than was thought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from http.client import HTTPException
from http.client import HTTPSConnection
from queue import Empty
from queue import Queue
from threading import Thread
from urllib.parse import urlsplit

from ledger.seal import notes
from ledger.seal.merkle import Tree

#: A witness that does not answer keeps nobody waiting: the head is published without it, and it is asked again with the next.
PATIENCE_S = 3.0
#: However slowly it goes on answering.
PATIENCE_IN_ALL_S = 10.0
#: How long one that gave no answer is left alone; and how often one that has not cosigned the newest head is asked again.
ASKED_AGAIN_S = 30.0
_ANSWER_BYTES_MAX = 16_384

#: Sends a request's body to a witness; gives the status and the text that it answers.
Send = Callable[[str, bytes], tuple[int, str]]


@dataclass(frozen=True)
class Said:
    """What a witness said of a head: its signature; or that it refused, having seen this size; or neither, since it was not to be had."""

    signature: notes.Signature | None = None
    refused: bool = False
    seen: int | None = None
    #: Whether it knows the key that the log signs with.
    knows_key: bool = True


def ask(address: str, key: notes.Key, note: notes.Note, tree: Tree, seen: int, send: Send | None = None) -> Said:
    """Ask the witness at `address` to cosign `note`, the head of `tree`; it is thought to have seen `seen` leaves."""
    send = send or send_over_http
    for asked in (seen, None):
        proof = tree.consistency(seen) if seen < tree.size else []
        try:
            status, text = send(f"{address.rstrip('/')}/add-checkpoint", request(seen, proof, note))
            if status == 403:
                return Said(knows_key=False)
            told = notes.whole(text.removesuffix("\n")) if status == 409 else seen
            # It saw a longer log than there is, or as long a one with other leaves: a history that somebody rewrote.
            refused = status == 422 or (status == 409 and (told > tree.size or told == seen == tree.size))
            if status != 409 or refused or asked is None:
                return Said(_signature(text, key, note) if status == 200 else None, refused=refused, seen=told if refused else None)
        except (OSError, HTTPException, ValueError):
            return Said()
        seen = told
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
    """Post `body` and return the answer; raise OSError, HTTPException or ValueError where there is none in time."""
    answers: Queue[tuple[int, str] | Exception] = Queue()
    # In a thread that nobody waits for: a witness may drip one byte after the other.
    Thread(target=_send, args=(address, body, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=PATIENCE_IN_ALL_S)
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _send(address: str, body: bytes, answers: Queue[tuple[int, str] | Exception]) -> None:
    try:
        parts = urlsplit(address)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.netloc, timeout=PATIENCE_S)
        try:
            connection.request("POST", parts.path, body, {"Content-Type": "text/plain; charset=utf-8"})
            answer = connection.getresponse()
            answers.put((answer.status, answer.read(_ANSWER_BYTES_MAX).decode("utf-8", "replace")))
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError) as problem:
        answers.put(problem)
