from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.web.api.conftest import kind


@pytest.mark.parametrize("address", ["/api/v1/openapi.json?a=1&a=2", "/?next=a&next=b", "/sign-in?next=/a&next=//evil"])
def test_what_stands_twice_in_an_address_is_refused(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 422


def test_what_stands_twice_in_a_form_is_refused(client: FlaskClient) -> None:
    assert client.post("/sign-in/1-ABC", data={"next": ["a", "b"]}).status_code == 422


def test_several_boxes_and_outcomes_are_no_repetition(client: FlaskClient) -> None:
    assert client.post("/sign-in/1-ABC", data={"id": ["a", "b"]}).status_code != 422
    assert client.get("/?done=a&done=b&not-found=a&not-found=b").status_code == 200


def test_the_api_says_which_field(client: FlaskClient) -> None:
    answer = client.get("/api/v1/openapi.json?cursor=1&cursor=2")
    assert (kind(answer), answer.get_json()["field"]) == ((422, "field-repeated"), "cursor")
