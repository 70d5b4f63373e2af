"""The last head of each log that was signed or cosigned, in a folder outside the database: no backup of the database can turn it back."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ledger.seal import notes

#: What a process that was killed has left goes after this, by the clock of the folder's own disk.
_LEFT_BEHIND_S = 3_600


class KeepingError(Exception):
    """What was signed cannot be read, or not be kept: which file it is about, and what to do."""


class Memory:
    """A folder with the newest note of each log, by the log's origin."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, origin: str) -> notes.Note | None:
        """Return the last note of this log that was kept; raise KeepingError where there is something else."""
        path = self._path(origin)
        try:
            found = notes.note_of(path.read_text(encoding="utf-8"))
            notes.head_of(found.body)
        except FileNotFoundError:
            return None
        except ValueError as problem:
            raise KeepingError(
                f"{path} is not a head that was signed, it was torn or changed ({problem}): move it away, and put the newest head there "
                "that a witness has of this log; where nobody has one, a sealer takes the database's word with --begin-here"
            ) from None
        except OSError as problem:
            raise KeepingError(f"{path} cannot be read: {problem.strerror}") from None
        return found

    def head(self, origin: str) -> notes.Head | None:
        """Return what that note says."""
        found = self.note(origin)
        return None if found is None else notes.head_of(found.body)

    def keep(self, note: notes.Note) -> None:
        """Keep a note instead of the one before it: whole or not at all, and on the disk before this returns; else raise KeepingError."""
        try:
            self._keep(note)
        except OSError as problem:
            raise KeepingError(f"{self._folder} cannot be written, nothing was signed: {problem.strerror}") from None

    def _keep(self, note: notes.Note) -> None:
        path = self._path(notes.head_of(note.body).origin)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        try:
            with draft.open("w", encoding="utf-8") as file:
                file.write(str(note))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        now = path.stat().st_mtime
        for left in self._folder.glob(f"{path.stem}.*.draft"):
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < now - _LEFT_BEHIND_S:
                    left.unlink()
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _path(self, origin: str) -> Path:
        return self._folder / f"{notes.origin_hash(origin)}.checkpoint"
