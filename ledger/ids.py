"""Ids are UUIDv7 (RFC 9562, section 5.7), made in the application: they sort by when they were made, on every database alike."""

from __future__ import annotations

import os
import time
from random import SystemRandom
from uuid import UUID

_chance = SystemRandom()


def new_id() -> UUID:
    """Return a new UUIDv7: 48 bits of milliseconds, 12 of their fraction (section 6.2, method 3), then 62 random bits.

    The fraction counts quarters of a microsecond (1/4096 ms), so what one process makes within a millisecond sorts as it was made,
    while nobody sets its clock back. Other processes' ids mix with them as their clocks agree.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    random = int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 0b10 << 62 | random)


def new_ids(count: int) -> list[UUID]:
    """Return so many new ids in no order: they do not tell in which order those were named whom they are given to."""
    made = [new_id() for _ in range(count)]
    _chance.shuffle(made)
    return made
