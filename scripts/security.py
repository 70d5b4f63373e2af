"""Say of each line of security whether it holds, and print the matrix's count: `make security` (ARGS="--db both" for PostgreSQL too).

What is asked for stands in tests/security/lines.py; the exit status is 0 only where no line fails and bandit finds nothing.
"""

from __future__ import annotations

import os
import re
import subprocess  # nosec B404
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.table import Column
from rich.table import Table

if TYPE_CHECKING:
    from tests.security.lines import Line

ROOT = Path(__file__).parent.parent
#: Each way a test can end, and whether its line then holds.
_HELD = "passed"


class Outcomes:
    """What became of each test, and which line it is marked for."""

    def __init__(self) -> None:
        self.ended: dict[str, str] = {}
        self.marked: dict[int, list[str]] = defaultdict(list)
        self.figures: dict[str, object] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note which line each marked test proves."""
        for item in items:
            for mark in item.iter_markers("asvs"):
                self.marked[mark.args[0]].append(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended; whatever goes wrong before or after it counts too."""
        if report.when == "call" or report.outcome != _HELD:
            self.ended[report.nodeid] = report.outcome
        self.figures.update(dict(report.user_properties))


def main(arguments: list[str]) -> int:
    """Run the tests, print the lines, and return the exit status."""
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    from tests.security.lines import LINES

    proofs = sorted({f"tests/{proof}" for line in LINES.values() for proof in line.proofs})
    there = [proof for proof in proofs if (ROOT / proof.partition("::")[0]).exists()]
    outcomes = Outcomes()
    chosen = arguments or ["--db", "sqlite"]
    pytest.main(["-q", "--no-header", "--show-capture=no", "--tb=line", "tests/security", *there, *chosen], plugins=[outcomes])
    fails = _print(LINES, outcomes)
    return fails | _bandit()


def _print(lines: dict[int, Line], outcomes: Outcomes) -> int:
    table = Table("#", "要求 / what is asked for", "ASVS 5.0", Column("结果 / outcome", overflow="fold"), title="安全 / security")
    counts: dict[str, int] = defaultdict(int)
    for number, line in lines.items():
        said = _outcome(line, number, outcomes)
        counts[re.split("[:,]", said)[0]] += 1
        table.add_row(str(number), f"{line.zh}\n{line.en}", line.asvs, said)
    console = Console(width=120)
    console.print(table)
    console.print("  ".join(f"{count} {said}" for said, count in counts.items()))
    for name, figure in outcomes.figures.items():
        console.print(f"{name}: {figure}")
    return int(bool(counts["fail"]))


def _outcome(line: Line, number: int, outcomes: Outcomes) -> str:
    """Return "pass", or "fail" and why."""
    ran = list(outcomes.marked[number])
    for proof in line.proofs:
        found = [name for name in outcomes.ended if f"{name}[".startswith((f"tests/{proof}[", f"tests/{proof}::", f"tests/{proof}/"))]
        if not found:
            return f"fail: not there yet: {proof}"
        ran += found
    if wrong := [name for name in ran if outcomes.ended.get(name) != _HELD]:
        return f"fail: {wrong[0].removeprefix('tests/')}" + (f" (+{len(wrong) - 1})" if wrong[1:] else "")
    if not ran:
        return "fail: not there yet"
    return "pass"


def _bandit() -> int:
    ran = subprocess.run(  # nosec B603
        [sys.executable, "-m", "bandit", "-q", "-c", "pyproject.toml", "-r", "ledger", "redeem", "wsgi.py", "scripts"], check=False
    )
    print(f"bandit: {'pass' if ran.returncode == 0 else 'fail'}")
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
