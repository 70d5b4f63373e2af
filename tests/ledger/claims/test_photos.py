from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import claims
from ledger import people
from ledger import tariff
from ledger.claims import NewPhoto
from ledger.claims.model import Photo
from ledger.claims.rules import bands_of
from ledger.claims.rules import looks_alike
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.ids import new_id
from tests.builders import VAULT
from tests.builders import an_act
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community
from tests.ledger.claims.test_merging import merged

pytestmark = pytest.mark.asvs(36)
BITS = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session)


def a_photo(likeness: int = 0, content: bytes = b"a picture") -> NewPhoto:
    return NewPhoto(content, likeness)


def report(community: Community, who: people.Person, *photos: NewPhoto, **others: Any) -> Any:
    return community.report(who, photos=photos, **others)


def pictures(community: Community, claim_id: UUID) -> list[bytes]:
    rows = claims.photos_of(community.session, community.book.id, [claim_id])[claim_id]
    return [claims.picture(community.session, VAULT, community.book.id, claim_id, row.id) for row in rows]


def there(community: Community) -> Sequence[Photo]:
    return community.session.execute(select(Photo).where(Photo.book_id == community.book.id)).scalars().all()


def test_a_claims_photos_are_opened_for_whoever_asks_for_them_by_the_claim(community: Community) -> None:
    claim_id = report(community, community.person(), a_photo(content=b"one"), a_photo(content=b"two"))
    assert sorted(pictures(community, claim_id)) == [b"one", b"two"]
    (other,) = [report(community, community.person(), a_photo())]
    photo_id = claims.photos_of(community.session, community.book.id, [claim_id])[claim_id][0].id
    for asked in ((other, photo_id), (claim_id, new_id())):
        with pytest.raises(NotFound):
            claims.picture(community.session, VAULT, community.book.id, *asked)


def test_what_lies_in_the_database_is_sealed_with_the_persons_key(community: Community) -> None:
    person = community.person()
    report(community, person, a_photo(content=b"seen by nobody"))
    (kept,) = there(community)
    assert kept.person_id == person.id
    assert b"seen" not in kept.sealed


def test_of_a_deed_that_is_told_for_a_team_the_teller_keeps_the_photos(community: Community) -> None:
    leader = community.person()
    team = community.team(leader, community.person())
    claim_id = community.propose(community.person("grid_worker"), team, photos=(a_photo(content=b"team"),))
    assert pictures(community, claim_id) == [b"team"]
    (kept,) = there(community)
    assert kept.person_id == community.claim(claim_id).reporter_id


def test_at_most_three_photos_go_with_a_deed(community: Community) -> None:
    with pytest.raises(Invalid) as found:
        report(community, community.person(), *[a_photo()] * 4)
    assert found.value.code == "photos-too-many"


def test_of_a_mediation_no_photo_is_taken(community: Community) -> None:
    assert report(community, community.person(), a_photo(), deed="tea_house") == "deed-told-without-photo"


def test_where_the_tariff_asks_for_a_photo_whoever_reports_their_own_deed_shows_one(community: Community) -> None:
    row = tariff.RateRow("patrol", "shown", "巡逻拍照", "shown", "deed", 5, with_photo=True)
    tariff.define_rate(community.session, an_act(community.book), row, valid_from=date(2025, 1, 1))
    person, worker = community.person(), community.person("grid_worker")
    assert report(community, person, deed="shown") == "photo-missing"
    claim_id = report(community, person, a_photo(), deed="shown")
    assert isinstance(claim_id, UUID)
    assert isinstance(community.propose(worker, person, "shown"), UUID), "whoever proposes it has seen to it"
    community.turn_down("return", worker, claim_id)
    assert community.resubmit(person, claim_id, "shown") == "reported", "the photos are there already"


def test_told_anew_other_photos_come_in_place_of_the_first_and_none_leave_them(community: Community) -> None:
    person, worker = community.person(), community.person("grid_worker")
    claim_id = report(community, person, a_photo(content=b"first"))
    community.turn_down("return", worker, claim_id)
    community.resubmit(person, claim_id, deed_on=TODAY - timedelta(days=1))
    assert pictures(community, claim_id) == [b"first"]
    community.turn_down("return", worker, claim_id)
    community.resubmit(person, claim_id, photos=(a_photo(content=b"second"),))
    assert pictures(community, claim_id) == [b"second"]


def test_whoever_is_erased_leaves_no_photo(community: Community) -> None:
    person, other = community.person(), community.person()
    for who in (person, other):
        report(community, who, a_photo())
    people.erase(community.session, community.act(person), person.id, [claims.leaving()])
    assert [kept.person_id for kept in there(community)] == [other.id]


def test_whoever_is_erased_leaves_no_photo_of_a_record_that_was_merged_into_theirs(community: Community) -> None:
    kept, gone = community.person(), community.person()
    claim_id = report(community, gone, a_photo())
    claims.withdraw(community.session, community.act(gone), claim_id)
    assert merged(community, kept, gone) == "done"
    people.erase(community.session, community.act(kept), kept.id, [claims.leaving()])
    assert there(community) == []


def test_without_the_persons_key_a_photo_is_not_found(community: Community) -> None:
    person = community.person()
    claim_id = report(community, person, a_photo())
    people.erase(community.session, community.act(person), person.id, [])
    with pytest.raises(NotFound):
        pictures(community, claim_id)


def test_ones_own_records_have_the_photos(community: Community) -> None:
    person = community.person()
    report(community, person, a_photo(content=b"mine"))
    (told,) = claims.records_of(community.session, VAULT, community.book.id, person.id, community.at)["claims"]
    assert [one["added_at"] for one in told["photos"]] == [community.at]


def test_a_claim_is_told_apart_from_those_whose_photos_look_alike(community: Community) -> None:
    person, other = community.person(), community.person()
    first = report(community, person, a_photo(0b1010))
    community.at += timedelta(days=3)
    copied = report(community, other, a_photo(0b1010 ^ 0b11111 << 58), a_photo(-1))
    fresh = report(community, other, a_photo(2**40 - 1))
    found = claims.alike(community.session, community.book.id, [first, copied, fresh], community.at)
    assert [one.claim_id for one in found[copied]] == [first]
    assert found[copied][0].added_at == community.at - timedelta(days=3)
    assert ([one.claim_id for one in found[first]], found[fresh]) == ([copied], [])


def test_photos_of_one_claim_and_of_long_ago_are_not_compared(community: Community) -> None:
    person = community.person()
    old = report(community, person, a_photo(7), a_photo(7))
    assert claims.alike(community.session, community.book.id, [old], community.at)[old] == []
    community.at += timedelta(days=91)
    new = report(community, person, a_photo(7), deed_on=TODAY + timedelta(days=90))
    assert claims.alike(community.session, community.book.id, [new], community.at) == {new: []}


@given(one=BITS, flips=st.sets(st.integers(0, 63), max_size=5))
def test_pictures_that_differ_in_five_bits_have_a_band_in_common(one: int, flips: set[int]) -> None:
    other = one % 2**64
    for place in flips:
        other ^= 1 << place
    other = other - 2**64 if other >> 63 else other
    assert looks_alike(one, other)
    assert set(bands_of(one)) & set(bands_of(other))


@given(one=BITS, flips=st.sets(st.integers(0, 63), min_size=6))
def test_pictures_that_differ_in_six_bits_do_not_look_alike(one: int, flips: set[int]) -> None:
    assert not looks_alike(one, one ^ sum(1 << place for place in flips))
