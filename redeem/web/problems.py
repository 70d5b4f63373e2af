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
    # The desk
    "pay-code-unknown": Sentence(
        404,
        "兑换码不对：请让居民打开“出示兑换码”，扫屏幕上现在的码，或输入存折号和六位数字。",
        "This is no pay code: have the volunteer open the code page and scan what it shows now, or type the passbook number and the six digits.",
    ),
    "pay-code-expired": Sentence(
        410,
        "兑换码已过期，没有扣分；请扫屏幕上现在的码。",
        "This pay code has run out and nothing was taken; scan the one on the screen now.",
    ),
    "pay-code-used": Sentence(
        409,
        "这个兑换码已在 {at} 于“{till}”用过，没有再次扣分。",
        "This pay code was used already, on {at} at “{till}”; nothing was taken again.",
    ),
    "till-must-wait": Sentence(429, "错误太多，请 {retry_after} 秒后再试。", "Too many wrong codes; try again in {retry_after} seconds."),
    "till-closed": Sentence(409, "这个收银台已停用。", "This till is closed."),
    "person-inactive": Sentence(409, "这本存折已停用，请到社区办理。", "This passbook is closed; ask at the community office."),
    "pay-code-not-on-behalf": Sentence(
        403,
        "代办时不出示兑换码：请收银员出示商户码，您扫码或输入 6 位数字来付。",
        "On somebody's behalf no pay code is shown: have the cashier show an order, and scan it or type its six digits.",
    ),
    "phone-not-own": Sentence(
        403,
        "公用设备上、刷卡登录或代办时，不把兑换码存进设备；请在自己的手机上登录后再开。",
        "On a device that others use too, after a card, or on somebody's behalf no pay codes are kept; sign in on your own phone for that.",
    ),
    "card-limit": Sentence(
        409,
        "用卡和凭条每天最多付 {most} 分；再多请用手机出示兑换码，或到社区柜台登录后付。",
        "Cards and slips pay {most} points a day at most: for more show a pay code on the phone, or sign in at the community counter.",
    ),
    "slip-limit": Sentence(
        409, "一张凭条最多付 {most} 分；再多请用手机或卡。", "A slip pays {most} points at most; for more use the phone or the card."
    ),
    "slip-limit-of-shop": Sentence(
        409,
        "本店今天凭条只能再收 {left} 分；请居民用手机或卡来付。",
        "This shop takes only {left} more points by slips today; have them pay by phone or card.",
    ),
    "slips-too-many": Sentence(
        409,
        "没用过的凭条已有 {most} 张；请先用掉，或作废一张。",
        "There are {most} slips that are good already; use one, or end one first.",
    ),
    "mandate-limit": Sentence(
        409,
        "超过代办的每日限额：今天还可以替本人兑换 {left} 分。",
        "That is over what may be spent a day for this person: {left} points are left today.",
    ),
    "own-till": Sentence(
        403, "不能在自己收银时兑换自己的积分，请换一位收银员。", "Nobody takes their own points at their own till; ask another cashier."
    ),
    "offer-not-available": Sentence(409, "这项商品现在不能兑换。", "This offer cannot be had now."),
    "nothing-asked": Sentence(422, "请先选一项商品，或输入积分。", "Choose an offer first, or type the points."),
    "offer-or-points": Sentence(422, "选了商品就不要再输入积分。", "Give an offer or points, not both."),
    "stock-out": Sentence(409, "库存不足：还有 {on_hand} 份。", "Not enough in stock: {on_hand} left."),
    "limit-reached": Sentence(
        409, "超过每人限额：限 {most} 份，已兑 {had} 份。", "That is over the limit for one person: {most} allowed, {had} had already."
    ),
    "order-unknown": Sentence(404, "没有这个商户码；请让收银员重新出示。", "There is no such order; ask the cashier to show a new code."),
    "order-number-short": Sentence(
        422, "商户码有 6 位数字，还少 {missing} 位。", "The number of an order has 6 digits; {missing} more to type."
    ),
    "order-expired": Sentence(
        410, "商户码已过期，没有扣分；请让收银员重新出示。", "This order has run out and nothing was taken; ask the cashier for a new one."
    ),
    "order-cancelled": Sentence(409, "这一单已取消，没有扣分。", "This order was cancelled; nothing was taken."),
    "order-taken": Sentence(409, "这一单已在 {at} 付过。", "This order was paid already, on {at}."),
    "redemption-lapsed": Sentence(410, "等待时间已过，没有扣分；请重新扫码。", "It waited too long and nothing was taken; scan again."),
    "not-pending": Sentence(409, "这一笔已不在等待确认。", "This no longer waits for a confirmation."),
    "own-redemption": Sentence(
        403,
        "不能撤销自己的兑换；请找另一位收银员或工作人员。",
        "Nobody voids what they themselves were given; ask another cashier or staff.",
    ),
    "nothing-to-void": Sentence(409, "这一笔没有扣过积分，无需撤销。", "No points were taken here, so there is nothing to void."),
    "voided-already": Sentence(409, "这一笔已全部撤销。", "This was voided already, all of it."),
    "void-exceeds": Sentence(409, "最多还能撤销 {left} 分。", "No more than {left} points are left to void."),
    "void-only-same-day": Sentence(
        409, "收银员只能撤销当天的兑换；请联系社区工作人员。", "A cashier voids only what was taken today; ask community staff."
    ),
    # A till as a witness of the log
    "witness-key-wrong": Sentence(
        422, "这不是这台收银机能用的见证公钥；请重新配对这台设备。", "This is no key that this till can watch under; pair the device anew."
    ),
    "cosignature-wrong": Sentence(
        422, "这份见证与账本日志的签名对不上。", "This is no cosignature of a head of the log by one of its witnesses."
    ),
    "head-not-signed": Sentence(422, "这不是账本日志签过名的内容。", "This is no head that the log has signed."),
    "heads-agree": Sentence(
        422, "这两个签名说的是同一本日志，没有矛盾。", "Both heads are of the log as it is written: they do not contradict each other."
    ),
}
