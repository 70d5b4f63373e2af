"""A clone alone serves: what is served imports nothing that `requirements/run.txt` does not install."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.conftest import ROOT

OWN = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or any(path.glob("*.py"))}
#: What `make serve` and the service run; the rest of scripts/ and bench/ is for whoever works on the project.
SERVED = [
    *[ROOT / name for name in ("wsgi.py", "bench/server.py", "scripts/serve.py", "scripts/reference.py", "migrations/env.py")],
    *[path for folder in ("ledger", "redeem", "scripts/demo", "migrations/versions") for path in (ROOT / folder).rglob("*.py")],
]


def imported(path: Path) -> Iterator[str]:
    """The first names of what a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    # A scratch server's own needs are imported where it is asked for.
    for node in tree.body if path.parent.name == "bench" else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def locked(name: str) -> set[str]:
    """The distributions that a lock installs."""
    return set(
        re.findall(
            r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==", (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("_", "-"), re.MULTILINE
        )
    )


def test_what_is_served_imports_only_what_the_lock_installs() -> None:
    distributions, run = packages_distributions(), locked("run.txt")
    found = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in SERVED
        for module in set(imported(path)) - OWN - sys.stdlib_module_names
        if not {re.sub(r"[-_.]+", "-", name).lower() for name in distributions.get(module, [])} & run
    }
    assert found == set()


def test_the_two_locks_agree_and_every_package_has_its_hashes() -> None:
    run, dev = ((ROOT / "requirements" / name).read_text(encoding="utf-8") for name in ("run.txt", "dev.txt"))
    assert set(re.findall(r"^\S+==\S+", run, re.MULTILINE)) <= set(re.findall(r"^\S+==\S+", dev, re.MULTILINE))
    for lock in (run, dev):
        assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=\S+==)", lock, flags=re.MULTILINE) if "==" in entry)
        assert not re.search(r"https?:|--(?:index|extra|find)", lock)
