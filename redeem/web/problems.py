"""What can be wrong when points are spent: the package's part of the one table."""

from __future__ import annotations

from ledger.web.kit.problems import Sentence

REDEEM_PROBLEMS: dict[str, Sentence] = {
    # The library and its shops
    "unit-name-taken": Sentence(409, "已有同名单位，请换一个名称。", "There is a unit of this name already; choose another."),
    "unit-not-a-business": Sentence(
        409, "只有白色资源库的单位（商户）才能做这件事。", "Only a white unit, a business, can be a shop; choose one."
    ),
    "till-name-taken": Sentence(409, "这家店已有同名收银台，请换一个名称。", "This shop has a till of this name already; choose another."),
    "already-hired": Sentence(409, "这个人在这段日期已有这个岗位。", "This person has this role in the shop on those days already."),
    "owner-hires-cashiers": Sentence(
        403, "店主只能聘用和辞退收银员；店主请由管理员指定。", "An owner hires and dismisses cashiers; ask an administrator about owners."
    ),
    # The catalogue
    "stock-not-kept": Sentence(
        409, "这项兑换不计库存，不用盘点或入库。", "No stock is kept of this offer: there is nothing to deliver or count."
    ),
}
