"""What the administrator does before the month begins: tariff, caps, fund, and the resource library with its shops."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from bench.month.client import Client
from bench.month.community import KEEPERS
from bench.month.community import VILLAGE
from bench.month.community import Community
from bench.month.community import Somebody
from bench.month.sizes import Sizes
from bench.month.stand import Stand
from ledger.tariff.rules import deed_code

TARIFF = Path(__file__).parents[2] / "examples" / "tariff.csv"
#: A deed so large that its award stands on public notice.
RESCUE, RESCUE_POINTS = "save_a_life", 300
#: Title, points, cash beside them, stock (None: it never runs out).
OFFERS = (
    ("酱油一瓶", 10, 300, None),
    ("理发一次", 20, 0, None),
    ("洗衣液 2 千克", 30, 500, 2000),
    ("大米 2.5 千克", 45, 0, 2000),
    ("食用油 5 升", 80, 2500, 1000),
)


@dataclass(frozen=True)
class Shop:
    """A shop of the alliance: who works there, its tills, its offers by title."""

    unit_id: str
    owner: Somebody
    cashiers: list[Somebody]
    tills: list[str]
    offers: dict[str, dict[str, Any]]
    #: The device at the first till, where it has one; every other till has a machine that speaks to the API.
    stand: Stand | None = None


def set_tariff(client: Client, community: Community, day: date) -> None:
    """Set the example tariff from a day on, one deed that is worth a notice, and the usual caps."""
    with TARIFF.open(encoding="utf-8") as file:
        rates = [
            {
                "category": row["category"],
                "deed": deed_code(row["deed"]),
                "name_zh": row["deed_zh"],
                "name_en": row["deed"],
                "unit": row["unit"],
                "points": int(row["points"]),
            }
            for row in csv.DictReader(file)
        ]
    rescue = {"category": "outstanding_contribution", "deed": RESCUE, "name_zh": "见义勇为、救人", "name_en": "save a life"}
    rates.append(rescue | {"unit": "deed", "points": RESCUE_POINTS})
    set_ = partial(client.post, community.administrator.token)
    client.together([partial(set_, "/tariff/rates", body=rate, valid_from=day.isoformat()) for rate in rates])
    caps: list[dict[str, Any]] = [
        {"period": "day", "measure": "minutes", "most": 120, "deed": rate["deed"], "unless_checked_in": True}
        for rate in rates
        if rate["unit"] == "hour"
    ]
    caps += [
        {"period": "year", "measure": "points", "most": 2000, "category": category} for category in {rate["category"] for rate in rates}
    ]
    caps += [{"period": "year", "measure": "points", "most": 5000}]
    client.together([partial(set_, "/tariff/caps", body=cap, valid_from=day.isoformat()) for cap in caps])


def open_fund(client: Client, community: Community, sizes: Sizes, day: date) -> str:
    """Open the community's fund with its first budget, and return its id."""
    asked = {"name": "社区积分经费", "area_code": VILLAGE, "opens_on": day.isoformat(), "budget": sizes.budget}
    fund_id: str = client.post(community.administrator.token, "/funds", body=asked)["id"]
    return fund_id


def fill_library(client: Client, community: Community, sizes: Sizes) -> list[Shop]:
    """Take in the units; every white one is a shop with an owner, tills and offers."""
    others = sizes.units - sizes.shops
    colours = ["red"] * (others // 2) + ["green"] * (others - others // 2)
    client.together([partial(_other_unit, client, community, colour, number) for number, colour in enumerate(colours, start=1)])
    return client.together([partial(_shop, client, community, number) for number in range(sizes.shops)])


def _other_unit(client: Client, community: Community, colour: str, number: int) -> None:
    post = partial(client.post, community.administrator.token)
    name = {"red": f"共建单位{number}", "green": f"邻里互助队{number}"}[colour]
    unit = post("/units", name=name, colour=colour, area_code=VILLAGE)
    post("/units/{}/resources", unit["id"], kind="place" if colour == "red" else "skill", title="茶馆调解室" if number == 1 else "活动室")


def _shop(client: Client, community: Community, number: int) -> Shop:
    post = partial(client.post, community.administrator.token)
    owner, *cashiers = community.shopkeepers[number * KEEPERS : (number + 1) * KEEPERS]
    unit_id: str = post("/units", name=f"爱心商户{number + 1}", colour="white", area_code=VILLAGE, address=f"仙霞路{number + 1}号")["id"]
    post("/units/{}/resources", unit_id, kind="goods", title="米面粮油")
    tills = [post("/units/{}/tills", unit_id, name=f"{till}号收银台")["id"] for till in (1, 2)]
    post("/units/{}/staff", unit_id, person_id=str(owner.id), role="shop_owner")
    return Shop(unit_id, owner, cashiers, tills, {})


def stock_shops(client: Client, shops: Sequence[Shop]) -> None:
    """Let every shop offer what it has."""
    client.together([partial(_stock, client, shop) for shop in shops])


def _stock(client: Client, shop: Shop) -> None:
    for title, points, cash_fen, stock in OFFERS:
        asked = {"title": title, "points": points, "cash_fen": cash_fen, "stock": stock}
        shop.offers[title] = client.post(shop.owner.token, "/units/{}/offers", shop.unit_id, body=asked)
