"""The sealer: what waits is written to the log piece by piece, then the head is signed. One at a time; any number may be started."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from ledger.clock import Clock
from ledger.seal import actions
from ledger.seal import notes
from ledger.seal import queries
from ledger.seal.keeping import Memory

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
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

    def work(self, progress: Progress | None = None, *, rest: float = 0.0) -> queries.Sealed | None:
        """Seal all that waits now and sign; return the new head, none where nothing was added.

        A backlog of more than one piece leaves room for others: after each, the sealer rests `rest` times as long as it took. Raise SealError
        where the log cannot be carried on.
        """
        with self.sessions() as session:
            waiting = actions.backlog(session, self.book_id)
        if not waiting and not self._is_unsigned():
            return None
        with self.sessions() as session, session.begin():
            origin = actions.begin(session, self.book_id, self.origin, self.clock.now())
        done = 0
        for piece in actions.pieces(waiting):
            began = time.monotonic()
            with self.sessions() as session, session.begin():
                actions.seal(session, self.book_id, piece)
            done += len(piece)
            if progress:
                progress(done, len(waiting))
            if rest and done < len(waiting):
                time.sleep(rest * (time.monotonic() - began))
        signers = [notes.Signer(origin, notes.ED25519, Ed25519PrivateKey.from_private_bytes(key)) for key in self.keys]
        try:
            with self.sessions() as session, session.begin():
                return actions.sign(session, self.book_id, signers, self.memory, self.clock.now())
        except actions.DoesNotExtendError as problem:
            with self.sessions() as session, session.begin():
                actions.alarm(session, self.book_id, "does-not-extend", origin, problem.head, problem.signed, self.clock.now())
            raise

    def _is_unsigned(self) -> bool:
        # A sealer may have been killed between writing and signing.
        with self.sessions() as session:
            size, last = queries.size_of(session, self.book_id), queries.newest(session, self.book_id)
        return size > (last.head.size if last else 0)
