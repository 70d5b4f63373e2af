"""The files of static/: their addresses carry a hash of their content, so that a browser keeps each until it has changed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from flask import Flask
from flask import Response
from flask import request


def init(app: Flask) -> None:
    """Give the files of `app` addresses by content, and let browsers keep what lies at them for a year."""
    folder = Path(app.root_path) / "static"
    files = (path for path in folder.rglob("*") if path.is_file())
    hashes = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}

    def carry(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and values["filename"] in hashes:
            values["v"] = hashes[values["filename"]]

    def keep(response: Response) -> Response:
        is_whole = request.endpoint == "static" and response.status_code in {200, 206, 304}
        if is_whole and request.args.get("v") == hashes.get((request.view_args or {})["filename"], ""):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    app.url_defaults(carry)
    app.after_request(keep)
