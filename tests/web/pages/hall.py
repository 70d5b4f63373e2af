"""A community whose people each have a browser, for the tests of the pages of `ledger`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.people import Person
from tests.builders import an_act
from tests.conftest import HandClock
from tests.earning import Community
from tests.earning import a_community
from tests.journeys.browser import Browser
from tests.journeys.browser import signed_in


@dataclass
class Hall:
    """The community, and the way in."""

    app: Flask
    session: Session
    clock: HandClock
    community: Community

    def enter(self, *roles: str, **others: Any) -> tuple[Person, Browser]:
        """Enrol somebody and return them with their browser."""
        person = self.community.person(*roles, **others)
        self.session.commit()
        return person, self.browser(person)

    def browser(self, person: Person) -> Browser:
        """Return a browser of somebody enrolled."""
        return signed_in(self.app, self.session, self.community.book, person, self.clock.now())

    def balance(self, person: Person) -> int:
        """Return what somebody has, and let the database go."""
        found = self.community.balance(person)
        self.session.commit()
        return found

    def charge(self, leader: Person, *persons: Person) -> None:
        """Give a building leader some people to look after."""
        given = people.give_charge(self.session, an_act(self.community.book), leader.id, [person.id for person in persons])
        assert given is None, given
        self.session.commit()


def hall_of(app: Flask, session: Session, clock: HandClock) -> Hall:
    """The way into the community that was played in the session's database already."""
    session.expire_on_commit = False
    (book,) = areas.books(session)
    session.commit()
    return Hall(app, session, clock, Community(session, book))


def a_hall(app: Flask, session: Session, clock: HandClock) -> Hall:
    community = a_community(session)
    session.commit()
    return Hall(app, session, clock, community)
