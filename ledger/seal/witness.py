"""A witness as https://c2sp.org/tlog-witness has it: it cosigns what carries on from what it saw, and nothing else. Pure, but for memory.

Every answer is a status and a text as the protocol asks for them; whoever serves it over HTTP adds nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from threading import Lock

from ledger.clock import Clock
from ledger.seal import notes
from ledger.seal.keeping import Memory
from ledger.seal.merkle import EMPTY_ROOT
from ledger.seal.merkle import is_consistent

TEXT, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"
#: Far above what 63 hashes and a note take.
REQUEST_BYTES_MAX = 32_768


@dataclass(frozen=True)
class Answer:
    """What is answered: an HTTP status, a text and its type."""

    status: int
    text: str
    kind: str = TEXT


class Witness:
    """Keeps the newest head of each log that it knows, and cosigns what carries on from it."""

    def __init__(
        self, signer: notes.Signer, logs: Collection[notes.Key], memory: Memory, clock: Clock, changes: Collection[notes.Note] = ()
    ) -> None:  # fmt: skip
        """Watch the logs that these keys belong to; their `changes` of keys are followed as far as each is vouched for by the one before.

        Raise NoteError where one is not.
        """
        self._signer, self._memory, self._clock = signer, memory, clock
        told = [notes.LogKey(change.key, change.after, note=note) for note in changes for change in [notes.change_of(note.body)]]
        keys = notes.followed(map(notes.LogKey, logs), sorted(told, key=lambda one: one.after))
        if not all(one.is_vouched for one in keys):
            raise notes.NoteError("a change of keys is not signed by a key that is known")
        self._logs = {name: [one for one in keys if one.key.name == name] for name in {one.key.name for one in keys}}
        self._one_at_a_time = Lock()

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a request to cosign: 200 with a signature, 409 with the size last seen, or 400, 403, 404 or 422."""
        try:
            old, proof, note = asked(body)
            head = notes.head_of(note.body)
        except notes.NoteError as problem:
            return Answer(400, f"{problem}\n")
        if head.origin not in self._logs:
            return Answer(404, "unknown log\n")
        try:
            if not note.signed_by(notes.signing(self._logs[head.origin], head.size)):
                return Answer(403, "not signed by the log\n")
        except notes.NoteError as problem:
            return Answer(403, f"{problem}\n")
        if old > head.size:
            return Answer(400, "the old size is above the new one\n")
        with self._one_at_a_time:
            return self._carried_on(old, proof, note, head)

    def _carried_on(self, old: int, proof: list[bytes], note: notes.Note, head: notes.Head) -> Answer:
        seen = self._memory.head(head.origin)
        size, root = (seen.size, seen.root) if seen else (0, EMPTY_ROOT)
        if old != size:
            return Answer(409, f"{size}\n", SIZE)
        if not is_consistent(old, root, head.size, head.root, proof):
            return Answer(422, "this head does not carry on from the one that was seen\n")
        signature = self._signer.sign(note.body, int(self._clock.now().timestamp()))
        own = [one for one in note.signatures if any(one.is_by(key.key) for key in self._logs[head.origin])]
        self._memory.keep(notes.Note(note.body, (*own, signature)))
        return Answer(200, f"{signature}\n")

    def checkpoint(self, origin_hash: str) -> Answer:
        """Return the newest head that was cosigned of the log whose origin has this SHA-256 in hexadecimal."""
        for origin in self._logs:
            if notes.origin_hash(origin) == origin_hash and (note := self._memory.note(origin)):
                return Answer(200, str(note))
        return Answer(404, "nothing was cosigned of this log\n")

    def logs(self) -> Answer:
        """Return the name of each log that is watched, and where its newest head is to be had."""
        return Answer(200, "".join(f"{origin} /{notes.origin_hash(origin)}/checkpoint\n" for origin in sorted(self._logs)))


def asked(body: bytes) -> tuple[int, list[bytes], notes.Note]:
    """Read a request: the old size, the proof from there, and the head."""
    try:
        above, divider, below = body.decode().partition("\n\n")
    except UnicodeDecodeError as wrong:
        raise notes.NoteError("not UTF-8") from wrong
    first, *lines = above.split("\n")
    if not divider or not first.startswith("old ") or len(body) > REQUEST_BYTES_MAX:
        raise notes.NoteError("a request has an old size, hashes, an empty line and a checkpoint")
    return notes.whole(first.removeprefix("old ")), notes.hashes_of(lines), notes.note_of(below)
