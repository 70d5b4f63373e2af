"""An act: who does something, through which door, when, and under which request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

#: The actor of what an operator does by command, where no person of the book is named.
OPERATOR = UUID(int=0)

CHANNELS = ("page", "api", "command", "import")


@dataclass(frozen=True)
class Act:
    """The circumstances that every write is recorded with."""

    book_id: UUID
    #: The person who acts (or `OPERATOR`).
    actor: UUID
    #: One of `CHANNELS`.
    channel: str
    #: The request this act belongs to, claimed before it (see `journal.claim`).
    request_id: UUID
    #: The clock, read once when the act began.
    at: datetime
    #: The person on whose behalf, where that is somebody else.
    acted_for: UUID | None = None

    @property
    def subject(self) -> UUID:
        """Return whose own affair it is: the person acted for, else whoever acts."""
        return self.acted_for or self.actor
