"""What the demonstration begins with: grids, people, tariff, fund, and the resource library with its shop."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

from ledger import areas
from ledger import funds
from ledger import people
from ledger import tariff
from ledger.act import Act
from ledger.clock import local_day
from redeem import catalogue
from redeem import library
from redeem import merchants
from scripts.demo.cast import CAST
from scripts.demo.cast import CHARGES
from scripts.demo.cast import HOUSEHOLDS
from scripts.demo.cast import KIN
from scripts.demo.cast import VILLAGE
from scripts.demo.cast import grid_code
from scripts.demo.stage import ZONE
from scripts.demo.stage import Stage
from scripts.demo.stage import sure

TARIFF = Path(__file__).parents[2] / "examples" / "tariff.csv"
GRIDS = (
    *((number, f"第{number}网格", "comprehensive") for number in range(1, 10)),
    (10, "商圈专属网格", "special"),
    (11, "校园专属网格", "special"),
)


def draw_grids(stage: Stage) -> None:
    """Draw the community's grids."""
    act = stage.act(at=stage.ago(30, 9))
    for number, name, kind in GRIDS:
        sure(areas.add_grid(stage.session, act, parent_code=VILLAGE, code=grid_code(number), name=name, level="grid", kind=kind))
    areas.set_phone(stage.session, act, VILLAGE, "025-8471 0086")


def enrol(stage: Stage) -> None:
    """Enrol the cast, with their families, the building leaders' charges, and the patrol's team."""
    act = stage.act(at=stage.ago(30, 10))
    enrolled = people.enrol_many(stage.session, act, stage.vault, [part.new_person() for part in CAST])
    stage.ids = {part.key: sure(person).id for part, person in zip(CAST, enrolled, strict=True)}
    sure(people.tie_households(stage.session, act, [[stage.who(key) for key in keys] for keys in HOUSEHOLDS]))
    sure(people.tie_all(stage.session, act, [(stage.who(one), stage.who(other)) for one, other in KIN], "kin"))
    charges = {stage.who(leader): [stage.who(key) for key in keys] for leader, keys in CHARGES.items()}
    sure(people.give_charges(stage.session, act, charges))
    patrols = [stage.who(key) for key in ("patrol", "patrol_too", "her_husband")]
    team = sure(people.create_team(stage.session, act, name="仙霞路夜巡队", area_code=VILLAGE, member_ids=patrols))
    since = local_day(act.at, ZONE)
    sure(people.lead_team(stage.session, act, team_id=team.id, person_id=stage.who("patrol"), starts_on=since))


def set_tariff(stage: Stage) -> None:
    """Set the example tariff, the usual caps, and a fund to pay from."""
    act = stage.act(at=stage.ago(30, 11))
    begins = local_day(stage.ago(60, 0), ZONE)
    with TARIFF.open(encoding="utf-8") as file:
        report = tariff.import_tariff(stage.session, act, csv.DictReader(file), valid_from=begins)
    assert not report.faults, report.faults
    rescue = tariff.RateRow("outstanding_contribution", "save_a_life", "见义勇为、救人", "save a life", "deed", 300)
    sure(tariff.define_rate(stage.session, act, rescue, valid_from=begins))
    hourly = [rate for rate in tariff.rates_on(stage.session, act.book_id, begins) if rate.unit == "hour"]
    for rate in hourly:
        _cap(stage, act, begins, "day", "minutes", 120, deed=rate.deed, unless_checked_in=True)
    for category in tariff.categories(stage.session, act.book_id):
        _cap(stage, act, begins, "year", "points", 2000, category=category.code)
    _cap(stage, act, begins, "year", "points", 5000)
    sure(funds.open_fund(stage.session, act, name="社区积分经费", area_code=VILLAGE, opens_on=begins, budget=50_000))


def _cap(stage: Stage, act: Act, begins: date, period: str, measure: str, most: int, **about: Any) -> None:
    tariff.define_cap(stage.session, act, period=period, measure=measure, most=most, valid_from=begins, **about)


def fill_library(stage: Stage) -> None:
    """Take in a unit of each colour; the white one is a shop with a till, its people, and offers."""
    act, today = stage.act(at=stage.ago(30, 12)), local_day(stage.ago(30, 12), ZONE)
    red = sure(library.add_unit(stage.session, act, name="仙霞路社区党群服务中心", colour="red", area_code=VILLAGE, address="仙霞路2号"))
    library.add_resource(stage.session, act, red.id, kind="place", title="茶馆调解室，每周三、五下午")
    green = sure(library.add_unit(stage.session, act, name="仙霞路邻里互助队", colour="green", area_code=grid_code(1)))
    library.add_resource(stage.session, act, green.id, kind="skill", title="磨刀、配钥匙、小家电修理")
    shop = sure(library.add_unit(stage.session, act, name="旺财便民超市", colour="white", area_code=grid_code(10), address="仙霞路8号"))
    library.describe(stage.session, act, shop.id, address=shop.address, phone="025-8471 0088", open_hours="每天 7:00 到 21:00")
    library.add_resource(stage.session, act, shop.id, kind="goods", title="米面粮油")
    sure(merchants.add_till(stage.session, act, shop.id, name="1号收银台"))
    for key, role in (("owner", "shop_owner"), ("cashier", "cashier")):
        sure(merchants.hire(stage.session, act, shop.id, person_id=stage.who(key), role=role, starts_on=today))
    owner = stage.act("owner", stage.ago(29, 9))
    for title, points, cash_fen, stock, limit in (
        ("食用油 5 升", 80, 2500, 40, 1),
        ("东北大米 5 千克", 120, 0, 60, 2),
        ("洗衣液 2 千克", 60, 500, 30, None),
        ("理发一次", 40, 0, None, None),
    ):
        period = "month" if limit else None
        catalogue.add_offer(
            stage.session, owner, shop.id, title=title, points=points, cash_fen=cash_fen, stock=stock, valid_from=today,
            limit_per_person=limit, limit_period=period,
        )  # fmt: skip
