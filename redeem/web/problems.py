"""What can be wrong when points are spent: the package's part of the one table."""

from __future__ import annotations

from ledger.web.kit.problems import Sentence

REDEEM_PROBLEMS: dict[str, Sentence] = {}
