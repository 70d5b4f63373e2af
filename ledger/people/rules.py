"""Which roles there are, what a person's data must look like, and how names, phones and handles are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import timedelta
from itertools import islice
from typing import TypeVar
from uuid import UUID

from ledger.errors import Invalid

ROLES = (
    "volunteer",
    "building_leader",
    "grid_worker",
    "activity_host",
    "approver",
    "cashier",
    "shop_owner",
    "administrator",
    #: The community police, who confirm patrols.
    "co_confirmer",
    "street_auditor",
    "county_viewer",
    "finance",
    #: Residents who look over the office's shoulder: they read the audit log and change nothing.
    "resident_supervisor",
    #: Acts for a unit of the resource library that is no shop.
    "unit_representative",
)

#: Whoever holds one of these works for the community: their own deeds want two approvers.
STAFF_ROLES = frozenset({"grid_worker", "approver", "administrator", "street_auditor", "finance"})
#: Whoever holds one of these bears witness or decides: a tie to somebody would take them out of the way.
DECIDING_ROLES = STAFF_ROLES | {"building_leader", "activity_host", "co_confirmer"}
#: Roles that are only held after a strong way in, and only once a second administrator, or the operator, has confirmed them.
STRONG_ROLES = frozenset(
    {
        "grid_worker",
        "approver",
        "administrator",
        "co_confirmer",
        "street_auditor",
        "county_viewer",
        "finance",
        "resident_supervisor",
        "shop_owner",
        "unit_representative",
    }
)
#: Whoever holds any other role works for the community or a shop: only administrators change what is kept of them.
PLAIN_ROLES = frozenset({"volunteer", "building_leader", "activity_host"})
#: Held in a unit of the resource library, not in an area: `redeem.merchants` gives them.
SHOP_ROLES = frozenset({"cashier", "shop_owner", "unit_representative"})
#: "same": two records of one human, for example a staff account and a volunteer's; the database treats all three alike.
TIE_KINDS = ("household", "kin", "same")
MANDATE_KINDS = ("helper", "guardian")
#: Why staff open somebody's data; codes, because the log is kept for ever and nobody's words may be.
OPENING_REASONS = ("counter-service", "claim-check", "objection", "correction", "duplicate-check", "safety", "audit")
#: Whoever has opened somebody's data sees them for so long; after that there is another opening to write down.
OPEN_FOR = timedelta(minutes=15)
#: Below this age a guardian acts; below the second nobody is named on a public board.
GUARDED_BELOW, UNNAMED_BELOW = 14, 18
#: A mandate is given for a year at most; a guardian's until the child needs none any more.
MANDATE_LASTS_MAX = timedelta(days=366)
#: A helper spends no more than this a day; whoever stands in for a stolen phone does not empty a passbook at once.
MANDATE_POINTS_MAX = 200

#: A building leader looks after 10 to 14 households; this many persons are more than live in them.
CHARGES_MAX = 100

NAME_LENGTH_MAX = 50
TEXT_LENGTH_MAX = 500

T = TypeVar("T")

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0[0-9]{9,11}|[2-8][0-9]{6,7}")
_BIRTH_MONTH = re.compile(r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


def normal_name(text: str) -> str:
    """Return a name as it is compared and kept: no padding between Chinese characters, half-width letters, single spaces."""
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    return plain.replace(" ", "") if _HAN.search(plain) else plain


def masked_name(name: str, *, keeps_surname: bool = True) -> str:
    """Return a name as everybody may read it: the surname and stars, or stars alone."""
    return (name[:1] + "*" * max(1, len(name) - 1)) if keeps_surname and name else "**"


def normal_phone(text: str) -> str | None:
    """Return a phone number as bare digits, however it was typed, or None where it cannot be one."""
    digits = re.sub(r"[\s()./_\u2010-\u2015\u2212-]", "", unicodedata.normalize("NFKC", text))
    digits = re.sub(r"^(\+86|0086|86(?=1[3-9][0-9]{9}$))", "", digits)
    return digits if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits) else None


@dataclass(frozen=True)
class NewPerson:
    """Somebody to enrol; every text of it goes into the vault and nowhere else."""

    name: str
    #: Where the person lives, or, for a courier, earns.
    area_code: str
    phone: str | None = None
    #: False for somebody who earns here and lives elsewhere, for example a courier.
    is_resident: bool = True
    #: "1982-10".
    birth_month: str | None = None
    gender: str | None = None
    address: str | None = None
    note: str | None = None
    #: The number a former register gave.
    volunteer_number: str | None = None
    #: Granted in the person's own area from the day of enrolment.
    roles: tuple[str, ...] = ("volunteer",)
    #: Who acts for a child: an adult who is enrolled already.
    guardian_id: UUID | None = None


#: What people change themselves; the rest is put right by staff, who see a document.
OWN_FIELDS = ("phone", "address")
#: What of a person is sealed, in the order in which it is shown.
PERSONAL_FIELDS = ("name", "phone", "gender", "birth_month", "address", "volunteer_number", "note")


def personal_fields(new: NewPerson) -> dict[str, str]:
    """Return what of `new` is sealed, normalised; raise Invalid naming the field that cannot be."""
    if unknown := set(new.roles) - set(ROLES):
        raise Invalid("role-unknown", "roles", role=min(unknown))
    checked = {field: checked_field(field, getattr(new, field)) for field in PERSONAL_FIELDS}
    return {field: text for field, text in checked.items() if text}


def checked_field(field: str, text: str | None) -> str:
    """Return one personal field, normalised, or nothing where nothing is told; raise Invalid where it cannot be kept."""
    if field == "name":
        if not 1 <= len(name := normal_name(text or "")) <= NAME_LENGTH_MAX or not name.isprintable():
            raise Invalid("name-malformed", field)
        return name
    if not (plain := (text or "").strip()):
        return ""
    if field == "phone":
        if (phone := normal_phone(plain)) is None:
            raise Invalid("phone-malformed", field)
        return phone
    if field == "birth_month" and not _BIRTH_MONTH.fullmatch(plain):
        raise Invalid("birth-month-malformed", field)
    return checked_text(plain, field)


def last_day_below(birth_month: str, years: int) -> date:
    """Return the last day on which somebody born in that month counts as younger than so many years: the last of the month."""
    year, month = (int(part) for part in birth_month.split("-"))
    return date(year + years + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def is_below(birth_month: str | None, years: int, today: date) -> bool:
    """Tell whether somebody counts as younger than so many years; whose month of birth is not known counts as grown up."""
    return today <= last_day_below(birth_month, years) if birth_month else False


def was_field(correction_id: object) -> str:
    """Return under which name lies what stood in a field before it was corrected."""
    return f"was:{correction_id}"


def kin_field(other_id: object) -> str:
    """Return under which name lies what somebody is to the person with that id, for example a daughter."""
    return f"kin:{other_id}"


def checked_text(text: str, field: str) -> str:
    """Return `text` where it may be kept as a personal field; raise Invalid where it is too long or holds control characters."""
    if len(text) > TEXT_LENGTH_MAX or "\0" in text or not _is_encodable(text):
        raise Invalid("text-malformed", field, length_max=TEXT_LENGTH_MAX)
    return text


def _is_encodable(text: str) -> bool:
    # A lone surrogate can stand in JSON and in no database.
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def search_values(fields: dict[str, str]) -> dict[str, str]:
    """Return the values by which a person with these fields can be found: phone, name with phone, name with address, old number."""
    name = fields["name"]
    found: dict[str, str] = {}
    if phone := fields.get("phone"):
        found |= {"phone": phone, "name_phone": f"{name}|{phone}"}
    found["name_address"] = f"{name}|{normal_name(fields.get('address', ''))}"
    if number := fields.get("volunteer_number"):
        found["volunteer_number"] = normal_name(number)
    return found


# Damm's check digit (https://archiv.ub.uni-marburg.de/diss/z2004/0516/): finds every single wrong digit and every swap of neighbours.
_DAMM = (
    *("0317598642", "7092154863", "4206871359", "1750983426", "6123045978"),
    *("3674209581", "5869720134", "8945362017", "9438617205", "2581436790"),
)
HANDLE_LENGTH = 8
CARD_NUMBER_LENGTH = 12


def handle_of(number: int) -> str:
    """Return the handle with the 7 digits `number`: those and a check digit."""
    digits = f"{number:07}"
    return digits + _damm(digits)


def is_handle(text: str) -> bool:
    """Tell whether `text` has the form of a handle, check digit and all."""
    return len(text) == HANDLE_LENGTH and text.isascii() and text.isdigit() and _damm(text) == "0"


def card_number_of(number: int) -> str:
    """Return the card number with the 11 digits `number`: those and a check digit."""
    digits = f"{number:011}"
    return digits + _damm(digits)


def is_card_number(text: str) -> bool:
    """Tell whether `text` has the form of a card number, check digit and all."""
    return len(text) == CARD_NUMBER_LENGTH and text.isascii() and text.isdigit() and _damm(text) == "0"


def _damm(digits: str) -> str:
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return str(interim)


def pairs_of(household: Sequence[T]) -> list[tuple[T, T]]:
    """Return every ordered pair of two different members."""
    return [(one, other) for one in household for other in household if one != other]


def in_sets(values: Iterable[T], size: int = 5000) -> Iterator[list[T]]:
    """Yield `values` in sets of at most `size`: what one statement can carry as parameters."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk


def groups_of(members: Iterable[T], pairs: Iterable[tuple[T, T]]) -> list[list[T]]:
    """Return `members` in groups, each of those that the pairs connect; in the order of `members`."""
    neighbours: dict[T, set[T]] = {member: set() for member in members}
    for one, other in pairs:
        if one in neighbours and other in neighbours:
            neighbours[one].add(other)
            neighbours[other].add(one)
    groups: list[list[T]] = []
    seen: set[T] = set()
    for member in neighbours:
        group: list[T] = []
        waiting = [member]
        while waiting:
            if (next_member := waiting.pop()) not in seen:
                seen.add(next_member)
                group.append(next_member)
                waiting.extend(neighbours[next_member])
        if group:
            groups.append(group)
    return groups
