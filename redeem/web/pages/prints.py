"""What is printed of spending: a shop's poster, the receipt of a redemption, and the slip that somebody without a phone hands over."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask import Response
from flask import url_for
from flask_babel import gettext

from ledger import people
from ledger.errors import NotFound
from ledger.web.kit.addresses import code_address
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.printing import code
from ledger.web.kit.printing import sent
from ledger.web.kit.templating import local
from ledger.web.kit.templating import points
from ledger.web.kit.templating import spaced
from ledger.web.kit.templating import yuan
from redeem import catalogue
from redeem import codes
from redeem import library
from redeem import redemptions

pages = Blueprint("shop_prints", __name__)

#: So many offers are large enough to be read from the street.
OFFERS_ON_POSTER = 10


def slip(shown: codes.Slip) -> Response:
    """Print a slip that is handed over at a till."""
    handle = spaced(shown.handle)
    half = len(shown.digits) // 2
    words = {
        "title": gettext("兑换凭条"),
        "most": gettext("最多 %(points)s 分", points=points(shown.points_max)),
        "holder": gettext("存折号"),
        "until": gettext("有效期到"),
        "how": gettext("请收银员扫码，扫不了就输入上面的数字。只能用一次；没用完的分还在存折里。"),
    }
    drawn = code(code_address("p", shown.token), gettext("兑换码"))
    typed = f"{handle} {shown.digits[:half]} {shown.digits[half:]}"
    about = {"code": drawn, "typed": typed, "number": handle, "until": local(shown.expires_at), "words": words}
    return sent("slip", gettext("兑换凭条"), about)


@pages.get("/receipts/<uuid:redemption_id>/receipt.pdf")
@allow("volunteer")
def receipt(redemption_id: UUID) -> Response:
    """Print the receipt of one's own redemption."""
    row = redemptions.redemption(session(), me().book_id, services().clock.now(), redemption_id, person_id=me().person_id)
    if row.posted_at is None:
        raise NotFound("redemption_id")
    handle = people.person(session(), me().book_id, me().person_id).handle
    paid = gettext("已付 %(points)s 分", points=points(row.points))
    state = gettext("已撤销 %(points)s 分", points=points(row.voided)) if row.voided else paid
    facts = [
        [gettext("编号"), str(row.id)[-6:].upper()],
        [gettext("时间"), local(row.posted_at, "%Y-%m-%d %H:%M:%S")],
        [gettext("收银台"), row.till_name],
        [gettext("存折号"), spaced(handle)],
    ]
    about = {
        "shop": row.unit_name,
        "what": (row.offer_title or gettext("按积分")) + (f" × {row.quantity}" if row.quantity > 1 else ""),
        "price": _price(row.points, row.cash_fen),
        "state": state,
        "is_done": row.voided == 0,
        "facts": facts,
        "words": {"title": gettext("兑换收据")},
    }
    return sent("receipt", gettext("兑换收据"), about)


def _price(amount: int, cash_fen: int) -> str:
    return f"{gettext('%(points)s 分', points=points(amount))}{f' + ¥{yuan(cash_fen)}' if cash_fen else ''}"


@pages.get("/shop/<uuid:unit_id>/poster.pdf")
@allow("shop_owner")
def poster(unit_id: UUID) -> Response:
    """Print the poster of one's shop: that points are taken here, what for, and how."""
    own = me().unit_ids("shop_owner")
    if unit_id not in own:
        raise NotFound("unit_id")
    shop = library.names_of(session(), me().book_id, [unit_id])[unit_id]
    rows = catalogue.offers(session(), me().book_id, me().today, unit_ids=[unit_id], limit=OFFERS_ON_POSTER + 1)
    words = {
        "title": gettext("善行存折"),
        "here": gettext("本店可以用善行积分兑换"),
        "offers": gettext("可以兑换"),
        "none": gettext("请问店员现在可以换什么。"),
        "more": gettext("还有更多，请扫码看。") if len(rows) > OFFERS_ON_POSTER else "",
        "how": gettext("怎么付"),
        "steps": [
            gettext("打开“善行存折”，点“兑换”，出示兑换码；没有手机，就带存折卡。"),
            gettext("收银员扫码或刷卡，输入积分。"),
            gettext("看到绿色的“成功”，积分就付好了。"),
        ],
        "scan": gettext("扫码看本店可以换什么"),
    }
    offers = [{"title": row.offer.title, "price": _price(row.offer.points, row.offer.cash_fen)} for row in rows[:OFFERS_ON_POSTER]]
    drawn = code(services().settings.public_url + url_for("catalogue.shop", unit_id=unit_id), gettext("扫码看本店可以换什么"))
    return sent("poster", gettext("%(shop)s 海报", shop=shop), {"shop": shop, "offers": offers, "code": drawn, "words": words})
