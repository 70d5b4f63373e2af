from __future__ import annotations

import gzip
import re

from flask import url_for
from flask.testing import FlaskClient

READER = "vendor/zxing-wasm/zxing_reader.wasm"
YEAR = "public, max-age=31536000, immutable"


def kept(client: FlaskClient, address: str, **headers: str) -> tuple[int, str | None, str]:
    with client.get(address, headers=headers) as answer:
        return answer.status_code, answer.headers.get("Cache-Control"), answer.headers.get("ETag", "")


def test_a_page_names_its_stylesheet_by_its_content_and_a_browser_keeps_it(client: FlaskClient) -> None:
    (address,) = re.findall(r'href="(/static/css/app\.css\?v=[0-9a-f]{16})"', client.get("/").text)
    status, how_long, tag = kept(client, address)
    assert (status, how_long) == (200, YEAR)
    assert kept(client, address, **{"If-None-Match": tag})[:2] == (304, YEAR)


def test_what_is_asked_for_by_no_hash_or_another_is_not_kept_unasked(client: FlaskClient) -> None:
    for address in ("/static/css/app.css", "/static/css/app.css?v=0123456789abcdef", "/static/css/none.css?v="):
        assert kept(client, address)[1] != YEAR


def asked(client: FlaskClient, file: str, takes: str) -> tuple[str | None, str | None, str, bytes]:
    """Ask for a file as a browser that takes these encodings; return encoding, what it varies by, its type, and what came over the wire."""
    with client.get(f"/static/{file}", headers={"Accept-Encoding": takes}) as answer:
        assert answer.status_code == 200
        return answer.headers.get("Content-Encoding"), answer.headers.get("Vary"), answer.mimetype, answer.data


def test_the_reader_of_codes_is_sent_as_small_as_the_browser_takes_it(client: FlaskClient) -> None:
    came = []
    for takes, encoding in (("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("identity", None), ("br;q=0, gzip;q=0", None)):
        found, varies, mimetype, content = asked(client, READER, takes)
        assert (found, varies, mimetype) == (encoding, "Accept-Encoding", "application/wasm"), takes
        came.append(content)
    assert len(came[0]) < len(came[1]) < len(came[2])
    assert gzip.decompress(came[1]) == came[2] == came[3]
    # What is small is sent as it is.
    assert asked(client, "js/scan.js", "gzip, br")[:2] == (None, None)


def test_each_encoding_has_a_tag_of_its_own_and_is_kept(client: FlaskClient) -> None:
    with client.application.test_request_context():
        address = url_for("static", filename=READER)
    plain, small = (kept(client, address, **{"Accept-Encoding": takes}) for takes in ("identity", "br"))
    assert (plain[:2], small[:2]) == ((200, YEAR), (200, YEAR))
    assert plain[2] != small[2]
    assert kept(client, address, **{"Accept-Encoding": "br", "If-None-Match": small[2]})[0] == 304


def test_webassembly_is_compiled_by_the_scanning_worker_alone(client: FlaskClient) -> None:
    def policy(address: str) -> str:
        with client.get(address) as answer:
            return answer.headers["Content-Security-Policy"]

    assert policy("/static/js/scan-worker.js") == "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
    for address in ("/", "/static/js/scan.js", "/static/vendor/zxing-wasm/reader.js", "/static/js/none/scan-worker.js"):
        assert "unsafe" not in policy(address), address
