"""Taking an office's roster into the book: whom it means, who is there already, who stands in it twice; all of it or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.areas import Scope
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.people import actions
from ledger.people import queries
from ledger.people.model import Person
from ledger.people.roster import Doubt
from ledger.people.roster import RosterReading
from ledger.people.roster import RosterRow
from ledger.people.roster import grid_key
from ledger.people.rules import GUARDED_BELOW
from ledger.people.rules import NewPerson
from ledger.people.rules import is_below
from ledger.people.rules import normal_name
from ledger.people.rules import personal_fields
from ledger.people.rules import search_values
from ledger.people.vault import Vault

DUPLICATES = ("ask", "skip", "merge", "enrol")
MOVED = ("leave-out", "enrol")
UNKNOWN_GRIDS = ("ask", "community", "leave-out")
CHILDREN = ("ask", "leave-out")
_FOUND_BY = ("name_phone", "phone", "name_address", "volunteer_number")


@dataclass(frozen=True)
class RosterChoices:
    """What whoever imports has decided about the doubtful cells."""

    #: The community (or grid) whose roster this is.
    area_code: str
    #: A person who seems to be there already: `skip` leaves the row out, `merge` takes it for the same person and fills in what that
    #: person lacks, `enrol` takes it for somebody else.
    duplicates: str = "ask"
    #: The same for single cells, for example {"G17": "skip"} or {"Sheet1!G17": "skip"}.
    by_cell: Mapping[str, str] = field(default_factory=dict)
    #: People who have moved away or died, by the note.
    moved: str = "leave-out"
    #: People of a grid that the community does not have: enrolled in the community itself, or left out.
    unknown_grids: str = "ask"
    #: Children for whom a guardian acts: a roster names none, so they are left out and enrolled singly.
    children: str = "ask"

    def check(self) -> None:
        """Raise Invalid where a choice is none."""
        for name, value, known in (
            ("duplicates", self.duplicates, DUPLICATES),
            ("moved", self.moved, MOVED),
            ("unknown_grids", self.unknown_grids, UNKNOWN_GRIDS),
            ("children", self.children, CHILDREN),
            *(("by_cell", choice, DUPLICATES[1:]) for choice in self.by_cell.values()),
        ):
            if value not in known:
                raise Invalid("choice-unknown", name, choice=value, known=", ".join(known))

    def about(self, doubt: Doubt) -> str:
        """Return the choice about a likely duplicate."""
        return self.by_cell.get(f"{doubt.sheet}!{doubt.cell}") or self.by_cell.get(doubt.cell) or self.duplicates


@dataclass(frozen=True)
class RosterReport:
    """What an import does, or would do."""

    rows: int
    enrolled: int
    #: There already, by name and phone (or, without a phone, by name and building).
    known: int
    merged: int
    left_out: int
    leaders: int
    households: int
    doubts: tuple[Doubt, ...]
    #: Whether it was written; never where a doubt still asks.
    is_written: bool

    @property
    def asks(self) -> tuple[Doubt, ...]:
        """Return the doubts that want a choice first."""
        return tuple(doubt for doubt in self.doubts if doubt.asks)


@dataclass
class _Planned:
    """A person of the roster: who they are to be, or are."""

    row: RosterRow
    area_code: str
    person_id: UUID | None = None
    merged: list[RosterRow] = field(default_factory=list)

    def new(self) -> NewPerson:
        row = self.row
        for other in self.merged:
            blanks = {name: getattr(other, name) for name in _MERGED if not getattr(row, name)}
            row = replace(row, **blanks, is_leader=row.is_leader or other.is_leader)
        roles = ("volunteer", "building_leader") if row.is_leader else ("volunteer",)
        return NewPerson(
            row.name, self.area_code, phone=row.phone, is_resident=row.is_resident, birth_month=row.birth_month, gender=row.gender,
            address=row.building, note=row.note, volunteer_number=row.volunteer_number, roles=roles,
        )  # fmt: skip


_MERGED = ("phone", "gender", "birth_month", "building", "volunteer_number", "note")


def import_roster(
    session: Session, act: Act, vault: Vault, reading: RosterReading, *, choices: RosterChoices, dry_run: bool = True,
    within: Scope = areas.EVERYWHERE,
) -> RosterReport:  # fmt: skip
    """Import a roster as `choices` say; a dry run, and one in which a doubt still asks, writes nothing. Twice is once."""
    choices.check()
    root = areas.area(session, act.book_id, choices.area_code, within)
    tree = areas.subtree(session, act.book_id, root.path)
    today = local_day(act.at, areas.book(session, act.book_id).zone)
    plan = _Plan(choices, root, tree, _Known(session, act, vault, reading.rows, {area.code for area in tree}))
    for row in reading.rows:
        plan.add(row)
    plan.leave_out_children(today)
    doubts = [*reading.doubts, *plan.doubts, *_age_doubts(reading.rows, today)]
    report = RosterReport(
        rows=len(reading.rows),
        enrolled=sum(1 for planned in plan.people if not planned.person_id),
        known=sum(1 for planned in plan.people if planned.person_id),
        merged=sum(len(planned.merged) for planned in plan.people),
        left_out=plan.left_out,
        leaders=sum(1 for planned in plan.people if planned.row.is_leader),
        households=len(plan.households()),
        doubts=tuple(sorted(doubts, key=lambda doubt: not doubt.asks)),
        is_written=not dry_run and not any(doubt.asks for doubt in doubts),
    )
    if report.is_written:
        _write(session, act, vault, plan, today, fill="merge" in (choices.duplicates, *choices.by_cell.values()))
    return report


def duplicates_in(reading: RosterReading) -> tuple[Doubt, ...]:
    """Return the likely duplicates within a roster alone, before it meets any book."""
    plan = _Plan(RosterChoices("", moved="enrol", unknown_grids="community"), None, [], None)
    for row in reading.rows:
        plan.add(row)
    return tuple(doubt for doubt in plan.doubts if doubt.code != "grid-unknown")


class _Known:
    """Who of the roster's people the book may have already."""

    def __init__(self, session: Session, act: Act, vault: Vault, rows: Iterable[RosterRow], codes: set[str]) -> None:
        values: dict[str, set[str]] = {name: set() for name in _FOUND_BY}
        for row in rows:
            for name, value in _search(row).items():
                values[name].add(value)
        self.found = {name: queries.found_by(session, vault, act.book_id, name, values[name]) for name in _FOUND_BY}
        ids = {person_id for found in self.found.values() for ids in found.values() for person_id in ids}
        self.people: dict[UUID, Person] = queries.persons(session, act.book_id, ids)
        self.codes = codes

    def by(self, name: str, row: RosterRow) -> list[UUID]:
        """Return who has the row's value; by building only within the roster's own community, where a building has one meaning."""
        ids = sorted(self.found[name].get(_search(row).get(name, ""), ()))
        return [one for one in ids if name != "name_address" or self.people[one].area_code in self.codes]


def _search(row: RosterRow) -> dict[str, str]:
    fields = {"name": row.name, "phone": row.phone, "address": row.building, "volunteer_number": row.volunteer_number}
    return search_values({name: text for name, text in fields.items() if text})


class _Plan:
    """Goes through the rows and settles for each: somebody new, somebody known, somebody twice, or left out."""

    def __init__(self, choices: RosterChoices, root: areas.Area | None, tree: Iterable[areas.Area], known: _Known | None) -> None:
        self.choices = choices
        self.root_name = root.name if root else ""
        self.grids = {grid_key(area.name): area.code for area in tree if area.level in areas.LEVELS[5:]}
        self.known = known
        self.people: list[_Planned] = []
        self.doubts: list[Doubt] = []
        self.left_out = 0
        self.taken: dict[UUID, _Planned] = {}
        self.seen: dict[tuple[str, ...], _Planned] = {}
        self.named: dict[str, list[_Planned]] = defaultdict(list)

    def add(self, row: RosterRow) -> None:
        """Settle one row."""
        area_code = self._area_of(row)
        if (row.has_left and self.choices.moved == "leave-out") or area_code is None:
            self.left_out += 1
            return
        planned = _Planned(row, area_code)
        twice = self.seen.get(("name_phone", row.name, row.phone)) if row.phone else None
        if not twice and (exact := self._exact(planned)):
            planned.person_id = exact
            self._keep(planned)
        elif found := self._duplicate_of(row):
            self._settle(planned, *found)
        else:
            self._keep(planned)

    def leave_out_children(self, today: date) -> None:
        """Ask about those of the new people who want a guardian, or leave them out."""
        choice, kept = self.choices.children, []
        for planned in self.people:
            told = next((row for row in (planned.row, *planned.merged) if row.birth_month), planned.row)
            is_child = planned.person_id is None and is_below(told.birth_month, GUARDED_BELOW, today)
            if is_child:
                self.doubts.append(told.doubt("birth_month", "guardian-needed", asks=choice == "ask", choice=choice))
            if not is_child or choice == "ask":
                kept.append(planned)
        self.left_out += len(self.people) - len(kept)
        self.people = kept

    def households(self) -> list[list[_Planned]]:
        """Return the people of each household that the roster numbers."""
        found: dict[str, list[_Planned]] = defaultdict(list)
        for planned in self.people:
            for number in {row.household for row in (planned.row, *planned.merged) if row.household}:
                found[number].append(planned)
        return [members for members in found.values() if len(members) > 1]

    def _area_of(self, row: RosterRow) -> str | None:
        if not row.grid:
            return self.choices.area_code
        if code := self.grids.get(grid_key(row.grid)):
            return code
        choice = self.choices.unknown_grids
        self.doubts.append(row.doubt("grid", "grid-unknown", asks=choice == "ask", grid=row.grid, area=self.root_name, choice=choice))
        return None if choice == "leave-out" else self.choices.area_code

    def _exact(self, planned: _Planned) -> UUID | None:
        row = planned.row
        if self.known is None:
            return None
        ids = self.known.by("name_phone" if row.phone else "name_address", row)
        here = [one for one in ids if row.phone or self.known.people[one].area_code == planned.area_code]
        return next((one for one in here if one not in self.taken), None)

    def _duplicate_of(self, row: RosterRow) -> tuple[Doubt, _Planned | UUID] | None:
        return self._twice(row) or self._enrolled(row) or self._namesake(row)

    def _twice(self, row: RosterRow) -> tuple[Doubt, _Planned] | None:
        for key in self._keys(row):
            if earlier := self.seen.get(key):
                of = "phone" if "phone" in key[0] else "name"
                code = {"name_phone": "person-twice", "phone": "phone-twice", "name_building": "name-and-building-twice"}[key[0]]
                return row.doubt(of, code, cell=earlier.row.cells[of], name=earlier.row.name), earlier
        return None

    def _namesake(self, row: RosterRow) -> tuple[Doubt, _Planned] | None:
        for earlier in self.named[row.name]:
            if not _told_apart(row, earlier.row):
                return row.doubt("name", "same-name", cell=earlier.row.cells["name"]), earlier
        if self.named[row.name]:
            self.doubts.append(row.doubt("name", "namesake", cell=self.named[row.name][0].row.cells["name"]))
        return None

    def _enrolled(self, row: RosterRow) -> tuple[Doubt, UUID] | None:
        if self.known is None:
            return None
        for name, of, code in (
            ("phone", "phone", "phone-enrolled"),
            ("name_address", "name", "name-and-building-enrolled"),
            ("volunteer_number", "volunteer_number", "number-enrolled"),
        ):
            if (ids := self.known.by(name, row)) and (name != "name_address" or row.building):
                return row.doubt(of, code, handle=self.known.people[ids[0]].handle), ids[0]
        return None

    def _settle(self, planned: _Planned, doubt: Doubt, other: _Planned | UUID) -> None:
        choice = self.choices.about(doubt)
        self.doubts.append(replace(doubt, asks=choice == "ask", data={**doubt.data, "choice": choice}))
        if choice == "enrol" and doubt.code != "person-twice":
            self._keep(planned)
        elif choice == "merge" and (same := self.taken.get(other) if isinstance(other, UUID) else other):
            same.merged.append(planned.row)
        elif choice == "merge" and isinstance(other, UUID):
            planned.person_id = other
            self._keep(planned)
        elif choice != "ask":
            self.left_out += 1

    def _keep(self, planned: _Planned) -> None:
        if planned.person_id:
            self.taken[planned.person_id] = planned
        self.people.append(planned)
        self.named[planned.row.name].append(planned)
        for key in self._keys(planned.row):
            self.seen.setdefault(key, planned)

    def _keys(self, row: RosterRow) -> list[tuple[str, ...]]:
        keys: list[tuple[str, ...]] = [("name_phone", row.name, row.phone), ("phone", row.phone)] if row.phone else []
        return [*keys, ("name_building", row.name, normal_name(row.building))] if row.building else keys


def _told_apart(one: RosterRow, other: RosterRow) -> bool:
    # Somebody may have two phones, or have moved house; but not two months of birth.
    pairs = ((getattr(one, name), getattr(other, name)) for name in ("birth_month", "gender", "volunteer_number"))
    return any(mine and theirs and mine != theirs for mine, theirs in pairs)


def _write(session: Session, act: Act, vault: Vault, plan: _Plan, today: date, *, fill: bool) -> None:
    news = [planned for planned in plan.people if planned.person_id is None]
    known = [planned for planned in plan.people if planned.person_id is not None]
    for planned, outcome in zip(news, actions.enrol_many(session, act, vault, [planned.new() for planned in news]), strict=True):
        assert isinstance(outcome, Person), "the plan keeps whoever is there already apart"
        planned.person_id = outcome.id
    if fill:
        actions.add_fields(session, vault, act.book_id, {_id(planned): personal_fields(planned.new()) for planned in known})
        births = queries.fields_of(session, vault, act.book_id, [_id(planned) for planned in known], ["birth_month"])
        actions.guard_children(session, act.book_id, {one: opened.get("birth_month") for one, opened in births.items()}, today)
    _promote(session, act, [planned for planned in known if planned.row.is_leader], today)
    households = [sorted({_id(planned) for planned in members}) for members in plan.households()]
    if refused := actions.tie_households(session, act, households):
        raise Invalid(refused.code, refused.field, **refused.data)


def _promote(session: Session, act: Act, leaders: list[_Planned], today: date) -> None:
    holding = queries.holding(session, act.book_id, {"building_leader"}, [_id(planned) for planned in leaders], today)
    grants = [
        actions.NewGrant(_id(planned), "building_leader", planned.area_code, today) for planned in leaders if _id(planned) not in holding
    ]
    actions.grant_roles(session, act, grants)


def _id(planned: _Planned) -> UUID:
    assert planned.person_id is not None, "written by now"
    return planned.person_id


def _age_doubts(rows: Iterable[RosterRow], today: date) -> Iterable[Doubt]:
    for row in rows:
        if not row.birth_month:
            continue
        year, month = map(int, row.birth_month.split("-"))
        years = today.year - year - (today.month < month)
        if years < 0 or years > 110:
            yield row.doubt("birth_month", "birth-implausible")
        elif years < 18:
            yield row.doubt("birth_month", "minor", years=str(years))
