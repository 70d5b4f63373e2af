from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ledger.web.kit.auth import allow
from ledger.web.kit.logs import line_of
from tests.conftest import HandClock


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was written on stderr, each line read as JSON."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_request_is_one_line_without_its_address(client: FlaskClient, capsys: pytest.CaptureFixture[str], clock: HandClock) -> None:
    client.get("/sign-in/1-SECRET0TOKEN?q=13800138000", headers={"Authorization": "Bearer 1-OTHER0TOKEN", "Cookie": "passbook=1-THIRD"})
    (line,) = lines(capsys)
    assert line.items() >= {"method": "GET", "endpoint": "sign_in.link", "status": 200, "network": "127.0.0.0/24", "person": None}.items()
    assert {"time", "level", "event", "request", "ms"} <= line.keys()
    assert not any(word in json.dumps(line) for word in ("SECRET0TOKEN", "OTHER0TOKEN", "THIRD", "13800138000"))


def test_an_unknown_address_is_not_written_down(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    client.get("/13800138000")
    (line,) = lines(capsys)
    assert (line["endpoint"], line["status"], "13800138000" in json.dumps(line)) == (None, 404, False)


def test_nothing_that_is_logged_ends_the_line_or_moves_a_cursor() -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 1, "one\r\n\x1b[31mtwo\u2028%s", ("\x00\x07",), None)
    text = line_of(record)
    assert text.isprintable()
    assert json.loads(text)["event"] == "one\r\n\x1b[31mtwo\u2028\x00\x07"


@pytest.mark.own_app
def test_what_failed_is_logged_with_its_place_and_without_its_words(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> str:
        raise ValueError("13800138000")

    app.add_url_rule("/fails", "fails", allow(public=True)(fails))
    assert app.test_client().get("/fails").status_code == 500
    error, request = lines(capsys)
    assert (error["error"], error["level"], request["level"], request["status"]) == ("ValueError", "error", "error", 500)
    assert error["stack"][-1].endswith(" fails")
    assert "13800138000" not in json.dumps([error, request])


def test_the_service_writes_each_line_once_however_often_it_is_made(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    app.test_client().get("/")
    assert len(lines(capsys)) == 1


@pytest.mark.own_app
def test_a_report_of_a_browser_is_logged_by_rule_and_host(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    told = {
        "document-uri": "https://here/sign-in/1-SECRET",
        "violated-directive": "script-src-elem",
        "blocked-uri": "https://evil.example/x?y=1-SECRET",
    }
    assert client.post("/csp-reports", data=json.dumps({"csp-report": told}), content_type="application/csp-report").status_code == 204
    report, _ = lines(capsys)
    assert (report["rule"], report["host"], "SECRET" in json.dumps(report)) == ("script-src-elem", "evil.example", False)
    anew = [{"type": "csp-violation", "body": {"effectiveDirective": "img-src", "blockedURL": "inline"}}]
    client.post("/csp-reports", data=json.dumps(anew), content_type="application/reports+json")
    report, _ = lines(capsys)
    assert (report["rule"], report["kind"]) == ("img-src", "inline")


@pytest.mark.own_app
@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"x" * 17_000, 413), (b"[1, null]", 204), (b"[" * 9000, 400)])
def test_a_report_can_be_anything_and_does_nothing(client: FlaskClient, body: bytes, status: int) -> None:
    assert client.post("/csp-reports", data=io.BytesIO(body), content_type="application/csp-report").status_code == status


@pytest.mark.own_app
def test_whoever_sends_many_reports_does_not_fill_the_log(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    answers = [client.post("/csp-reports", data=b"{}", content_type="application/csp-report") for _ in range(40)]
    assert [answer.status_code for answer in answers] == [204] * 30 + [429] * 10
    assert answers[-1].headers["Retry-After"] == "60"
    assert [line["event"] for line in lines(capsys)].count("a page broke its policy") == 30
