from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people import Person
from ledger.sign_in import codes
from ledger.sign_in import passkeys
from ledger.sign_in import passwords
from ledger.sign_in.model import Secret
from ledger.sign_in.passkeys import Site
from tests.authenticator import Authenticator
from tests.builders import COUNTY
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import TOWNSHIP
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START

PASSWORD = "河边三棵柳树 and one small boat"
HOUR = timedelta(hours=1)
SITE = Site("localhost", "http://localhost:8000", "善行存折", (bytes(range(32)),))


def with_password(session: Session, book: Book, person: Person) -> pyotp.TOTP:
    """Let somebody have a password and one-time codes, and return what draws them."""
    assert passwords.set_password(session, an_act(book), VAULT, person.id, PASSWORD) is None
    key = codes.new_key(VAULT, book.id, person.id, account="a", issuer="b", at=START - HOUR)
    app = pyotp.TOTP(key.text)
    assert codes.confirm_key(session, an_act(book, START - HOUR), VAULT, person.id, key.sealed, app.at(START - HOUR)) is None
    return app


def with_passkey(session: Session, book: Book, person: Person) -> Authenticator:
    """Let somebody have a passkey, and return the phone it is on."""
    phone = Authenticator()
    answer = phone.make(passkeys.registration_options(SITE, book, person.id, "x", [], START))
    assert not isinstance(passkeys.register(session, an_act(book), SITE, person.id, answer=answer, name="x", has=[]), Refusal)
    return phone


def known(session: Session, book: Book, person_id: UUID | None, password: str, code: str) -> bool:
    return sign_in.check_password(session, VAULT, book.id, person_id, password, code, START) is not None


def way_of(session: Session, token: str | Refusal) -> str | None:
    assert isinstance(token, str), token
    found = sign_in.recognise(session, token, START)
    assert found is not None
    return found[0].way


def test_password_and_code_together_open_a_session(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, "approver")
    app = with_password(session, book, person)
    found = sign_in.check_password(session, VAULT, book.id, person.id, PASSWORD, app.at(START), START)
    assert found is not None
    assert way_of(session, sign_in.open_by_password(session, book, found, START)) == "password"
    assert sign_in.open_by_password(session, book, found, START) == Refusal("sign-in-wrong")


def test_neither_password_nor_code_alone_is_enough(session: Session) -> None:
    book = a_book(session)
    person, without, other = (a_person(session, book, "approver") for _ in range(3))
    code = with_password(session, book, person).at(START)
    passwords.set_password(session, an_act(book), VAULT, without.id, PASSWORD)
    recovery = codes.new_recovery_codes(session, an_act(book), person.id)[0]
    tries = [
        (person.id, PASSWORD, code, True),
        (person.id, PASSWORD, recovery, True),
        (person.id, PASSWORD + "!", code, False),
        (person.id, "", code, False),
        (person.id, recovery, code, False),
        (person.id, PASSWORD, "", False),
        (person.id, PASSWORD, "12345", False),
        (without.id, PASSWORD, code, False),
        (without.id, PASSWORD, "", False),
        (other.id, PASSWORD, code, False),
        (None, PASSWORD, code, False),
    ]
    for person_id, password, typed, is_right in tries:
        assert known(session, book, person_id, password, typed) is is_right, (password, typed)


def test_a_wrong_password_uses_no_code_up(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, "approver")
    app = with_password(session, book, person)
    assert not known(session, book, person.id, "wrong", app.at(START))
    assert known(session, book, person.id, PASSWORD, app.at(START))


@pytest.mark.parametrize("typed", ["{handle}", " {handle} ", "1-{handle}", "{spaced}", "１-{handle}"])
def test_a_number_names_somebody_of_the_only_book_or_of_the_one_before_it(session: Session, typed: str) -> None:
    book = a_book(session)
    person = a_person(session, book)
    assert book.number == 1
    found = sign_in.find_person(session, typed.format(handle=person.handle, spaced=f"{person.handle[:4]} {person.handle[4:]}"))
    assert found is not None
    assert found[0].id == book.id
    assert found[1] is not None
    assert found[1].id == person.id


def test_where_there_are_several_books_the_number_says_which(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    other = areas.open_book(session, name="另一本", area_code=TOWNSHIP, zone="Asia/Shanghai", at=START)
    assert sign_in.find_person(session, person.handle) is None
    assert sign_in.find_person(session, f"99999-{person.handle}") is None
    here, elsewhere = (sign_in.find_person(session, f"{one.number}-{person.handle}") for one in (book, other))
    assert here is not None
    assert here[1] is not None
    assert here[1].id == person.id
    assert elsewhere is not None
    assert elsewhere[1] is None


@pytest.mark.parametrize("typed", ["", "x", "1-", "-12345678", "1-2-12345678", "123456789", "１２３", "1-1234567é", "\0"])
def test_what_is_no_number_names_nobody(session: Session, typed: str) -> None:
    a_book(session)
    assert sign_in.find_person(session, typed) is None


def test_whoever_has_left_signs_in_no_more(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, "approver")
    phone = with_passkey(session, book, person)
    found = passkeys.answered(session, SITE, phone.answer(passkeys.sign_in_options(SITE, START)), START)
    assert found is not None
    session.execute(update(Person).where(Person.book_id == book.id, Person.id == person.id).values(status="left"))
    assert sign_in.open_by_passkey(session, found, START) == Refusal("sign-in-wrong")
    named = sign_in.find_person(session, person.handle)
    assert named is not None
    assert named[1] is None


def test_a_passkey_opens_a_session_once_for_each_answer(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, "approver")
    phone = with_passkey(session, book, person)
    found = passkeys.answered(session, SITE, phone.answer(passkeys.sign_in_options(SITE, START)), START)
    assert found is not None
    assert way_of(session, sign_in.open_by_passkey(session, found, START)) == "passkey"
    assert sign_in.open_by_passkey(session, found, START) == Refusal("sign-in-wrong")


def link_for(session: Session, book: Book, person: Person) -> str:
    return sign_in.issue_link(session, an_act(book), person.id, lives=HOUR)


def test_a_link_is_no_way_round_the_second_factor(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, "approver", "volunteer")
    assert way_of(session, sign_in.use_link(session, link_for(session, book, person), START)) == "link"
    with_password(session, book, person)
    link = link_for(session, book, person)
    assert sign_in.use_link(session, link, START) == Refusal("link-not-enough", "token")
    sign_in.forget_ways_in(session, an_act(book), person.id)
    assert sign_in.use_link(session, link, START) == Refusal("link-used", "token")
    assert way_of(session, sign_in.use_link(session, link_for(session, book, person), START)) == "link"


def test_whoever_has_home_roles_alone_comes_by_link_also_with_a_passkey(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, "volunteer", "building_leader")
    with_passkey(session, book, person)
    assert way_of(session, sign_in.use_link(session, link_for(session, book, person), START)) == "link"


def test_a_link_is_a_fresh_proof_of_whoever_has_nothing_else(session: Session) -> None:
    book = a_book(session)
    bare, with_key = a_person(session, book), a_person(session, book)
    with_passkey(session, book, with_key)
    for person, proved_at in ((bare, START), (with_key, None)):
        opened = sign_in.use_link(session, link_for(session, book, person), START)
        assert isinstance(opened, str)
        found = sign_in.recognise(session, opened, START)
        assert found is not None
        assert found[0].proved_at == proved_at


def test_beginning_anew_removes_everything_and_ends_everything(session: Session) -> None:
    book = a_book(session)
    person, administrator = a_person(session, book, "approver"), a_person(session, book, "administrator")
    with_password(session, book, person)
    with_passkey(session, book, person)
    codes.new_recovery_codes(session, an_act(book), person.id)
    opened = sign_in.open_session(session, book, person.id, "passkey", START)
    (bearer,) = sign_in.issue_bearer(session, an_act(book), [person.id], lives=HOUR)
    link = link_for(session, book, person)
    county = (f"{COUNTY}/",)
    issued = sign_in.issue_way_in(
        session, an_act(book, actor=administrator.id), VAULT, person.id, anew=True, within=county, staff_within=county
    )  # fmt: skip
    assert isinstance(issued, UUID)
    second = an_act(book, actor=a_person(session, book, "administrator").id)
    assert not isinstance(sign_in.confirm_way_in(session, second, issued, staff_within=county), Refusal)
    factors = sign_in.factors_of(session, book.id, person.id)
    assert (factors.passkeys, factors.password_since, factors.codes_since, factors.recovery_codes_left) == ([], None, None, 0)
    assert [sign_in.recognise(session, token, START) for token in (opened, bearer)] == [None, None]
    assert sign_in.use_link(session, link, START) == Refusal("link-used", "token")
    token = sign_in.link_token(session, VAULT, book.id, issued)
    assert sign_in.use_link(session, token, START + timedelta(hours=24)) == Refusal("link-expired", "token")
    assert way_of(session, sign_in.use_link(session, token, START)) == "link"


def test_the_pin_of_a_card_stays_when_one_begins_anew(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    sign_in.set_pin(session, VAULT, book.id, person.id, "pin", "739152", START)
    sign_in.forget_ways_in(session, an_act(book), person.id)
    assert session.execute(select(Secret.kind).where(Secret.book_id == book.id)).scalars().all() == ["pin"]


def test_nobody_gives_a_way_in_to_themselves_or_to_whoever_can_do_more(session: Session) -> None:
    book = a_book(session)
    act = an_act(book, actor=(administrator := a_person(session, book, "administrator", area_code=VILLAGE)).id)
    village = (areas.path_of(session, book.id, VILLAGE),)
    county_approver = a_person(session, book, area_code=GRID)
    people.grant_role(session, an_act(book), person_id=county_approver.id, role="approver", area_code=COUNTY, starts_on=START.date())
    neighbour = a_person(session, book, area_code=OTHER_VILLAGE)
    own_approver, volunteer = a_person(session, book, "approver", area_code=GRID), a_person(session, book, area_code=GRID)

    def issued(person: Person, *, anew: bool = False, is_administrator: bool = True) -> UUID | Refusal:
        within = village if is_administrator else ()
        return sign_in.issue_way_in(session, act, VAULT, person.id, anew=anew, within=village, staff_within=within)

    assert issued(administrator) == Refusal("way-in-for-oneself", "person_id")
    for anew in (False, True):
        assert issued(county_approver, anew=anew) == Refusal("way-in-of-staff", "person_id")
        assert isinstance(issued(own_approver, anew=anew), UUID)
        assert isinstance(issued(volunteer, anew=anew), UUID)
        with pytest.raises(NotFound):
            issued(neighbour, anew=anew)
    assert isinstance(issued(volunteer, is_administrator=False), UUID)
    assert issued(own_approver, is_administrator=False) == Refusal("way-in-of-staff", "person_id")
    with pytest.raises(NotFound):
        issued(volunteer, anew=True, is_administrator=False)
