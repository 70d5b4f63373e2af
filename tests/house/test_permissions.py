"""Who each route is for, written out: a rule that changes by mistake is seen, since the route cannot vouch for itself."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from ledger.web.kit.auth import rule_of

TABLE = Path(__file__).with_name("permissions.txt")


def rules(app: Flask) -> list[str]:
    """Return a line for each route: method, path, and who it is for."""
    lines = []
    for route in app.url_map.iter_rules():
        if route.endpoint == "static":
            continue
        rule = rule_of(route.endpoint, app)
        assert rule is not None, route.rule
        who = "everybody" if rule.public else ", ".join(sorted(rule.roles)) or "whoever is signed in"
        # Whoever acts on somebody's behalf has no role but the volunteer's: what is open to that is open to them, unless it says it is not.
        is_own = not rule.public and (not rule.roles or "volunteer" in rule.roles)
        who += ", also on somebody's behalf" if is_own and rule.for_others else ""
        who += ", with a fresh proof" if rule.fresh else ""
        lines += [f"{method} {route.rule}: {who}" for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"})]
    return sorted(lines)


def test_each_route_is_for_whom_the_table_says(app: Flask) -> None:
    assert rules(app) == TABLE.read_text().splitlines()
