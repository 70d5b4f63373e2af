"""Who lives there: areas, people, families and roles, written in sets by the functions that imports use; and the operator's tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random
from uuid import UUID

from sqlalchemy.orm import Session

from bench.month.sizes import Sizes
from bench.names import make_name
from bench.names import make_phone
from ledger import areas
from ledger import journal
from ledger import people
from ledger import sign_in
from ledger import tariff
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import NewPerson
from ledger.people import Person

AREAS = Path(__file__).parents[2] / "examples" / "areas.csv"
COUNTY, VILLAGE, ZONE = "320106", "320106001003", "Asia/Shanghai"
#: Two administrators, since a way in for staff takes two.
ADMINISTRATORS, APPROVERS, COURIERS = 2, 4, 5
#: So many of a household are grown up; so many work in a shop, the first of them its owner.
ADULTS, KEEPERS = 2, 3
TOKENS_LIVE = timedelta(days=60)
_AT_ONCE = 1000


@dataclass(eq=False)
class Somebody:
    """A person of the story, and the token of the machine that asks the API for them, where one does."""

    id: UUID
    handle: str
    area_code: str
    token: str = ""


@dataclass
class Community:
    """The cast, by what they do."""

    book_id: UUID
    book_number: int
    administrator: Somebody
    #: Confirms what the first asked for.
    second_administrator: Somebody
    approvers: list[Somebody]
    grid_workers: list[Somebody]
    hosts: list[Somebody]
    couriers: list[Somebody]
    leaders: list[Somebody]
    #: One adult of each household, who earns and spends; the leaders are among them.
    volunteers: list[Somebody]
    #: In shifts.
    patrols: list[list[Somebody]]
    shopkeepers: list[Somebody]
    #: The volunteers that each leader looks after, by the leader's id.
    charges: dict[UUID, list[Somebody]]
    #: Declared kin of the first approver.
    kin_of_approver: Somebody
    residents: int
    households: int
    #: For whom machines ask the API, and with which scopes.
    machines: list[tuple[list[Somebody], tuple[str, ...]]]
    #: Of each resident, the number of their household.
    home_of: dict[UUID, int]


def settle(session: Session, vault: people.Vault, sizes: Sizes, random: Random, at: datetime, said: Callable[[str], None]) -> Community:
    """Write the whole community and return it; `said` is told what is under way."""
    said("areas")
    areas.import_published(session, areas.rows_of(AREAS.read_bytes()))
    book = areas.open_book(session, name="鼓楼区善行存折", area_code=COUNTY, zone=ZONE, at=at)
    journal.open_book_accounts(session, book.id, at)
    act = _act(session, book.id, at)
    grids = _draw_grids(session, act, sizes)
    tariff.define_categories(session, act)
    said("residents")
    buildings = _buildings(sizes, random)
    residents = _enrol(session, vault, act, _residents(buildings, grids, random))
    staff = _enrol(session, vault, act, _staff(sizes, grids, random))
    said("families, charges and tokens")
    homes = _homes(buildings, residents)
    _tie(session, act, homes)
    return _cast(session, act, book.number, sizes, homes, staff)


def _act(session: Session, book_id: UUID, at: datetime) -> Act:
    key = str(new_id())
    (claimed,) = journal.claim(session, book_id, [journal.Ask(OPERATOR, key, hashlib.sha256(key.encode()).digest(), at)])
    assert isinstance(claimed, journal.Claimed), "the key is new"
    journal.answer(session, book_id, [(claimed.request_id, 200, {})])
    return Act(book_id, OPERATOR, "import", claimed.request_id, at)


def _draw_grids(session: Session, act: Act, sizes: Sizes) -> list[str]:
    codes = []
    for number in range(1, sizes.grids_comprehensive + sizes.grids_special + 1):
        kind = "comprehensive" if number <= sizes.grids_comprehensive else "special"
        codes.append(f"{VILLAGE}-{number:02d}")
        areas.add_grid(session, act, parent_code=VILLAGE, code=codes[-1], name=f"第{number}网格", level="grid", kind=kind)
    return codes


def _buildings(sizes: Sizes, random: Random) -> list[list[int]]:
    """Return for each building leader the sizes of the 10 to 14 households, all together as many persons as there are residents."""
    buildings = [[random.choice((2, 3, 3, 4, 4, 5)) for _ in range(random.randint(10, 14))] for _ in range(sizes.building_leaders)]
    while (missing := sizes.residents - sum(map(sum, buildings))) != 0:
        building = random.choice(buildings)
        place = random.randrange(len(building))
        if 2 <= building[place] + (missing > 0) - (missing < 0) <= 7:
            building[place] += (missing > 0) - (missing < 0)
    return buildings


def _residents(buildings: Sequence[Sequence[int]], grids: Sequence[str], random: Random) -> list[NewPerson]:
    news: list[NewPerson] = []
    for building, households in enumerate(buildings):
        for flat, members in enumerate(households):
            for member in range(members):
                is_leader = flat == member == 0
                is_adult = member < ADULTS
                news.append(
                    NewPerson(
                        make_name(random),
                        grids[building % len(grids)],
                        phone=make_phone(len(news)),
                        birth_month=f"{random.randint(1945, 1999) if is_adult else random.randint(2008, 2011)}-{random.randint(1, 12):02d}",
                        address=f"{building + 1}幢{flat + 1:02d}室",
                        roles=("volunteer", "building_leader") if is_leader else ("volunteer",) if is_adult else (),
                    )
                )
    return news


def _staff(sizes: Sizes, grids: Sequence[str], random: Random) -> list[NewPerson]:
    parts = [
        *((("administrator",), COUNTY) for _ in range(ADMINISTRATORS)),
        *((("approver", "volunteer"), VILLAGE) for _ in range(APPROVERS)),
        *((("grid_worker", "volunteer"), grids[number % len(grids)]) for number in range(sizes.grid_workers)),
        # People come from every grid: a host checks in those of where they host.
        *((("activity_host",), VILLAGE) for _ in grids),
        *((("volunteer",), grids[0]) for _ in range(COURIERS)),
    ]
    return [
        NewPerson(make_name(random), area, phone=make_phone(90_000_000 + number), is_resident=False, birth_month="1985-06", roles=roles)
        for number, (roles, area) in enumerate(parts)
    ]


def _enrol(session: Session, vault: people.Vault, act: Act, news: Sequence[NewPerson]) -> list[Person]:
    enrolled: list[Person] = []
    for start in range(0, len(news), _AT_ONCE):
        for outcome in people.enrol_many(session, act, vault, news[start : start + _AT_ONCE]):
            assert not isinstance(outcome, Refusal), outcome
            enrolled.append(outcome)
    return enrolled


#: Of each building, its households; of each household, its members.
Homes = list[list[list[Person]]]


def _homes(buildings: Sequence[Sequence[int]], residents: Sequence[Person]) -> Homes:
    rest = iter(residents)
    return [[[next(rest) for _ in range(members)] for members in households] for households in buildings]


def _tie(session: Session, act: Act, homes: Homes) -> None:
    tied = people.tie_households(session, act, [[person.id for person in household] for building in homes for household in building])
    charges = {building[0][0].id: [person.id for household in building for person in household] for building in homes}
    given = people.give_charges(session, act, charges)
    assert tied is given is None, (tied, given)


def _cast(session: Session, act: Act, number: int, sizes: Sizes, homes: Homes, staff: Sequence[Person]) -> Community:
    households = [household for building in homes for household in building]
    seconds = [household[1] for household in households]
    patrols, shopkeepers = seconds[: sizes.patrol_volunteers], seconds[sizes.patrol_volunteers :][: KEEPERS * sizes.shops]
    owners = shopkeepers[::KEEPERS]
    earners, leaders = [household[0] for household in households], [building[0][0] for building in homes]
    rest = iter(staff)
    administrators, approvers = list(islice(rest, ADMINISTRATORS)), list(islice(rest, APPROVERS))
    grid_workers = list(islice(rest, sizes.grid_workers))
    hosts = list(islice(rest, sizes.grids_comprehensive + sizes.grids_special))
    couriers = list(rest)
    cast = {one.id: Somebody(one.id, one.handle, one.area_code) for one in (*earners, *patrols, *shopkeepers, *staff)}

    def of(persons: Sequence[Person]) -> list[Somebody]:
        return [cast[person.id] for person in persons]

    people.tie(session, act, approvers[0].id, earners[-1].id, "kin")
    return Community(
        book_id=act.book_id,
        book_number=number,
        administrator=cast[administrators[0].id],
        second_administrator=cast[administrators[1].id],
        approvers=of(approvers),
        grid_workers=of(grid_workers),
        hosts=of(hosts),
        couriers=of(couriers),
        leaders=of(leaders),
        volunteers=of(earners),
        patrols=[of(patrols[shift :: sizes.patrol_shifts]) for shift in range(sizes.patrol_shifts)],
        shopkeepers=of(shopkeepers),
        charges={building[0][0].id: of([household[0] for household in building[1:]]) for building in homes},
        kin_of_approver=cast[earners[-1].id],
        residents=sum(len(household) for household in households),
        households=len(households),
        machines=[
            (of(_but(earners, leaders)), ("volunteer",)),
            (of(leaders), ("volunteer", "building_leader")),
            (of([*patrols, *couriers, *_but(shopkeepers, owners)]), ("volunteer",)),
            (of(owners), ("shop_owner",)),
            (of(hosts), ("activity_host",)),
            (of(grid_workers), ("volunteer", "grid_worker")),
            (of(approvers), ("volunteer", "approver", "unattended")),
        ],
        home_of={person.id: home for home, household in enumerate(households) for person in household},
    )


def _but(persons: Sequence[Person], others: Sequence[Person]) -> list[Person]:
    without = {person.id for person in others}
    return [person for person in persons if person.id not in without]


def hand_out_tokens(session: Session, community: Community, at: datetime) -> None:
    """Let an operator make tokens, as `flask ledger people token` does one by one: an administrator makes none in others' names."""
    act = _act(session, community.book_id, at)
    for persons, scopes in community.machines:
        ids = [person.id for person in persons]
        tokens = sign_in.issue_bearer(session, act, ids, lives=TOKENS_LIVE, scopes=scopes, name="故事")
        for person, token in zip(persons, tokens, strict=True):
            person.token = token
