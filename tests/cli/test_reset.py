from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from ledger import sign_in
from ledger.sign_in import passwords
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START


def test_an_operator_lets_somebody_begin_anew(app: Flask, session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, "administrator")
    passwords.set_password(session, an_act(book), VAULT, person.id, "河边三棵柳树 and one small boat")
    opened = sign_in.open_session(session, book, person.id, "password", START)
    session.commit()
    run = app.test_cli_runner().invoke(args=["ledger", "people", "reset", "--book", "1", "--handle", person.handle])
    assert run.exit_code == 0, run.output
    token = run.output.strip().rpartition("/")[2]
    assert sign_in.recognise(session, opened, START) is None
    assert sign_in.factors_of(session, book.id, person.id).password_since is None
    assert isinstance(sign_in.use_link(session, token, START), str)


@pytest.mark.parametrize("hours", ["0", "25"])
def test_no_link_lives_longer_than_a_day(app: Flask, session: Session, hours: str) -> None:
    person = a_person(session, a_book(session))
    session.commit()
    asked = ["ledger", "people", "link", "--book", "1", "--handle", person.handle, "--hours", hours]
    assert app.test_cli_runner().invoke(args=asked).exit_code == 2
