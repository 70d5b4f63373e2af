"""What happened in the demonstration's last weeks: activities, deeds in every state, redemptions in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from ledger import activities
from ledger import areas
from ledger import claims
from ledger import people
from ledger.claims import NewDeed
from ledger.claims import NewPhoto
from ledger.claims import Reach
from ledger.clock import local_day
from redeem import catalogue
from redeem import codes
from redeem import library
from redeem import merchants
from redeem import redemptions
from redeem.redemptions import Asked
from redeem.redemptions import Taking
from scripts.demo.cast import TOWNSHIP
from scripts.demo.cast import VILLAGE
from scripts.demo.pictures import stairs
from scripts.demo.stage import ZONE
from scripts.demo.stage import Stage
from scripts.demo.stage import sure


def _plan(stage: Stage, deed: str, title: str, place: str, begins: datetime, hours: int, *, made: datetime) -> UUID:
    ends = begins + timedelta(hours=hours)
    new = activities.NewActivity(VILLAGE, deed, title, place, begins, ends, 30, stage.who("grid_worker"))
    return sure(activities.create(stage.session, stage.act("grid_worker", made), stage.vault, areas.EVERYWHERE, new)).id


def hold_activities(stage: Stage) -> None:
    """Hold three activities, pay for them, and plan one for next week."""
    for days, deed, title, place, hours, who in (
        (24, "serve_at_a_community_event", "重阳敬老饺子宴", "社区食堂", 3, "volunteer cook weaver singer gardener courier"),
        (17, "half_day_clean_up_of_a_lane_or_river_bank", "金川河岸清理", "金川河边", 4, "volunteer her_husband gardener joiner"),
        (12, "attend_a_class_or_lecture", "智能手机课堂", "党群服务中心", 2, "volunteer tailor walker mediator neighbour"),
    ):
        begins = stage.ago(days, 9)
        activity_id = _plan(stage, deed, title, place, begins, hours, made=begins - timedelta(days=2))
        for key in who.split():
            sure(activities.sign_up(stage.session, stage.act(key, begins - timedelta(days=1)), activity_id))
        ids = [stage.who(key) for key in who.split()]
        arrival = stage.act("grid_worker", begins - timedelta(minutes=5))
        for outcome in activities.check_in(stage.session, arrival, ids, activity_id=activity_id, by="host"):
            sure(outcome)
        leaving = stage.act("grid_worker", begins + timedelta(hours=hours))
        left = claims.check_out(stage.session, leaving, stage.vault, ids, activity_id=activity_id, by="host")
        made = [claim.id for _, claim in map(sure, left) if claim]
        _credit(stage, made, begins + timedelta(hours=hours + 1))
    next_week = stage.ago(-7, 14)
    coming = _plan(stage, "perform_or_help_at_a_cultural_event", "社区合唱排练", "文化活动室", next_week, 2, made=stage.ago(1, 10))
    for key in ("singer", "singer_too", "volunteer"):
        sure(activities.sign_up(stage.session, stage.act(key, stage.ago(1, 19)), coming))


def see_to_todays_activity(stage: Stage) -> None:
    """Let the grid worker host an activity that begins by day and goes on now, so that codes can be tried at any hour of any day."""
    hosted = activities.hosted_by(stage.session, stage.book.id, stage.who("grid_worker"))
    if not any(one.starts_at <= stage.now and stage.now + timedelta(hours=1) <= one.ends_at for one in hosted):
        hour = stage.now.astimezone(ZoneInfo(ZONE)).hour
        # In the evening and at night the one that began in the afternoon goes on until the next.
        begins, hours = (stage.ago(0, 8), 14) if 8 <= hour < 20 else (stage.ago(0 if hour >= 20 else 1, 14), 24)
        _plan(stage, "sweep_or_clear_a_shared_space", "楼道清洁日", "1幢门口", begins, hours, made=begins)


def _scope(stage: Stage) -> areas.Scope:
    return (areas.path_of(stage.session, stage.book.id, TOWNSHIP),)


def _credit(stage: Stage, ids: Sequence[UUID], at: datetime) -> None:
    """Let one approver approve, and the other those that take two."""
    for minute, key in enumerate(("first_approver", "second_approver")):
        act = stage.act(key, at + timedelta(minutes=minute))
        moved = [sure(outcome) for outcome in claims.approve(stage.session, act, _scope(stage), ids)] if ids else []
        ids = [outcome.id for outcome in moved if outcome.state == "attested"]


def _report(
    stage: Stage, key: str, deed: str, days: int, place: str, text: str, minutes: int | None = None, photos: tuple[NewPhoto, ...] = ()
) -> UUID:  # fmt: skip
    told = NewDeed(deed, local_day(stage.ago(days, 12), ZONE), place, minutes, text=text, photos=photos)
    return sure(claims.report(stage.session, stage.act(key, stage.ago(days, 20)), stage.vault, told)).id


def _attest(stage: Stage, ids: Sequence[UUID], at: datetime, key: str = "leader") -> None:
    charges = people.charges_of(stage.session, stage.book.id, stage.who(key))
    reach = Reach(charges=frozenset(charges)) if key == "leader" else Reach(_scope(stage))
    for outcome in claims.attest(stage.session, stage.act(key, at), reach, ids):
        sure(outcome)


def report_deeds(stage: Stage) -> None:
    """Tell deeds of the last ten days, and leave some in each state for whoever signs in."""
    credited = [
        _report(stage, "volunteer", "evening_patrol", 10, "1幢至5幢", "和马师傅一起巡到九点半", photos=(stairs(cleared=True),)),
        _report(stage, "patrol", "evening_patrol", 10, "1幢至5幢", "晚上巡逻一圈，关好了单元门"),
        _report(stage, "mediator", "sit_as_a_mediator_at_the_tea_house", 10, "茶馆调解室", "", 120),
        _report(stage, "volunteer", "bring_meals_to_a_household_in_difficulty", 9, "3幢", "给楼里行动不便的老人送午饭"),
        _report(stage, "volunteer", "anti_fraud_talk_to_neighbours", 9, "楼下凉亭", "讲了冒充客服的骗法"),
        _report(stage, "nurse", "accompany_a_neighbour_to_the_clinic", 9, "社区卫生中心", "陪邻居看病取药", 90),
    ]
    _attest(stage, credited, stage.ago(8, 9))
    _credit(stage, credited, stage.ago(8, 10))
    _propose(stage)
    _leave_waiting(stage)


def _propose(stage: Stage) -> None:
    charges = frozenset(people.charges_of(stage.session, stage.book.id, stage.who("second_leader")))
    day = local_day(stage.ago(6, 12), ZONE)
    deeds = [
        NewDeed("help_a_household_in_difficulty", day, "5幢", person_id=stage.who("gardener")),
        NewDeed("evening_patrol", day, "5幢至9幢", person_id=stage.who("driver")),
    ]
    act = stage.act("second_leader", stage.ago(6, 20))
    proposed = claims.propose(stage.session, act, stage.vault, Reach(charges=charges), "building_leader", deeds)
    _credit(stage, [sure(claim).id for claim in proposed], stage.ago(5, 9))


def _leave_waiting(stage: Stage) -> None:
    _report(stage, "volunteer", "help_settle_a_dispute_between_neighbours", 1, "1幢", "")
    _report(stage, "teacher", "give_a_class_or_lecture", 1, "党群服务中心", "教孩子们书法", 60)
    attested = [
        _report(stage, "patrol_too", "evening_patrol", 3, "1幢至5幢", "巡逻一圈"),
        _report(
            stage,
            "her_husband",
            "sweep_or_clear_a_shared_space",
            3,
            "1幢楼道",
            "清理楼道杂物",
            60,
            (stairs(cleared=False), stairs(cleared=True)),
        ),
        _report(stage, "donor", "remove_a_danger_or_prevent_a_crime", 3, "地下车库", "电瓶冒烟，断电并报警"),
    ]
    _attest(stage, attested, stage.ago(2, 9))
    act = stage.act("first_approver", stage.ago(2, 10))
    (halfway,) = claims.approve(stage.session, act, _scope(stage), attested[-1:])
    assert sure(halfway).state == "attested", "an outstanding contribution takes two approvers"

    rescue = _report(stage, "swimmer", "save_a_life", 4, "金川河", "把落水的孩子托上了岸")
    _attest(stage, [rescue], stage.ago(3, 9), "grid_worker")
    _credit(stage, [rescue], stage.ago(3, 10))
    elsewhere = _report(stage, "neighbour", "give_blood", 4, "献血车", "献血 200 毫升")
    _attest(stage, [elsewhere], stage.ago(3, 9), "second_approver")
    _credit(stage, [elsewhere], stage.ago(3, 10))

    returned = _report(stage, "singer", "perform_or_help_at_a_cultural_event", 5, "文化活动室", "参加演出")
    refused = _report(stage, "volunteer", "report_a_hazard_that_is_verified", 5, "5幢", "看到一辆车停在消防通道")
    reach = Reach(_scope(stage))
    act = stage.act("grid_worker", stage.ago(4, 9))
    sure(claims.return_(stage.session, act, stage.vault, reach, [returned], reason="evidence-missing", note="请补上演出的日期和节目名")[0])
    act = stage.act("grid_worker", stage.ago(4, 10))
    sure(claims.refuse(stage.session, act, stage.vault, reach, [refused], reason="done-twice", note="这处隐患前一天已有人上报")[0])


def redeem(stage: Stage) -> None:
    """Spend some points, in both directions, and take one back."""
    (shop,) = library.units(stage.session, stage.book.id, colour="white")
    (till,) = merchants.tills(stage.session, stage.book.id, [shop.id])
    offers = {row.offer.title: row.offer.id for row in catalogue.offers(stage.session, stage.book.id, local_day(stage.now, ZONE))}
    unit_ids = frozenset([shop.id])

    haircut = _pay(stage, "mediator", stage.ago(6, 10), Asked(till.id, offers["理发一次"]), unit_ids)
    assert haircut.state == "posted", "small enough to pass at once"
    mistake = _pay(stage, "volunteer", stage.ago(5, 10), Asked(till.id, points=15), unit_ids)
    act = stage.act("cashier", stage.ago(5, 10, 5))
    sure(redemptions.void(stage.session, act, mistake.id, reason="wrong-amount", unit_ids=unit_ids))

    at = stage.ago(4, 16)
    asked = Asked(till.id, offers["洗衣液 2 千克"])
    order = sure(redemptions.open_order(stage.session, stage.act("cashier", at), stage.vault, asked, unit_ids=unit_ids))
    code = redemptions.order_code(stage.session, stage.vault, stage.book, order.id)
    sure(redemptions.confirm_order(stage.session, stage.act("volunteer", at + timedelta(seconds=40)), code.token))


def _pay(stage: Stage, key: str, at: datetime, asked: Asked, unit_ids: frozenset[UUID]) -> redemptions.RedemptionRow:
    """Let somebody show their pay code at the till, and the cashier take it."""
    person = people.person(stage.session, stage.book.id, stage.who(key))
    code = codes.pay_code(stage.session, stage.vault, stage.book.number, person, at)
    act = stage.act("cashier", at + timedelta(seconds=5))
    return sure(redemptions.take(stage.session, stage.vault, [Taking(act, asked, unit_ids, code.token)])[0])
