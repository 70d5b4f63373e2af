"""What a shop learns of those who pay there: the amount and the end of their number; no name, no phone, no number, whatever it asks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from ledger import people
from ledger.people import SHOP_ROLES
from ledger.people.model import Person
from ledger.web.kit.auth import rule_of
from redeem.merchants.model import ShopStaff
from redeem.redemptions.model import Redemption
from tests.builders import VAULT
from tests.house.conftest import Community
from tests.web.api.conftest import asking

#: Of each kind of thing so many are asked for.
OF_EACH = 12


def shop_reads(app: Flask) -> list[Rule]:
    """Every page and read of the API that somebody may open because they work in a shop."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.endpoint != "static"]
    return [rule for rule in rules if (declared := rule_of(rule.endpoint, app)) and declared.roles & SHOP_ROLES]


def addresses(rule: Rule, known: dict[str, list[str]]) -> Iterator[str]:
    """The addresses of a route with what there is in the book."""
    names = re.findall(r"<(?:\w+:)?(\w+)>", rule.rule)
    for number in range(OF_EACH if names else 1):
        values = {name: known[name][number % len(known[name])] for name in names if name in known}
        yield re.sub(r"<(?:\w+:)?(\w+)>", lambda part, values=values: values.get(part[1], "x"), rule.rule)


def told_to(app: Flask, community: Community, key: str) -> dict[str, str]:
    """Everything that a shop's page or read says to somebody of the cast, by address."""
    known, client, token = community.known(), app.test_client(), community.token(key)
    community.enter(client, key)
    ask = asking(client, token)
    told = {}
    for rule in shop_reads(app):
        for address in addresses(rule, known):
            answer = ask(address.removeprefix("/api/v1")) if address.startswith("/api/") else client.get(address)
            told[address] = answer.get_data().decode(errors="replace") if answer.status_code == 200 else ""
    return told


def payers(community: Community) -> dict[str, str]:
    """What a shop must not read, by whose it is: name, phone and number of everybody who paid somewhere and works in no shop."""
    session, book_id = community.session, community.book.id
    paid = select(Redemption.person_id).where(Redemption.book_id == book_id, Redemption.person_id.is_not(None))
    employed = select(ShopStaff.person_id).where(ShopStaff.book_id == book_id)
    wanted = select(Person).where(Person.book_id == book_id, Person.id.in_(paid), Person.id.not_in(employed))
    found = {person.id: person.handle for person in session.scalars(wanted)}
    fields = people.fields_of(session, VAULT, book_id, found, ["name", "phone", "address"])
    session.commit()
    texts = {person_id: (handle, f"{handle[:4]} {handle[4:]}", *fields[person_id].values()) for person_id, handle in found.items()}
    return {text: found[person_id] for person_id, listed in texts.items() for text in listed}


@pytest.mark.parametrize("key", ["cashier", "owner"])
def test_a_shop_reads_nobodys_name_phone_or_number(app: Flask, community: Community, key: str) -> None:
    told, hidden = told_to(app, community, key), payers(community)
    assert len(hidden) > 4
    assert [(address, text) for address, answer in told.items() for text in hidden if text in answer] == []
    tails = {handle[-2:] for handle in hidden.values()}
    shown = re.findall(r'"handle_tail": ?"(\d\d)"', "".join(told.values()))
    assert tails & set(shown)
