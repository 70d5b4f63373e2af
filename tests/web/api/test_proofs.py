from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from ledger import activities
from ledger import seal
from ledger.areas import Book
from ledger.ids import new_id
from ledger.seal.leaves import Opening
from tests.builders import an_act
from tests.builders import give_points
from tests.conftest import START
from tests.sealing import WITNESS
from tests.sealing import rewrite
from tests.sealing import sealed
from tests.sealing import watched
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind


def test_a_line_is_promised_until_it_is_sealed_and_proven_from_then_on(somebody: Somebody, session: Session, book: Book) -> None:
    person, ask = somebody()
    watched(session, book, START)
    for points in (30, 5):
        give_points(session, book, person, points)
    session.commit()
    waiting = ask("/passbook/lines/2/proof").get_json()
    note = seal.note_of(waiting.pop("promise"))
    key = seal.promiser(bytes(range(32)), "localhost:8000/promise").key
    assert note.signed_by([key]) == [key]
    assert "line 2\namount 5\nbefore 30\nafter 35\n" in note.body
    assert waiting == {"sealed": False, "differs": False, "index": None, "size": None, "check_word": None, "cosigned": [], "proof": None}
    sealed(session, book, START, WITNESS)
    session.commit()
    told = ask("/passbook/lines/2/proof").get_json()
    proof = seal.proof_of(told.pop("proof"))
    assert proof.extra is not None
    opening, head = seal.opening_of(proof.extra), seal.head_of(proof.checkpoint.body)
    assert seal.is_included(seal.leaf_hash(opening.leaf), proof.index, head.size, proof.path, head.root)
    assert isinstance(opening, Opening)
    assert (opening.side.amount, opening.side.before, opening.side.after) == (5, 30, 35)
    assert told == {
        "sealed": True, "differs": False, "index": proof.index, "size": 4, "check_word": opening.word, "cosigned": [WITNESS.name],
        "promise": None,
    }  # fmt: skip


def test_a_line_that_is_not_what_was_sealed_is_neither_proven_nor_promised(
    somebody: Somebody, session: Session, book: Book, owner: Engine
) -> None:
    person, ask = somebody()
    give_points(session, book, person, 30)
    sealed(session, book, START)
    session.commit()
    rewrite(owner, book.id, "UPDATE line SET deed_on = '2020-01-01' WHERE book_id = :book")
    nothing = dict.fromkeys(("index", "size", "check_word", "proof", "promise"))
    assert ask("/passbook/lines/1/proof").get_json() == nothing | {"sealed": False, "differs": True, "cosigned": []}


def test_hours_that_are_not_what_was_sealed_are_not_proven_and_are_an_alarm(
    somebody: Somebody, session: Session, book: Book, owner: Engine
) -> None:  # fmt: skip
    person, ask = somebody()
    activities.record_hours(session, an_act(book, START), [activities.Served(person.id, "credit", 90, START.date(), new_id())])
    sealed(session, book, START)
    session.commit()
    assert ask("/hours/proof").get_json()["sealed"] is True
    rewrite(owner, book.id, "UPDATE hours_record SET minutes = 900 WHERE book_id = :book")
    told = ask("/hours/proof").get_json()
    assert (told["sealed"], told["differs"], told["proof"]) == (False, True, None)
    (alarm,) = seal.alarms(session, book.id)
    assert (alarm.what, alarm.seen) == ("line-differs", 1)


def test_a_line_that_is_none_or_anothers_is_not_found(somebody: Somebody, session: Session, book: Book) -> None:
    person, ask = somebody()
    _, other = somebody()
    give_points(session, book, person, 30)
    session.commit()
    for asking, number in ((ask, "2"), (ask, "0"), (ask, "9" * 30), (other, "1")):
        assert kind(asking(f"/passbook/lines/{number}/proof")) == (404, "not-found")


def test_hours_are_proven_as_far_as_they_are_sealed(somebody: Somebody, session: Session, book: Book) -> None:
    person, ask = somebody()
    _, other = somebody()
    watched(session, book, START)
    for later, what, minutes in ((1, "credit", 90), (2, "honour", 45)):
        served = activities.Served(person.id, what, minutes, START.date(), new_id())
        activities.record_hours(session, an_act(book, START + timedelta(minutes=later)), [served])
    session.commit()
    nothing = dict.fromkeys(("records", "credit_minutes", "honour_minutes", "index", "size", "check_word", "proof"))
    assert ask("/hours/proof").get_json() == nothing | {"sealed": False, "differs": False, "cosigned": []}
    sealed(session, book, START, WITNESS)
    session.commit()
    told = ask("/hours/proof").get_json()
    proof = seal.proof_of(told.pop("proof"))
    assert proof.extra is not None
    opening, head = seal.opening_of(proof.extra), seal.head_of(proof.checkpoint.body)
    assert seal.is_included(seal.leaf_hash(opening.leaf), proof.index, head.size, proof.path, head.root)
    assert told == {
        "sealed": True, "differs": False, "records": 2, "credit_minutes": 90, "honour_minutes": 45, "index": 1, "size": 2,
        "check_word": opening.word, "cosigned": [WITNESS.name],
    }  # fmt: skip
    first = ask("/hours/records/1/proof").get_json()
    assert (first["records"], first["credit_minutes"], first["honour_minutes"]) == (1, 90, 0)
    for asking, number in ((ask, "3"), (ask, "0"), (ask, "9" * 30), (other, "1")):
        assert kind(asking(f"/hours/records/{number}/proof")) == (404, "not-found")
    assert other("/hours/proof").get_json()["sealed"] is False
