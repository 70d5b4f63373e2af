"""Taking in the deeds of an office's sheet: all of them or none, each cell that cannot be taken named, no file twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import people
from ledger import tariff
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.claims import actions
from ledger.claims import queries
from ledger.claims.filing import Filing
from ledger.claims.filing import NewDeed
from ledger.claims.filing import Row
from ledger.claims.filing import check
from ledger.claims.filing import judge
from ledger.claims.filing import write
from ledger.claims.queries import Reach
from ledger.claims.workbook import DeedFault
from ledger.claims.workbook import DeedRow
from ledger.claims.workbook import DeedsReading
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.people import Vault

#: Told how many of how many claims are written.
Progress = Callable[[int, int], None]
#: Which column a problem of a deed is about, where that has another name.
_COLUMN_OF = {"deed_on": "day", "starts_at": "day", "person_id": "handle"}


@dataclass(frozen=True)
class DeedsReport:
    """What an import does, or would do."""

    rows: int
    claims: int
    #: What the claims come to, once approved.
    points: int
    faults: tuple[DeedFault, ...]
    #: Whether it was written; never where a cell cannot be taken.
    is_written: bool


def import_claims(
    session: Session, act: Act, vault: Vault, reach: Reach, reading: DeedsReading, *, dry_run: bool = True, progress: Progress | None = None
) -> DeedsReport | Refusal:  # fmt: skip
    """Propose the deeds of a sheet, in the name of whoever acts, for people within reach; refused where the file was taken before.

    A dry run, and one in which a cell cannot be taken, writes nothing.
    """
    # What a dry run claims and locks goes with it.
    trial = session.begin_nested()
    request = _claimed(session, act, reading.sha256)
    if isinstance(request, Refusal):
        trial.rollback()
        return request
    filed, faults = _judged(session, act, vault, reach, reading.rows)
    faults = sorted([*reading.faults, *faults], key=lambda fault: (fault.sheet, int("".join(filter(str.isdigit, fault.cell)))))
    is_written = not dry_run and not faults
    report = DeedsReport(reading.count, len(filed), sum(row["points"] for _, row in filed), tuple(faults), is_written)
    if not is_written:
        trial.rollback()
        return report
    written = 0
    for chunk in people.in_sets(filed):
        write(session, act, vault, chunk)
        written += len(chunk)
        if progress:
            progress(written, len(filed))
    body = {"claims": len(filed), "at": act.at.isoformat()}
    journal.answer(session, act.book_id, [(request, 200, body)])
    trial.commit()
    return report


def _claimed(session: Session, act: Act, sha256: bytes) -> UUID | Refusal:
    # One request for the file, whoever brings it: the same file is taken once.
    (claimed,) = journal.claim(session, act.book_id, [journal.Ask(OPERATOR, f"claims-import:{sha256.hex()}", sha256, act.at)])
    if isinstance(claimed, journal.Answered):
        return Refusal("sheet-taken-already", "file", claimed.body | {"at": datetime.fromisoformat(claimed.body["at"])})
    return claimed.request_id


def _judged(
    session: Session, act: Act, vault: Vault, reach: Reach, rows: Iterable[DeedRow]
) -> tuple[list[tuple[Filing, Row]], list[DeedFault]]:  # fmt: skip
    known = _Known(session, act, vault, reach, rows)
    told = [(row, outcome) for row in rows for outcome in [known.filing(row)]]
    faults = [fault for _, outcome in told if not isinstance(outcome, Filing) for fault in outcome]
    sound = [(row, outcome) for row, outcome in told if isinstance(outcome, Filing)]
    against = actions.against_proposing(session, act, [filing.deed for _, filing in sound])
    faults += [row.fault("handle", code) for (row, _), code in zip(sound, against, strict=True) if code]
    asked = [pair for pair, code in zip(sound, against, strict=True) if code is None]
    filed = []
    for (row, filing), outcome in zip(asked, judge(session, act, vault, [filing for _, filing in asked]) if asked else [], strict=True):
        if isinstance(outcome, Refusal):
            of = outcome.field or "handle"
            faults.append(row.fault(_COLUMN_OF.get(of, of), outcome.code, **outcome.data))
        else:
            filed.append((filing, outcome))
    return filed, faults


class _Known:
    """What the rows of a sheet are held against, read once for all of them: passbooks, names, the tariff."""

    def __init__(self, session: Session, act: Act, vault: Vault, reach: Reach, rows: Iterable[DeedRow]) -> None:
        self.act, self.zone = act, areas.book(session, act.book_id).zone
        found = people.by_handles(session, act.book_id, {row.handle for row in rows})
        paths = areas.paths_of(session, act.book_id, {person.area_code for person in found.values()})
        self.persons = {
            handle: person.id
            for handle, person in found.items()
            if person.id in reach.charges or areas.in_scope(paths[person.area_code], reach.scope)
        }
        named = {self.persons[row.handle] for row in rows if row.name and row.handle in self.persons}
        self.names = people.names_of(session, vault, act.book_id, named)
        self.rates: Mapping[str, list[tariff.Rate]] = defaultdict(list)
        for rate in tariff.rates(session, act.book_id):
            for word in {_word(rate.deed), _word(rate.name_zh), _word(rate.name_en)}:
                self.rates[word].append(rate)
        self.seen: dict[queries.Told, DeedRow] = {}

    def filing(self, row: DeedRow) -> Filing | list[DeedFault]:
        """Return the deed of a row as it is to be claimed, or every cell of it that cannot be taken."""
        faults = []
        person_id = self.persons.get(row.handle)
        if person_id is None:
            faults.append(row.fault("handle", "sheet-handle-unknown"))
        elif row.name and row.name != self.names[person_id]:
            faults.append(row.fault("name", "sheet-name-differs"))
        rate = next((rate for rate in self.rates[_word(row.deed)] if _is_in_force(rate, row.day)), None)
        if rate is None:
            faults.append(row.fault("deed", "deed-not-in-tariff", deed=row.deed, on=row.day.isoformat()))
        if person_id is None or rate is None or faults:
            return faults
        deed = NewDeed(rate.deed, row.day, row.place, row.minutes, text=row.text, person_id=person_id)
        filing = Filing(deed, "import", "attested")
        try:
            check(filing, self.zone, self.act.at)
        except Invalid as problem:
            of = problem.field or "handle"
            return [row.fault(_COLUMN_OF.get(of, of), problem.code, **problem.data)]
        if first := self.seen.get(deed.told):
            return [row.fault("handle", "sheet-row-twice", cell=first.cell("handle"))]
        self.seen[deed.told] = row
        return filing


def _word(text: str) -> str:
    return "".join(text.lower().split()).replace("_", "")


def _is_in_force(rate: tariff.Rate, day: date) -> bool:
    return rate.valid_from <= day and (rate.valid_to is None or day <= rate.valid_to)
