"""The sealer: what waits is written to the log piece by piece, then the head is signed. One at a time; any number may be started."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from uuid import UUID

from sqlalchemy.orm import Session

from ledger.clock import Clock
from ledger.seal import actions
from ledger.seal import asking
from ledger.seal import notes
from ledger.seal import queries
from ledger.seal.keeping import Memory
from ledger.seal.merkle import Tree
from ledger.store import snapshot

Progress = Callable[[int, int], None]


@dataclass
class Sealer:
    """Carries the log of one book on. Each step is a transaction of its own, so that it may be killed anywhere."""

    #: Opens a session of its own, which is closed again after each step.
    sessions: Callable[[], Session]
    book_id: UUID
    #: What the log is to be called where it has no name yet.
    origin: str
    #: The keys that sign, 32 bytes each: today's, and the one before it while it is being changed.
    keys: Sequence[bytes]
    memory: Memory
    clock: Clock
    #: Take the database's word for the heads that were signed, where the memory is new.
    begin_here: bool = False
    #: Go on with a key that the one before it says nothing of.
    key_was_lost: bool = False
    #: How many entries and records of hours are sealed in one transaction.
    at_once: int = actions.AT_ONCE
    #: By key, until when a witness that gave no answer is left alone. The sealers of all books may share it.
    resting: dict[str, float] = field(default_factory=dict)
    #: By key, how many leaves each witness has seen, as far as is known here; it says so itself where it is more.
    _seen: dict[str, int] = field(default_factory=dict)
    #: When witnesses that had not answered were last asked again.
    _asked_at: float = -math.inf
    #: The witnesses that last said that they do not know the log's key.
    _strangers: set[str] = field(default_factory=set)

    def work(self, progress: Progress | None = None, *, rest: float = 0.0) -> queries.Sealed | None:
        """Seal all that waits now and sign; return the new head, none where nothing was added.

        A backlog of more than one piece leaves room for others: after each, the sealer rests `rest` times as long as it took. Raise
        SealError where the log cannot be carried on.
        """
        waiting = self._waiting()
        if not waiting and not self._is_unsigned():
            return None
        with self.sessions() as session, session.begin():
            origin = actions.begin(session, self.book_id, self.origin, self.clock.now())
        done, growth = 0, None
        for piece in actions.pieces(waiting, self.at_once):
            began = time.monotonic()
            with self.sessions() as session, session.begin():
                growth = actions.seal(session, self.book_id, piece, growth)
            done += len(piece)
            if progress:
                progress(done, len(waiting))
            if rest and done < len(waiting):
                time.sleep(rest * (time.monotonic() - began))
        signers = notes.signers_of(origin, self.keys)
        try:
            with self.sessions() as session, session.begin():
                return actions.sign(
                    session, self.book_id, signers, self.memory, self.clock.now(), key_was_lost=self.key_was_lost
                )  # fmt: skip
        except actions.DoesNotExtendError as problem:
            self._raise_alarm(problem)
            raise

    def _waiting(self) -> list[UUID]:
        with suppress(actions.DoesNotExtendError), self._reading() as session:
            return self._compared(session)
        try:
            with self.sessions() as session, session.begin():
                # Another sealer may have signed after that snapshot had begun: under the lock nobody does.
                actions.lock(session, self.book_id)
                return self._compared(session)
        except actions.DoesNotExtendError as problem:
            self._raise_alarm(problem)
            raise

    def _compared(self, session: Session) -> list[UUID]:
        actions.compare(session, self.book_id, self.memory, self.keys, begin_here=self.begin_here, key_was_lost=self.key_was_lost)
        return actions.backlog(session, self.book_id)

    def _raise_alarm(self, problem: actions.DoesNotExtendError) -> None:
        head = problem.head
        with self.sessions() as session, session.begin():
            actions.alarm(session, self.book_id, "does-not-extend", head.origin, head, problem.signed, self.clock.now())

    def ask_witnesses(self, sealed: queries.Sealed, *, rest_s: float = asking.ASKED_AGAIN_S) -> list[notes.Key]:
        """Ask every witness that has an address to cosign a head, keep what they say, and return those that cosigned.

        One that has cosigned it is not asked, nor one that gave no answer within the last `rest_s` seconds. Nothing is kept open while they
        are waited for. One that refuses is an alarm.
        """
        with self._reading() as session:
            asked = [(notes.key_of(one.key), one.address) for one in queries.witnesses(session, self.book_id) if one.address]
        tree, cosigned = Tree(sealed.head.size, self._tile), []
        for key, address in asked:
            vkey, now = str(key), time.monotonic()
            if vkey in sealed.witnesses or self.resting.get(vkey, now) > now:
                continue
            said = asking.ask(address or "", key, sealed.note, tree, min(self._seen.get(vkey, 0), sealed.head.size))
            self._tell_stranger(key, said)
            if not (said.signature or said.refused):
                # One that answers keeps nobody waiting, and may know the key of another log.
                if said.knows_key:
                    self.resting[vkey] = now + rest_s
                continue
            with self.sessions() as session, session.begin():
                if said.refused:
                    newest = queries.newest(session, self.book_id)
                    if newest and said.seen and newest.head.size >= said.seen > sealed.head.size:
                        # Another sealer was quicker, and asked about a longer log: the next head decides.
                        continue
                    actions.alarm(session, self.book_id, "witness-refused", key.name, sealed.head, said.seen, self.clock.now())
                elif said.signature and actions.hear(session, self.book_id, sealed.head.size, said.signature, self.clock.now()):
                    self._seen[vkey] = sealed.head.size
                    cosigned.append(key)
        return cosigned

    def _tell_stranger(self, key: notes.Key, said: asking.Said) -> None:
        if said.signature:
            self._strangers.discard(key.name)
        elif not said.knows_key and key.name not in self._strangers:
            # Once, and not with each head: nobody reads what is said every second.
            self._strangers.add(key.name)
            sys.stderr.write(f"见证方 {key.name} 不认得日志的公钥 / does not know the log's key (403): see `flask ledger log-key`\n")

    def wanting(self, *, every_s: float = asking.ASKED_AGAIN_S) -> queries.Sealed | None:
        """Return the newest head where a witness with an address has not cosigned it yet, asked for once in so many seconds."""
        if time.monotonic() - self._asked_at < every_s:
            return None
        self._asked_at = time.monotonic()
        with self._reading() as session:
            sealed = queries.newest(session, self.book_id)
            asked = {one.key for one in queries.witnesses(session, self.book_id) if one.address}
        return sealed if sealed and asked - {*sealed.witnesses} else None

    def _tile(self, level: int, number: int, width: int) -> bytes:
        with self._reading() as session:
            return queries.tile(session, self.book_id, level, number, width)

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        # What only reads takes nobody's turn to write.
        with self.sessions() as session:
            snapshot(session)
            yield session

    def _is_unsigned(self) -> bool:
        # A sealer may have been killed between writing and signing.
        with self._reading() as session:
            size, last = queries.size_of(session, self.book_id), queries.newest(session, self.book_id)
        return size > (last.head.size if last else 0)
