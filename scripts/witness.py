"""A witness for another office: it cosigns the log of a passbook as long as nothing that it saw is rewritten.

    python scripts/witness.py key --name witness.example.org --folder /srv/witness             make a key and print its public half
    python scripts/witness.py serve --folder /srv/witness --log 'VKEY' [--port 8090]           watch the log with this key and cosign

Where the log changes its key, the note that says so (`flask ledger log-key` prints it) goes into a file, and that behind `--change`.

It needs nothing of the passbook's but its source and its log's public key (`flask ledger log-key`), and nothing installed but Python 3.11
and the package `cryptography`. It keeps one small file a log, and answers as https://c2sp.org/tlog-witness asks for. Put it behind the
office's own HTTPS.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
if __name__ == "__main__":
    # Past the door of the seal, behind which the passbook's tables are: a witness has no database.
    sys.modules["ledger.seal"] = ModuleType("ledger.seal")
    sys.modules["ledger.seal"].__path__ = [str(ROOT / "ledger" / "seal")]

from ledger.clock import SystemClock
from ledger.seal import notes
from ledger.seal.keeping import KeepingError
from ledger.seal.keeping import Memory
from ledger.seal.witness import REQUEST_BYTES_MAX
from ledger.seal.witness import Answer
from ledger.seal.witness import Witness


def main() -> None:
    """Read what is asked for, and do it."""
    parser = argparse.ArgumentParser(description="A witness for the log of a passbook 见证程序")
    acts = parser.add_subparsers(dest="act", required=True)
    make = acts.add_parser("key", help="make a key 生成密钥")
    serve = acts.add_parser("serve", help="cosign 运行见证")
    for one in (make, serve):
        one.add_argument("--folder", type=Path, required=True, help="where the key and the last heads are kept 存放目录")
    make.add_argument("--name", required=True, help="what the witness is called, for example its address 名称")
    serve.add_argument("--log", action="append", required=True, help="public key of a log, once for each 日志公钥")
    serve.add_argument("--change", action="append", type=Path, default=[], help="a log's change of keys, once for each 日志换钥匙的凭证")
    serve.add_argument("--port", type=int, default=8090)
    serve.add_argument("--address", default="127.0.0.1")
    told = parser.parse_args()
    try:
        if told.act == "key":
            print(_make(told.folder, told.name).key)
        else:
            _serve(told)
    except (notes.NoteError, OSError, ValueError) as problem:
        sys.exit(f"{problem}")


def _make(folder: Path, name: str) -> notes.Signer:
    signer = notes.Signer(name, notes.COSIGNATURE, Ed25519PrivateKey.generate())
    told = str(signer.key)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ValueError(f"已有密钥，不覆盖 / there is a key, it is kept: {folder / 'key'}") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{told}\n{signer.private.private_bytes_raw().hex()}\n")
    return signer


def _signer(folder: Path) -> notes.Signer:
    try:
        told, private = (folder / "key").read_text().split()
    except FileNotFoundError:
        raise ValueError(f"先运行 key / run `key` first: there is no {folder / 'key'}") from None
    return notes.Signer(notes.key_of(told).name, notes.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private)))


def _serve(told: argparse.Namespace) -> None:
    logs, changes = [notes.key_of(vkey) for vkey in told.log], [notes.note_of(path.read_text(encoding="utf-8")) for path in told.change]
    witness = Witness(_signer(told.folder), logs, Memory(told.folder), SystemClock(), changes)
    held = (told.folder / "lock").open("w")
    try:
        # Two on one folder could cosign two histories.
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ValueError(f"另一个见证程序正在用这个目录 / another witness runs on this folder: {told.folder}") from None
    server = ThreadingHTTPServer((told.address, told.port), handler_for(witness))
    print(f"见证中 / witnessing on http://{told.address}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.shutdown()


def handler_for(witness: Witness) -> type[BaseHTTPRequestHandler]:
    """Return what answers requests in the name of a witness."""

    class Handler(BaseHTTPRequestHandler):
        """Passes on what is asked, and what is answered."""

        protocol_version = "HTTP/1.1"
        #: Whoever sends nothing is not waited for.
        timeout = 10

        def do_POST(self) -> None:
            """Cosign."""
            length = self.headers.get("Content-Length", "")
            if self.path != "/add-checkpoint" or not length.isdigit() or int(length) > REQUEST_BYTES_MAX:
                self.close_connection = True
                self._answer(Answer(404 if self.path != "/add-checkpoint" else 413, "no\n"))
                return
            self._ask(lambda: witness.add_checkpoint(self.rfile.read(int(length))))

        def do_GET(self) -> None:
            """Show the newest head of a log, or which logs there are."""
            origin_hash, _, rest = self.path.removeprefix("/").partition("/")
            if self.path == "/":
                self._ask(witness.logs)
            else:
                self._ask(lambda: witness.checkpoint(origin_hash) if rest == "checkpoint" else Answer(404, "no\n"))

        def _ask(self, act: Callable[[], Answer]) -> None:
            try:
                answer = act()
            except KeepingError as problem:
                self.log_error("%s", problem)
                answer = Answer(500, "this witness cannot read or keep what it saw: see its log\n")
            self._answer(answer)

        def _answer(self, answer: Answer) -> None:
            body = answer.text.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            # Whatever was not read of this request is not taken for the next one.
            self.close_connection = True
            self.wfile.write(body)

    return Handler


if __name__ == "__main__":
    main()
