"""How large the community is, and what happens in its month."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The figures of a story; those of `FULL` are borrowed from places in the field notes."""

    residents: int
    grids_comprehensive: int
    grids_special: int
    grid_workers: int
    building_leaders: int
    patrol_volunteers: int
    patrol_shifts: int
    activities: int
    units: int
    shops: int
    #: Deeds that volunteers report themselves, on an evening.
    reports_a_day: int
    #: Redemptions tried on an afternoon, once there is something to spend.
    redemptions_a_day: int
    #: Shops with a paired device at their first till.
    devices: int
    #: Volunteers who come in by a link each day, to stay signed in on their phones; and how many of those report a deed on an evening.
    phones_a_day: int
    phones_reporting: int
    #: What the fund has at first: it runs out before the month ends.
    budget: int


FULL = Sizes(
    residents=10_537, grids_comprehensive=9, grids_special=4, grid_workers=39, building_leaders=253, patrol_volunteers=208,
    patrol_shifts=8, activities=505, units=46, shops=20, reports_a_day=25, redemptions_a_day=75,
    devices=6, phones_a_day=4, phones_reporting=5, budget=150_000,
)  # fmt: skip
SMALL = Sizes(
    residents=1_053, grids_comprehensive=9, grids_special=4, grid_workers=13, building_leaders=25, patrol_volunteers=32,
    patrol_shifts=4, activities=90, units=12, shops=5, reports_a_day=8, redemptions_a_day=20,
    devices=2, phones_a_day=1, phones_reporting=2, budget=22_000,
)  # fmt: skip
