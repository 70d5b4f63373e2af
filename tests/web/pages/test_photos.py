from __future__ import annotations

import base64
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse
from werkzeug.test import encode_multipart

from ledger import claims
from ledger import sign_in
from ledger.claims import NewPhoto
from ledger.ids import new_id
from ledger.people import Person
from ledger.web.kit import pictures
from tests.builders import OTHER_VILLAGE
from tests.builders import an_act
from tests.camera import HEIC
from tests.camera import SECRETS
from tests.camera import photo
from tests.camera import written
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall

pytestmark = pytest.mark.asvs(36)


def send(browser: Browser, *photos: bytes, address: str = "/me/report?deed=patrol", words: str = "提交", **told: str) -> TestResponse:
    form = browser.open(address).form(words)
    fields: dict[str, Any] = {name: values[0] for name, values in form.fields.items() if name != "photos"}
    files = [(io.BytesIO(content), f"IMG_{number}.jpg") for number, content in enumerate(photos)]
    return posted(browser, form.action, fields | {"place": "3栋"} | told | {"photos": files})


def posted(browser: Browser, address: str, fields: dict[str, Any]) -> TestResponse:
    # Encoded here: the client would leave a file of its own open.
    listed = [(name, one) for name, values in fields.items() for one in (values if isinstance(values, list) else [values])]
    parts = [(name, FileStorage(one[0], one[1]) if isinstance(one, tuple) else one) for name, one in listed]
    boundary, body = encode_multipart(MultiDict(parts))
    return browser.client.post(address, data=body, content_type=f'multipart/form-data; boundary="{boundary}"')


def reported(hall: Hall, browser: Browser, *photos: bytes) -> UUID:
    answer = send(browser, *photos)
    assert answer.status_code == 303, answer.text
    return UUID(answer.headers["Location"].partition("?")[0].rpartition("/")[2])


def addresses(hall: Hall, claim_id: UUID) -> list[str]:
    found = claims.photos_of(hall.session, hall.community.book.id, [claim_id])[claim_id]
    hall.session.commit()
    return [f"/claims/{claim_id}/photos/{row.id}" for row in found]


def test_a_deed_is_reported_with_photos_and_they_are_seen_with_it(hall: Hall) -> None:
    person, browser = hall.enter()
    claim_id = reported(hall, browser, photo(1), photo(2, turned=6))
    page = browser.open(f"/me/claims/{claim_id}")
    assert all(page.html.count(address) == 2 for address in addresses(hall, claim_id))
    for address in addresses(hall, claim_id):
        answer = browser.client.get(address)
        assert (answer.status_code, answer.mimetype, Image.open(io.BytesIO(answer.data)).format) == (200, "image/jpeg", "JPEG")
        assert not any(secret in answer.data for secret in SECRETS)
    assert person.id == claims.mine(hall.session, hall.community.book.id, person.id)[0].claim.person_id


def test_a_photo_comes_with_a_name_of_our_own_and_nothing_that_it_could_do(hall: Hall) -> None:
    _, browser = hall.enter()
    (address,) = addresses(hall, reported(hall, browser, photo()))
    headers = browser.client.get(address).headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert headers["Content-Disposition"] == 'inline; filename="photo.jpg"'
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_on_a_page_photos_are_small(hall: Hall) -> None:
    _, browser = hall.enter()
    (address,) = addresses(hall, reported(hall, browser, photo(size=(3000, 2000))))
    large, small = browser.client.get(address).data, browser.client.get(f"{address}?small=1").data
    assert [max(Image.open(io.BytesIO(content)).size) for content in (large, small)] == [1600, 360]
    assert len(small) <= 30_000
    noise = pictures.small(written(Image.effect_noise((1600, 1200), 100).convert("RGB"), quality=60))
    assert len(noise) <= 33_000


def test_a_photo_is_seen_by_those_who_may_read_the_claim_and_by_nobody_else(hall: Hall) -> None:
    _, browser = hall.enter()
    claim_id = reported(hall, browser, photo())
    (address,) = addresses(hall, claim_id)
    asked = {
        "whose it is": browser,
        "approver": hall.enter("approver")[1],
        "grid worker": hall.enter("grid_worker")[1],
        "approver elsewhere": hall.enter("approver", area_code=OTHER_VILLAGE)[1],
        "another volunteer": hall.enter()[1],
        "auditor": hall.enter("street_auditor")[1],
    }
    assert {who: one.client.get(address).status_code for who, one in asked.items()} == {
        "whose it is": 200, "approver": 200, "grid worker": 200, "approver elsewhere": 404, "another volunteer": 404, "auditor": 404,
    }  # fmt: skip
    assert hall.app.test_client().get(address).status_code in {302, 303, 401}
    other_claim = reported(hall, hall.enter()[1], photo(2))
    (other,) = addresses(hall, other_claim)
    assert browser.client.get(other).status_code == 404
    assert browser.client.get(f"/claims/{claim_id}/photos/{other.rpartition('/')[2]}").status_code == 404


@pytest.mark.asvs(35)
def test_what_is_no_photo_is_said_and_what_was_typed_stays(hall: Hall) -> None:
    _, browser = hall.enter()
    wrong = {
        "最多附 3 张照片": [photo(number) for number in range(4)],
        "HEIC 照片打不开": [HEIC],
        "不是照片，或者坏了": [photo(1), b"<svg/>"],
        "照片文件超过 10 MB": [photo() + bytes(pictures.FILE_BYTES_MAX)],
    }
    for said, files in wrong.items():
        answer = send(browser, *files, text="看到堆物，清了")
        assert (answer.status_code, said in answer.text, "看到堆物，清了" in answer.text) == (422, True, True), said
    late = send(browser, photo(), deed_on="2030-01-01")
    assert (late.status_code, "照片要重新选一次" in late.text) == (422, True)
    assert "照片要重新选一次" not in send(browser, deed_on="2030-01-01").text


@pytest.mark.asvs(35)
def test_only_a_form_with_photos_may_be_as_large_as_they_are(hall: Hall) -> None:
    _, browser = hall.enter()
    photos = [photo(number) + bytes(6 * 1024 * 1024) for number in range(2)]
    assert send(browser, *photos).status_code == 303
    assert send(browser, bytes(pictures.FORM_BYTES_MAX)).status_code == 413
    fields = {"_csrf": "x", "photos": (io.BytesIO(bytes(11 * 1024 * 1024)), "a.jpg")}
    assert posted(browser, "/sign-out", fields).status_code == 413


def test_the_same_form_sent_twice_keeps_its_photos_once_and_with_another_photo_it_is_another(hall: Hall) -> None:
    _, browser = hall.enter()
    form = browser.open("/me/report?deed=patrol").form("提交")
    fields = {name: values[0] for name, values in form.fields.items() if name != "photos"}
    answers = [
        posted(browser, form.action, fields | {"photos": [(io.BytesIO(content), "a.jpg")]}) for content in (photo(1), photo(1), photo(2))
    ]
    assert [answer.status_code for answer in answers] == [303, 303, 422]
    claim_id = UUID(answers[0].headers["Location"].partition("?")[0].rpartition("/")[2])
    assert len(addresses(hall, claim_id)) == 1


def test_a_returned_claim_is_told_anew_with_another_photo(hall: Hall) -> None:
    _, browser = hall.enter()
    claim_id = reported(hall, browser, photo(1))
    before = addresses(hall, claim_id)
    hall.community.turn_down("return", hall.community.person("grid_worker"), claim_id, reason="evidence-missing")
    hall.session.commit()
    assert "已有 1 张" in browser.open(f"/me/claims/{claim_id}").text
    assert send(browser, photo(2), address=f"/me/claims/{claim_id}", words="再提交").status_code == 303
    after = addresses(hall, claim_id)
    assert (len(after), set(before) & set(after)) == (1, set())
    assert browser.client.get(before[0]).status_code == 404


def test_ones_data_are_taken_along_with_the_photos(hall: Hall) -> None:
    _, browser = hall.enter()
    (address,) = addresses(hall, reported(hall, browser, photo()))
    seen = browser.client.get(address).data
    (told,) = browser.client.get("/me/data.json").get_json()["claims"]
    assert base64.b64decode(told["photos"][0]["jpeg"]) == seen
    assert address in browser.open("/me/data").html


def test_the_api_takes_photos_within_the_body_and_gives_them_back_one_by_one(hall: Hall) -> None:
    person, _ = hall.enter()
    ask = _asking(hall, person)
    told = {"deed": "patrol", "deed_on": "2026-11-22", "place": "3栋", "photos": [base64.b64encode(photo()).decode()]}
    made = ask("/claims", told)
    assert (made.status_code, "photos" in made.get_json()) == (201, False)
    claim_id = made.get_json()["id"]
    (row,) = ask(f"/claims/{claim_id}").get_json()["photos"]
    content = base64.b64decode(ask(f"/claims/{claim_id}/photos/{row['id']}").get_json()["content"])
    assert Image.open(io.BytesIO(content)).format == "JPEG"
    stranger = _asking(hall, hall.enter()[0])
    assert stranger(f"/claims/{claim_id}/photos/{row['id']}").status_code == 404
    assert ask(f"/claims/{claim_id}/photos/{new_id()}").status_code == 404
    for spoilt in ("", "%%%", base64.b64encode(b"text").decode(), 7, None):
        assert ask("/claims", told | {"photos": [spoilt]}).status_code == 422
    assert ask("/claims", told | {"photos": told["photos"] * 4}).status_code == 422


def test_the_same_key_with_another_photo_is_another_request(hall: Hall) -> None:
    ask = _asking(hall, hall.enter()[0])
    told = {"deed": "patrol", "deed_on": "2026-11-22", "place": "4栋"}
    bodies = [told | {"photos": [base64.b64encode(photo(seed)).decode()]} for seed in (1, 1, 2)]
    assert [ask("/claims", body, "one-key").status_code for body in bodies] == [201, 201, 422]


def test_staff_are_told_which_other_claims_photos_look_alike(hall: Hall) -> None:
    first, second = hall.community.person(), hall.community.person()
    likeness = pictures.drawn(photo(5)).likeness
    old = hall.community.report(first, photos=(NewPhoto(b"", likeness),))
    new = hall.community.report(second, photos=(NewPhoto(b"", likeness ^ 1),))
    found = claims.alike(hall.session, hall.community.book.id, [new], hall.clock.now())[new]
    assert [one.claim_id for one in found] == [old]
    with hall.app.test_request_context():
        said = hall.app.jinja_env.get_template("ledger/claims/_photos.html").module.alike(found)  # type: ignore[attr-defined]
    assert "照片与 2026-11-23 的申报相似" in said


def _asking(hall: Hall, person: Person) -> Any:
    token = sign_in.issue_bearer(hall.session, an_act(hall.community.book), [person.id], lives=timedelta(days=1))[0]
    hall.session.commit()

    def ask(path: str, body: dict[str, Any] | None = None, key: str | None = None) -> TestResponse:
        client, headers = hall.app.test_client(), {"Authorization": f"Bearer {token}"}
        if body is None:
            return client.get(f"/api/v1{path}", headers=headers)
        return client.post(f"/api/v1{path}", json=body, headers=headers | {"Idempotency-Key": key or new_id().hex})

    return ask
