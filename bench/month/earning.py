"""Mornings and evenings: activities, patrols in shifts, deeds reported, proposed, attested, approved, credited."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from bench.month.community import Somebody
from bench.month.month import DAYS
from bench.month.month import Month
from bench.month.month import day_of
from bench.month.opening import RESCUE
from bench.month.themselves import approve_on_page
from bench.month.themselves import attest_on_page
from bench.month.themselves import report_on_page

#: What is held on mornings: deed, title, place. The tea house is always among them.
MORNINGS = (
    ("sit_as_a_mediator_at_the_tea_house", "茶馆值守", "茶馆调解室"),
    ("sweep_or_clear_a_shared_space", "楼道清洁", "楼道"),
    ("half_day_clean_up_of_a_lane_or_river_bank", "河岸清理", "金川河边"),
    ("perform_or_help_at_a_cultural_event", "金秋文艺演出", "文化广场"),
    ("attend_a_class_or_lecture", "智能手机课堂", "党群服务中心"),
    ("serve_at_a_community_event", "便民服务日", "小区广场"),
)
PATROL = ("evening_patrol", "夜间巡逻", "各楼栋")
#: Deeds that people report or propose, and for how many minutes where they are paid by the hour.
DEEDS = (
    ("help_settle_a_dispute_between_neighbours", None),
    ("help_a_household_in_difficulty", None),
    ("accompany_a_neighbour_to_the_clinic", 90),
    ("bring_meals_to_a_household_in_difficulty", None),
    ("give_a_class_or_lecture", 60),
    ("anti_fraud_talk_to_neighbours", None),
    ("sweep_or_clear_a_shared_space", 45),
)
#: Claims decided by one request.
AT_ONCE = 100
#: An activity: its host, its id, and who comes.
Held = tuple[Somebody, str, list[Somebody]]


def hold_mornings(month: Month, day: int) -> None:
    """Hold the day's activities: plan them at dawn, check people in by the venue's code or by the host, and out again."""
    rest = month.sizes.activities - DAYS
    count = rest * (day + 1) // DAYS - rest * day // DAYS
    crowd = iter(
        one for one in month.some(month.community.volunteers, min(14 * count, len(month.community.volunteers))) if not month.is_elder(one)
    )
    month.at(day, 8)
    planned = []
    for number in range(count):
        host = month.community.hosts[(day + number) % len(month.community.hosts)]
        persons = [person for person, _ in zip(crowd, range(2 if number % 6 == 0 else 6 + (day + number) % 9), strict=False)]
        # Elders who pay by card, and whom the helper pays for, earn something every day.
        persons += [elder.who for elder in month.elders] if number == 1 else []
        planned.append(partial(_plan, month, day, host, MORNINGS[number % len(MORNINGS)], 9, 2, persons))
    held = month.client.together(planned)
    month.at(day, 8, 50)
    _check(month, "in", held)
    month.at(day, 11)
    _check(month, "out", held)


def _check(month: Month, way: str, held: Sequence[Held]) -> None:
    """Check everybody in or out: of every fifth activity by the code that is shown at its venue, of the others by the host."""
    checks = [_by_venue_code if number % 5 == 0 else _by_host for number in range(len(held))]
    month.client.together([partial(check, month, way, *one) for check, one in zip(checks, held, strict=True)])


def patrol(month: Month, day: int) -> None:
    """Let one shift patrol the evening; its host checks it in and out."""
    shift = month.community.patrols[day % len(month.community.patrols)]
    month.at(day, 18, 30)
    held = month.client.together([partial(_plan, month, day, month.community.hosts[0], PATROL, 19, 2, shift)])
    month.at(day, 18, 55)
    month.client.together([partial(_by_host, month, "in", *one) for one in held])
    month.at(day, 21)
    month.client.together([partial(_by_host, month, "out", *one) for one in held])


def _plan(
    month: Month, day: int, host: Somebody, what: tuple[str, str, str], hour: int, hours: int, persons: list[Somebody]
) -> Held:  # fmt: skip
    deed, title, place = what
    begins = month.moment(day, hour)
    activity = month.client.post(
        host.token, "/activities", area_code=host.area_code, deed=deed, title=title, place=place, capacity=40,
        starts_at=begins.isoformat(), ends_at=(begins + timedelta(hours=hours)).isoformat(),
    )  # fmt: skip
    for person in persons[: hour % 2]:
        month.client.post(person.token, "/activities/{}/sign-up", activity["id"])
    month.seen |= {person.id: person for person in persons}
    return host, activity["id"], persons


def _by_host(month: Month, way: str, host: Somebody, activity_id: str, persons: Sequence[Somebody]) -> None:
    ids = [str(person.id) for person in persons]
    month.judged(month.client.post(host.token, f"/activities/{{}}/check-{way}s", activity_id, person_ids=ids)["items"])


def _by_venue_code(month: Month, way: str, host: Somebody, activity_id: str, persons: Sequence[Somebody]) -> None:
    shown = month.client.get(host.token, "/activities/{}/venue-code", activity_id)
    for number, person in enumerate(persons):
        typed = {"activity_id": activity_id, "digits": shown["digits"]}
        month.client.post(person.token, f"/check-{way}", body=typed if number % 3 == 0 else {"code": shown["address"]})


def report(month: Month, day: int) -> None:
    """Let volunteers report what they did today, and their building leaders attest it."""
    leaders = month.some(month.community.leaders, min(month.sizes.reports_a_day, len(month.community.leaders)))
    tellers = [month.random.choice(month.community.charges[leader.id]) for leader in leaders]
    charged = [one for leader in leaders for one in month.community.charges[leader.id]]
    with_phone = [one for one in charged if one.id in month.phones and one not in tellers]
    tellers += month.some(with_phone, min(month.sizes.phones_reporting, len(with_phone)))
    month.at(day, 21, 30)
    month.client.together([partial(_report, month, teller, day, number) for number, teller in enumerate(tellers)])
    month.at(day, 22)
    month.client.together([partial(_attest, month, leader) for leader in leaders])


def _report(month: Month, teller: Somebody, day: int, number: int) -> str:
    deed, minutes = DEEDS[number % len(DEEDS)]
    text = None if "dispute" in deed else "帮邻居做了一件事"
    if phone := month.phones.get(teller.id):
        return report_on_page(month, phone, deed, day, minutes, text)
    claim_id: str = tell(month, teller, deed, day, minutes=minutes, text=text)["id"]
    return claim_id


def tell(month: Month, teller: Somebody, deed: str, day: int, *, expects: str = "", **more: Any) -> Any:
    """Report one's own deed."""
    told = {"deed": deed, "deed_on": day_of(day), "place": "本小区", **{name: value for name, value in more.items() if value is not None}}
    return month.client.post(teller.token, "/claims", body=told, expects=expects)


def _attest(month: Month, leader: Somebody) -> None:
    ids = [claim["id"] for claim in month.client.pages(leader.token, "/claims/queue", "state=reported")]
    if ids:
        month.judged(month.client.post(leader.token, "/claims/attest", ids=ids)["items"])


def propose(month: Month, day: int) -> None:
    """Let a tenth of the building leaders and some grid workers propose what others did."""
    month.at(day, 21, 10)
    leaders = month.community.leaders[day % 10 :: 10]
    month.client.together([partial(_propose, month, leader, month.community.charges[leader.id][:5], day, "本楼") for leader in leaders])
    tasks = []
    for worker in month.community.grid_workers[day::DAYS]:
        near = [person for person in month.community.volunteers if person.area_code == worker.area_code]
        tasks.append(partial(_propose, month, worker, near[-15:], day, "本网格"))
    month.client.together(tasks)


def _propose(month: Month, proposer: Somebody, persons: Sequence[Somebody], day: int, place: str) -> None:
    deeds = []
    for number, person in enumerate(persons):
        deed, minutes = DEEDS[(day + number) % len(DEEDS)]
        told = {"person_id": str(person.id), "deed": deed, "deed_on": day_of(day), "place": place}
        deeds.append(told | ({"minutes": minutes} if minutes else {}))
    month.judged(month.client.post(proposer.token, "/claims/proposals", deeds=deeds)["items"])


def rescue(month: Month, day: int) -> None:
    """Let somebody report a deed so large that it stands on notice; a grid worker attests it."""
    month.at(day, 17, 30)
    hero = month.community.volunteers[day * 7 % len(month.community.volunteers)]
    claim_id = tell(month, hero, RESCUE, day, text="把落水的人救上了岸")["id"]
    month.noticed.append(claim_id)
    attest_on_page(month, next(worker for worker in month.community.grid_workers if worker.area_code == hero.area_code), claim_id)


def mediate(month: Month, day: int) -> None:
    """Settle a dispute at the tea house: the mediator and the place are written down, never the parties."""
    month.at(day, 17, 15)
    leader = month.community.leaders[day % len(month.community.leaders)]
    mediator = month.community.charges[leader.id][0]
    tell(month, mediator, "help_settle_a_dispute_between_neighbours", day, place="茶馆调解室")
    _attest(month, leader)


def warn(month: Month, day: int) -> None:
    """Let a courier, who lives elsewhere, report a hazard; the grid worker saw it too."""
    month.at(day, 17, 20)
    courier = month.community.couriers[day % (len(month.community.couriers) - 1)]
    claim_id = tell(month, courier, "report_a_hazard_that_is_verified", day, place="5幢消防通道", text="通道被杂物堵住")["id"]
    attest_on_page(month, next(worker for worker in month.community.grid_workers if worker.area_code == courier.area_code), claim_id)


def decide(month: Month, day: int) -> None:
    """Let an approver work off the first page of the queue, and machines the rest, a hundred at a time, in the name of each in turn."""
    first = month.community.approvers[day % len(month.community.approvers)]
    approved = approve_on_page(month, first)
    ids = [claim["id"] for claim in month.client.pages(first.token, "/claims/queue", "state=attested")]
    for approver in (first, *(one for one in month.community.approvers if one is not first)):
        asked = [claim_id for claim_id in ids if approver is not first or claim_id not in approved]
        sets = [asked[start : start + AT_ONCE] for start in range(0, len(asked), AT_ONCE)]
        moved = [claim for some in month.client.together([partial(_approve, month, approver, one) for one in sets]) for claim in some]
        done = {claim["id"] for claim in moved if claim["state"] != "attested"}
        ids = [claim_id for claim_id in ids if claim_id not in done]


def _approve(month: Month, approver: Somebody, ids: list[str]) -> list[Any]:
    answered = month.client.post(approver.token, "/claims/approve", ids=ids)["items"]
    # One's own, those of kin, and what one or one's kin attested are somebody else's to approve.
    return month.judged(answered, "own-deed", "kin-or-household", "acted-before", "kin-acted-before")


def credit_due(month: Month, day: int) -> int:
    """Credit what stood on notice long enough and what funds have come for; return how many."""
    month.at(day, 7)
    count = 0
    while moved := month.client.post(month.community.administrator.token, "/claims/credit-due")["items"]:
        count += len(moved)
    return count


def refill(month: Month, day: int) -> None:
    """Give the fund that ran out a new budget."""
    month.at(day, 6)
    funds = {fund["id"]: fund["left"] for fund in month.client.get(month.community.administrator.token, "/funds")["items"]}
    assert funds[month.fund_id] < 100, "the fund has run out"
    approver = month.community.approvers[0].token
    month.awaited_funds = sum(1 for _ in month.client.pages(approver, "/claims/queue", "state=awaiting_funds"))
    month.client.post(month.community.administrator.token, "/funds/{}/budgets", month.fund_id, points=month.sizes.budget)
