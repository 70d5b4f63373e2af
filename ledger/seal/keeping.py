"""The last head of each log that was signed or cosigned, in a folder outside the database: no backup of the database can turn it back."""

from __future__ import annotations

import os
from pathlib import Path

from ledger.seal import notes


class Memory:
    """A folder with the newest note of each log, by the log's origin."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, origin: str) -> notes.Note | None:
        """Return the last note of this log that was kept."""
        try:
            return notes.note_of(self._path(origin).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def head(self, origin: str) -> notes.Head | None:
        """Return what that note says."""
        found = self.note(origin)
        return None if found is None else notes.head_of(found.body)

    def keep(self, note: notes.Note) -> None:
        """Keep a note instead of the one before it: whole or not at all, and on the disk before this returns."""
        path = self._path(notes.head_of(note.body).origin)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        with draft.open("w", encoding="utf-8") as file:
            file.write(str(note))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _path(self, origin: str) -> Path:
        return self._folder / f"{notes.origin_hash(origin)}.checkpoint"
