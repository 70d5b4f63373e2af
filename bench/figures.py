"""What was measured, each figure beside its floor: as a table for people, as JSON for whoever compares runs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.reading import Plan


@dataclass(frozen=True)
class Figure:
    """A figure and its floor, both measured in this run; `line` is what their ratio has to reach, or not to pass."""

    name: str
    ours: float
    unit: str
    floor_name: str
    floor: float
    #: The line to reach, and the one to pass after it.
    line: tuple[float, ...] = ()
    #: Whether less is better.
    at_most: bool = False

    @property
    def ratio(self) -> float:
        """Return ours over the floor."""
        return self.ours / self.floor

    @property
    def is_reached(self) -> bool | None:
        """Tell whether the first line is reached; None where there is none."""
        if not self.line:
            return None
        return self.ratio <= self.line[0] if self.at_most else self.ratio >= self.line[0]

    @property
    def wanted(self) -> str:
        """Return the line as words."""
        if not self.line:
            return ""
        return ("at most " if self.at_most else "at least ") + ", then ".join(f"{line:g}" for line in self.line)


def show(figures: Sequence[Figure], plans: Sequence[Plan]) -> None:
    """Print the tables."""
    console, table = Console(width=170), Table(title="善行存折 bench")
    for heading in ("figure", "ours", "floor", "of", "ratio", "line", ""):
        table.add_column(heading, justify="right" if heading in {"ours", "floor", "ratio"} else "left")
    for it in figures:
        mark = {True: "reached", False: "[bold]short[/bold]", None: ""}[it.is_reached]
        table.add_row(it.name, f"{_number(it.ours)} {it.unit}", _number(it.floor), it.floor_name, f"{it.ratio:.3g}", it.wanted, mark)
    console.print(table)
    indexes = Table(title="how hot reads find their rows (PostgreSQL)")
    for heading in ("read", "indexes", "read from end to end"):
        indexes.add_column(heading)
    for plan in plans:
        indexes.add_row(plan.name, ", ".join(plan.indexes), f"[bold]{', '.join(plan.scanned)}[/bold]")
    console.print(indexes)


def write(folder: Path, size: str, figures: Sequence[Figure], plans: Sequence[Plan]) -> None:
    """Write bench.json and bench.md into `folder`."""
    told: dict[str, Any] = {"size": size, "at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    told["figures"] = [asdict(it) | {"ratio": round(it.ratio, 4), "is_reached": it.is_reached} for it in figures]
    told["plans"] = [asdict(plan) for plan in plans]
    folder.mkdir(exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    rows = [
        f"| {it.name} | {_number(it.ours)} {it.unit} | {_number(it.floor)} {it.floor_name} | {it.ratio:.3g} | {it.wanted} | "
        f"{ {True: 'yes', False: 'no', None: ''}[it.is_reached] } |"
        for it in figures
    ]
    lines = [
        "# Figures of the bench",
        "",
        f"Written by `make bench SIZE={size}` at {told['at']} on {told['machine']}.",
        "Figures of one run are comparable with each other, not with those of another machine: each stands beside its floor, what the same",
        "machine did in the same minute when it did only the unavoidable.",
        "",
        "| figure | here | floor | ratio | line | reached |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        "How hot reads find their rows on PostgreSQL:",
        "",
        "| read | indexes |",
        "|---|---|",
        *(f"| {plan.name} | {', '.join(plan.indexes)} |" for plan in plans),
        "",
    ]
    (folder / "bench.md").write_text("\n".join(lines))


def machine() -> str:
    """Return what this runs on."""
    return (
        f"{os.cpu_count()} processors ({platform.machine()}), Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
