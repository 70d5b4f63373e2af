from __future__ import annotations

import re

from flask.testing import FlaskClient

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
