"""Serve a small demonstration community on http://localhost:8000, from an empty checkout: `make serve`, or `make serve PORT=8123`.

The first start makes keys, a database and the community in var/; a later one keeps them. Either prints one-time sign-in links.
"""

from __future__ import annotations

import base64
import os
import secrets
import socket
import subprocess  # nosec B404
import sys
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

ROOT = Path(__file__).parent.parent
VAR = ROOT / "var"
#: A worker that is asked to stop while it is starting does not hear it, and is ended after so many seconds.
STOPS_WITHIN_S = 10


def main() -> None:
    """Make what is missing, print the links, and serve."""
    port = _free_port()
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    os.environ.update(_settings())
    os.environ.setdefault("PASSBOOK_PUBLIC_URL", f"http://localhost:{port}")
    # Imported late: the path and the settings have to be there first.
    from scripts.demo import prepare
    from scripts.demo import print_links

    print("准备数据 / preparing the data ...", flush=True)
    prepare(os.environ["PASSBOOK_DATABASE_URL"])
    print_links(os.environ["PASSBOOK_DATABASE_URL"])
    print(f"\n打开 / open  http://localhost:{port}   （Ctrl+C 停止 / stops it）", flush=True)
    sealer = subprocess.Popen(  # nosec B603
        [sys.executable, "-m", "flask", "ledger", "seal", "--follow", "--with-parent", "--folder", str(VAR / "log")],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    # A process for each core, whose threads take turns at the file (docs/adr/0017); more would only share the cores.
    try:
        Granian(
            "wsgi:create_app", factory=True, interface=Interfaces.WSGI, address="127.0.0.1", port=port,
            workers=min(4, os.cpu_count() or 1), blocking_threads=4, websockets=False, workers_kill_timeout=STOPS_WITHIN_S,
        ).serve()  # fmt: skip
    finally:
        sealer.terminate()
        sealer.wait()


def _free_port() -> int:
    """Return the port that PORT names, or 8000; end with a sentence where it cannot be listened on."""
    text = os.environ.get("PORT", "8000")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        sys.exit(f"PORT={text}：端口应为 1 到 65535 的数字 / PORT must be a number from 1 to 65535")
    with socket.socket() as probe:
        # As the server itself listens: what an earlier start left in TIME_WAIT does not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as problem:
            sys.exit(
                f"端口 {text} 不能用（{problem.strerror}）：可能已有程序在用，请换一个，例如 make serve PORT=8123\n"
                f"port {text} cannot be used ({problem.strerror}): something else may be using it; "
                "take another, for example make serve PORT=8123"
            )
    return int(text)


def _settings() -> dict[str, str]:
    """Return the settings of var/settings.env, made with fresh random keys when there are none yet."""
    path = VAR / "settings.env"
    kept = path.read_text().splitlines() if path.exists() else []
    found = dict(line.split("=", 1) for line in kept if line)
    # The log came later; no other key is made anew where there is a file: what it had opened would be lost.
    wanted = ("LOG_KEY",) if found else ("DATABASE_URL", "LOG_KEY", "MASTER_KEY", "PEPPER", "SECRET_KEY")
    missing = [name for name in wanted if f"PASSBOOK_{name}" not in found]
    if missing:
        VAR.mkdir(mode=0o700, exist_ok=True)
        # The file's name stands alone, so that the whole checkout can be moved.
        made = {name: "sqlite:///var/passbook.db" if name == "DATABASE_URL" else _a_key() for name in missing}
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"PASSBOOK_{name}={value}\n" for name, value in made.items())
        found |= {f"PASSBOOK_{name}": value for name, value in made.items()}
    return found


def _a_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
