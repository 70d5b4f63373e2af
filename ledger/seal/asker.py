"""Who asks the witnesses: a thread of its own, so that one of them that answers slowly, or not at all, delays nobody's sealing."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from threading import Thread
from uuid import UUID

from ledger.seal.queries import Sealed
from ledger.seal.sealer import Sealer


class Asker:
    """Asks about the newest head of each book; of those that are not asked about yet a newer one takes the place."""

    def __init__(self, tell: Callable[[Exception], None]) -> None:
        """Tell what went wrong to `tell`: it ends nothing, and the witnesses are asked again."""
        self._tell = tell
        self._wanted: dict[UUID, tuple[Sealer, Sealed]] = {}
        self._changed = Condition()

    def take(self, sealer: Sealer, sealed: Sealed) -> None:
        """Take a head to ask about."""
        with self._changed:
            self._wanted[sealer.book_id] = (sealer, sealed)
            self._changed.notify()

    def start(self) -> None:
        """Ask from now on, in a thread that ends with the process."""
        Thread(target=self._go_on, daemon=True).start()

    def ask_all(self) -> None:
        """Ask about all that was taken, and return when that is done."""
        while self._wanted:
            self._ask()

    def _go_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted)
            self._ask()

    def _ask(self) -> None:
        with self._changed:
            sealer, sealed = self._wanted.pop(next(iter(self._wanted)))
        try:
            sealer.ask_witnesses(sealed)
        except Exception as trouble:  # noqa: BLE001  told, and asked again
            # Whatever it is: the thread goes on, and the head that nobody cosigned is asked about again.
            self._tell(trouble)
