"""Write the tables of docs/ that follow from the code: routes, problem types, commands. `make docs`; a test says when they are behind."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from flask import Flask

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "docs" / "api.md", ROOT / "docs" / "operating.md")
_TABLE = re.compile(r"(<!-- from the code: (\w+) -->)\n.*?(<!-- end -->)", re.DOTALL)


def filled(text: str, app: Flask) -> str:
    """Return a page with its tables as the code of `app` has them now."""
    tables = {"routes": _routes, "problems": _problems, "commands": _commands}
    return _TABLE.sub(lambda found: "\n".join((found[1], *tables[found[2]](app), found[3])), text)


def _routes(app: Flask) -> Iterator[str]:
    from ledger.web.kit.api import PREFIX
    from ledger.web.kit.auth import rule_of

    yield "| | route | for | what it does |"
    yield "|---|---|---|---|"
    rules = sorted((rule.rule, method, rule.endpoint) for rule in app.url_map.iter_rules() for method in rule.methods or ())
    for path, method, endpoint in rules:
        rule = rule_of(endpoint, app) if endpoint != "static" else None
        if rule and path.startswith(PREFIX) and method not in {"HEAD", "OPTIONS"}:
            who = "everybody" if rule.public else ", ".join(sorted(rule.roles)) or "anybody signed in"
            place = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path.removeprefix(PREFIX))
            yield f"| {method} | `{place}` | {who.replace('_', ' ')} | {_first_sentence(app.view_functions[endpoint].__doc__)} |"


def _problems(app: Flask) -> Iterator[str]:
    from ledger.web.kit.problems import PROBLEMS

    yield "| type | status | in English | 中文 |"
    yield "|---|---|---|---|"
    for code, said in sorted(PROBLEMS.items()):
        yield f"| `{code}` | {said.status} | {said.en} | {said.zh} |"


def _commands(app: Flask) -> Iterator[str]:
    yield "| command | what it does |"
    yield "|---|---|"
    for group in ("ledger", "redeem"):
        yield from (f"| `flask {path}` | {_first_sentence(command.help)} |" for path, command in _below(app.cli.commands[group], group))


def _below(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from _below(inner, f"{path} {name}")
    else:
        yield path, command


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").strip().split("\n\n")[0].split())


def main() -> None:
    """Write the tables into their pages."""
    sys.path.insert(0, str(ROOT))
    # Imported late: the path has to be there first.
    from bench.server import migrate
    from ledger.settings import Settings
    from wsgi import create_app

    with tempfile.TemporaryDirectory() as folder:
        migrate(url := f"sqlite:///{folder}/empty.db")
        secret_key, master_key, pepper = (bytes(range(start, start + 32)) for start in (0, 32, 64))
        app = create_app(Settings(url, "http://localhost", secret_key, master_key, pepper))
        for page in PAGES:
            page.write_text(filled(page.read_text(encoding="utf-8"), app), encoding="utf-8")


if __name__ == "__main__":
    main()
