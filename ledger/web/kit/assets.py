"""The files of static/: their addresses carry a hash of their content, so that a browser keeps each until it has changed.

What was compressed beforehand (scripts/vendor.py) is sent so to whoever takes it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from flask import Flask
from flask import Response
from flask import request
from flask import send_from_directory

#: The one script that may compile WebAssembly, and do nothing else: a worker keeps to the policy of its own answer, and no page needs this.
SCAN_WORKER = "js/scan-worker.js"
SCAN_WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
#: The best first.
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
#: As the standard says, whatever the machine's own table knows.
_TYPES = {".wasm": "application/wasm", ".mjs": "text/javascript", ".js": "text/javascript"}


def init(app: Flask) -> None:
    """Give the files of `app` addresses by content, and let browsers keep what lies at them for a year."""
    folder = Path(app.root_path) / "static"
    files = (path for path in folder.rglob("*") if path.is_file())
    hashes = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}

    def carry(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and values["filename"] in hashes:
            values["v"] = hashes[values["filename"]]

    def send(filename: str) -> Response:
        mimetype = _TYPES.get(Path(filename).suffix)
        made = {coding: filename + ending for coding, ending in _ENCODINGS.items() if filename + ending in hashes}
        coding = next((coding for coding in made if request.accept_encodings.quality(coding) > 0), None)
        response = send_from_directory(folder, made[coding] if coding else filename, mimetype=mimetype)
        if coding:
            response.headers["Content-Encoding"] = coding
        if made:
            response.vary.add("Accept-Encoding")
        return response

    def keep(response: Response) -> Response:
        is_whole = request.endpoint == "static" and response.status_code in {200, 206, 304}
        filename = (request.view_args or {}).get("filename", "")
        if is_whole and request.args.get("v") == hashes.get(filename, ""):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        if is_whole and filename == SCAN_WORKER:
            response.headers["Content-Security-Policy"] = SCAN_WORKER_POLICY
        return response

    app.view_functions["static"] = send
    app.url_defaults(carry)
    app.after_request(keep)
