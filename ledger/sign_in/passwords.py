"""Passwords: which are taken, and how one is set, compared and removed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import cache
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger.act import Act
from ledger.errors import Refusal
from ledger.people import Vault
from ledger.sign_in import hashing
from ledger.sign_in.model import Secret

LENGTH_MIN, LENGTH_MAX = 15, 128
#: Made of no more than so many common words, runs and single signs, a password is guessed however long it is.
PIECES_MIN = 4
DIFFERENT_MIN = 5

_COMMON_WORDS = Path(__file__).with_name("common_words.txt")
#: The service and what it is about.
_CONTEXT = ("善行存折", "善行", "存折", "passbook", "gooddeedpassbook", "gooddeed", "shanxingcunzhe", "shanxing", "cunzhe")
#: Keys and letters in the order in which fingers run over them.
_RUNS = (
    *("0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    *("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik", "一二三四五六七八九十"),
)
_RUN_MIN = 3
_LOOKS_LIKE = str.maketrans("013457@$!", "oieastasi")
_WORD_LENGTH_MAX = 24


def normal(password: str) -> str:
    """Return a password as it is compared: letters that look the same are the same, whatever keyboard wrote them; nothing is cut off."""
    return unicodedata.normalize("NFC", password)


def why_refused(password: str, words: Collection[str] = ()) -> Refusal | None:
    """Tell why a password is not taken: its length, or that it is a common one, or made of `words`, such as its owner's name."""
    plain = normal(password)
    if len(plain) < LENGTH_MIN:
        return Refusal("password-too-short", "password", {"least": LENGTH_MIN})
    if len(plain) > LENGTH_MAX:
        return Refusal("password-too-long", "password", {"most": LENGTH_MAX})
    known = _common_words() | {folded for word in words if len(folded := _folded(word)) > 1}
    is_poor = len(set(plain)) < DIFFERENT_MIN or _unit(plain) != plain
    # As typed, and as meant: p4ssw0rd is password, and in 1qaz2wsx the figures are figures.
    if is_poor or any(_pieces(_folded(text), known) < PIECES_MIN for text in (plain, plain.translate(_LOOKS_LIKE))):
        return Refusal("password-common", "password")
    return None


def set_password(session: Session, act: Act, vault: Vault, person_id: UUID, password: str) -> Refusal | None:
    """Set somebody's password; refused where it is too short, too long, or easily guessed."""
    person = people.persons(session, act.book_id, [person_id])[person_id]
    told = people.fields_of(session, vault, act.book_id, [person_id], ["name", "phone"])[person_id]
    if refused := why_refused(password, (person.handle, *told.values())):
        return refused
    sealed = hashing.hashed(vault, act.book_id, person_id, "password", normal(password))
    kept = session.get(Secret, (act.book_id, person_id, "password"))
    if kept is None:
        session.add(Secret(book_id=act.book_id, person_id=person_id, kind="password", sealed_hash=sealed, changed_at=act.at))
    else:
        kept.sealed_hash, kept.changed_at = sealed, act.at
    session.flush()
    return None


def matches(session: Session, vault: Vault, book_id: UUID, person_id: UUID | None, password: str) -> bool:
    """Tell whether this is somebody's password; it takes as long where there is nobody, or no password."""
    kept = None
    if person_id is not None:
        wanted = select(Secret.sealed_hash).where(Secret.book_id == book_id, Secret.person_id == person_id, Secret.kind == "password")
        kept = session.execute(wanted).scalar_one_or_none()
    # What nobody can have set is hashed too, but no more of it than that.
    plain = normal(password[: LENGTH_MAX * 2])
    if person_id is None or kept is None:
        hashing.match_nothing(plain)
        return False
    return hashing.matches(vault, book_id, person_id, "password", kept, plain)


def remove_password(session: Session, act: Act, person_id: UUID) -> None:
    """Remove somebody's password, where there is one."""
    session.execute(delete(Secret).where(Secret.book_id == act.book_id, Secret.person_id == person_id, Secret.kind == "password"))


@cache
def _common_words() -> frozenset[str]:
    lines = _COMMON_WORDS.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split()) | frozenset(_CONTEXT)


def _folded(text: str) -> str:
    """Return letters and digits only, small, and each as its plain form."""
    return "".join(character for character in unicodedata.normalize("NFKC", text).casefold() if character.isalnum())


def _pieces(text: str, known: Collection[str]) -> int:
    """Return of how few pieces `text` can be put together: known words and runs, each also several times over, and single signs."""
    fewest = [0]
    for end in range(1, len(text) + 1):
        fewest.append(1 + min(fewest[start] for start in range(end) if end - start == 1 or _is_one_piece(text[start:end], known)))
    return fewest[-1]


def _is_one_piece(text: str, known: Collection[str]) -> bool:
    unit = _unit(text)
    is_one_sign = len(unit) == 1 and len(text) >= _RUN_MIN
    return is_one_sign or (len(unit) <= _WORD_LENGTH_MAX and unit in known) or _is_run(unit) or _is_year(text)


def _unit(text: str) -> str:
    """Return what `text` repeats, or all of it."""
    length = (text + text).find(text, 1)
    return text[:length]


def _is_run(text: str) -> bool:
    # Round the end too, as in 7890123.
    return len(text) >= _RUN_MIN and any(text in run * 2 or text in run[::-1] * 2 for run in _RUNS)


def _is_year(text: str) -> bool:
    return re.fullmatch(r"(19|20)\d\d((0[1-9]|1[0-2])([0-2]\d|3[01])?)?", text, re.ASCII) is not None
