"""Serve a small demonstration community on http://localhost:8000, from an empty checkout: `make serve`.

The first start makes keys, a database and the community in var/; a later one keeps them. Either prints one-time sign-in links.
"""

from __future__ import annotations

import base64
import os
import secrets
import sys
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

ROOT = Path(__file__).parent.parent
VAR = ROOT / "var"
PORT = int(os.environ.get("PORT", "8000"))


def main() -> None:
    """Make what is missing, print the links, and serve."""
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    os.environ.update(_settings())
    os.environ.setdefault("PASSBOOK_PUBLIC_URL", f"http://localhost:{PORT}")
    # Imported late: the path and the settings have to be there first.
    from scripts.demo import prepare
    from scripts.demo import print_links

    from wsgi import create_app

    prepare(os.environ["PASSBOOK_DATABASE_URL"])
    app = create_app()
    with app.app_context():
        print_links()
    # SQLite has one writer: one process with several threads, so that they queue in it and not at the file.
    Granian(
        "wsgi:create_app", factory=True, interface=Interfaces.WSGI, address="127.0.0.1", port=PORT, workers=1, blocking_threads=8
    ).serve()


def _settings() -> dict[str, str]:
    """Return the settings of var/settings.env, made with fresh random keys when there are none yet."""
    path = VAR / "settings.env"
    if not path.exists():
        VAR.mkdir(mode=0o700, exist_ok=True)
        made = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in ("SECRET_KEY", "MASTER_KEY", "PEPPER")}
        # The file's name stands alone, so that the whole checkout can be moved.
        made["DATABASE_URL"] = "sqlite:///var/passbook.db"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"PASSBOOK_{name}={value}\n" for name, value in made.items())
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if line)


if __name__ == "__main__":
    main()
