"""Who has to have witnessed a head of the log for it to count, in one place and as https://c2sp.org/tlog-policy writes it down."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence

from ledger import seal
from ledger.seal import Key

_GROUP = "majority"


def quorum(count: int) -> int:
    """Return how many of so many witnesses are enough: more than half of them; of none, none."""
    return count // 2 + 1 if count else 0


def policy(title: str, logs: Iterable[Key], address: str, witnesses: Sequence[tuple[str, str | None]]) -> str:
    """Return the rule as a policy file: the log's keys and address, each witness's key with where it is asked, and the quorum."""
    named = [(seal.key_of(vkey).name, vkey, asked) for vkey, asked in witnesses]
    lines = [f"# {title}", *(f"log {key} {address}" for key in logs)]
    lines += [" ".join(filter(None, ("witness", name, vkey, asked))) for name, vkey, asked in named]
    if named:
        lines.append(" ".join(("group", _GROUP, str(quorum(len(named))), *(name for name, *_ in named))))
    lines.append(f"quorum {_GROUP if named else 'none'}")
    return "".join(f"{line}\n" for line in lines)
