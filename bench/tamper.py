"""`make tamper`: ten kinds of tampering by the database's owner, each at 100 places, and whether the stand-alone checker finds them.

A small book is built on SQLite and sealed; a witness cosigned one of its heads, and an auditor kept that. Each tampering is done on a copy,
as thoroughly as it can be (bench/tampering.py); the copy is dumped and given to scripts/check_book.py with the head that was kept, and once
more without. PLACES says how many of each kind, SEED which. The last line is `tamper: found N of N`, and the exit status says the same.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

sys.path.pop(0)  # this folder, whose bench.py would be taken for all of it
sys.path.insert(0, str(Path(__file__).parent.parent))

from rich.console import Console
from rich.progress import Progress
from rich.progress import TaskID

from bench.server import migrate
from bench.tampering import KINDS
from bench.tampering import Scene
from bench.tampering import build
from bench.tampering import tampered

#: One untouched copy for so many that were tampered with.
_CONTROL_EVERY = 10


def main() -> int:
    """Tamper, check, say what was found, and return the exit status."""
    places, seed = int(os.environ.get("PLACES", "100")), int(os.environ.get("SEED", "5"))
    random, console, began, found = Random(seed), Console(stderr=True), time.monotonic(), 0
    with TemporaryDirectory() as name, Progress(console=console) as bar:
        folder = Path(name)
        task = bar.add_task("building a book", total=places * len(KINDS))
        migrate(f"sqlite:///{folder / 'empty.db'}")
        scene = build(folder / "empty.db", folder, random)
        clean = scene.check(scene.dump(scene.path))
        bar.console.print(f"{clean.said[0]}; the head of {scene.size} was witnessed and kept")
        if clean.count:
            print(f"tamper: the untouched book is not clean: {clean.faults[0]}")
            return 1
        for kind in KINDS:
            bar.update(task, description=kind)
            found += _of_kind(scene, kind, places, random, bar, task)
    wanted = places * len(KINDS)
    print(f"{time.monotonic() - began:.0f} s")
    print(f"tamper: found {found} of {wanted}")
    return 0 if found == wanted else 1


def _of_kind(scene: Scene, kind: str, places: int, random: Random, bar: Progress, task: TaskID) -> int:
    found = by_the_kept_head_alone = 0
    for place in range(places):
        dump = scene.dump(tampered(scene, kind, random))
        is_found = bool(scene.check(dump).count)
        found += is_found
        by_the_kept_head_alone += is_found and not scene.check(dump, keeping=False).count
        bar.advance(task)
        if not place % _CONTROL_EVERY and scene.check(scene.dump(scene.path)).count:
            raise SystemExit("tamper: an untouched copy is not clean")
    print(f"{kind:24} found {found:>4} of {places}, {by_the_kept_head_alone:>4} of them by the kept head alone")
    return found


if __name__ == "__main__":
    sys.exit(main())
