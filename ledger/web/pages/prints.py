"""What is printed of the book: the passbook of a year, the proof of hours, cards, activities' sheets, and paper passbooks."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint
from flask import Response
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ledger import activities
from ledger import claims
from ledger import journal
from ledger import people
from ledger import seal
from ledger.activities import Hours
from ledger.claims import Own
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.journal import LineRow
from ledger.people import ROWS_A_PAGE
from ledger.people import PassbookPrint
from ledger.seal import Proof
from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.parts import had
from ledger.web.kit.printing import code
from ledger.web.kit.printing import sent
from ledger.web.kit.reach import own
from ledger.web.kit.sealing import HoursDiffer
from ledger.web.kit.sealing import ProvenHours
from ledger.web.kit.sealing import check_words_of
from ledger.web.kit.sealing import checked_receipt
from ledger.web.kit.sealing import hours_receipt
from ledger.web.kit.templating import entry_kind
from ledger.web.kit.templating import local
from ledger.web.kit.templating import named
from ledger.web.kit.templating import points
from ledger.web.kit.templating import signed
from ledger.web.kit.templating import spaced
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.pages.counter import WORKERS

pages = Blueprint("prints", __name__)

#: An activity's sheet has so many lines to sign on, unless more people have signed up.
LINES_TO_SIGN = 40


@pages.get("/me/passbook.pdf")
@allow("volunteer")
def passbook() -> Response:
    """Print one's passbook of a year, this one unless the address names another."""
    year = _year()
    zone = ZoneInfo(me().zone)
    since, until = (datetime(one, 1, 1, tzinfo=zone) for one in (year, year + 1))
    account = _account(me().person_id)
    lines = journal.lines_between(session(), me().book_id, account, since, until) if account else []
    before = lines[0].before if lines else journal.as_of(session(), me().book_id, account, since) if account else 0
    sums = {
        "before": points(before),
        "came": signed(sum(line.amount for line in lines if line.amount > 0)),
        "went": signed(sum(line.amount for line in lines if line.amount < 0)).replace("+", ""),
        "after": points(lines[-1].after if lines else before),
    }
    words = {
        "sums": gettext("上年结余 %(before)s · 存入 %(came)s · 支出 %(went)s · 结余 %(after)s", **sums),
        "page": gettext("第 %(page)s 页，共 %(pages)s 页", page="{0}", pages="{1}"),
        "empty": gettext("这一年没有记录。"),
    }
    name = people.names_of(session(), services().vault, me().book_id, [me().person_id])[me().person_id]
    about = {"period": gettext("%(year)s 年", year=year), "name": name, "number": _number(_handle(me().person_id))}
    title = gettext("善行存折 %(year)s", year=year)
    rows = {"rows_a_page": ROWS_A_PAGE, "rows": _rows(lines, own(), check_words := check_words_of(account, lines))}
    proofs = [_proof(account, check_words, page) for page in _pages(lines)]
    return sent("passbook", title, about | rows | {"proofs": proofs, "words": _page_words() | words})


def _year() -> int:
    asked = request.args.get("year", str(me().today.year))
    if not (asked.isascii() and asked.isdigit() and len(asked) == 4 and 2000 <= int(asked) <= me().today.year):
        raise NotFound("year")
    return int(asked)


def _account(person_id: UUID) -> UUID | None:
    return journal.account_ids(session(), me().book_id, "passbook", [person_id]).get(person_id)


def _handle(person_id: UUID) -> str:
    return spaced(people.person(session(), me().book_id, person_id).handle)


def _number(handle: str) -> str:
    return f"No. {handle}"


def _page_words() -> dict[str, Any]:
    """Return what stands on every page of a passbook."""
    return {
        "title": gettext("善行存折"),
        "columns": [gettext("序号"), gettext("日期"), gettext("事由"), gettext("积分"), gettext("结余")],
        "proof_room": _proof_room(),
        "foot": _foot(url_for("proofs.check")),
    }


def _proof_room() -> list[str]:
    return [gettext("封存后，"), gettext("验证码印在这里")]


def _foot(path: str = "") -> list[str]:
    return [services().settings.public_url + path, gettext("%(time)s 打印", time=local(services().clock.now()))]


def _pages(lines: Sequence[LineRow]) -> list[Sequence[LineRow]]:
    return [lines[start : start + ROWS_A_PAGE] for start in range(0, len(lines), ROWS_A_PAGE)]


def _proof(account: UUID | None, check_words: Mapping[int, str], page: Sequence[LineRow]) -> dict[str, Any] | None:
    """Return what proves a page: its last line that is sealed, as a code, and where that is checked; none where no line of it is.

    Where that line is not what was sealed there is no code, and the page says so.
    """
    number = max((line.number for line in page if line.number in check_words), default=None)
    found = None if account is None or number is None else checked_receipt(account, number)
    if found is not None and found.differs_at is not None:
        return {"told": gettext("第 %(number)s 行对不上：它不是封存时写的，请联系监督员。", number=number)}
    if found is None or (proof := found.proof) is None:
        return None
    told = gettext(
        "第 %(number)s 行的封存证明：手机扫小码打开查验页，再用那一页扫大码。大码只证明第 %(number)s 行。日期下面是每行的验证码。",
        number=number,
    )
    return _codes(proof, told)


def _codes(proof: Proof, told: str) -> dict[str, Any]:
    address = services().settings.public_url + url_for("proofs.check")
    return {"code": code(seal.for_paper(proof), gettext("封存证明")), "way": code(address, gettext("查验页")), "told": told}


def _rows(lines: Sequence[LineRow], whose: Own, check_words: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return lines as they are printed."""
    ids = {line.reference for line in lines if line.kind == "award" and line.reference}
    rates = {row.id: row.rate for row in claims.among(session(), me().book_id, ids, own=whose)}
    things = had(lines)
    return [
        {
            "number": str(line.number),
            "day": line.deed_on.isoformat(),
            "word": check_words.get(line.number),
            "what": _what(line, rates, things),
            "amount": signed(line.amount),
            "is_in": line.amount > 0,
            "after": points(line.after),
        }
        for line in lines
    ]


def _what(line: LineRow, rates: dict[UUID, Any], things: Any) -> str:
    told = entry_kind(line.kind)
    if line.reference in rates:
        told = named(rates[line.reference])
    elif line.reference in things:
        shop, goods = things[line.reference]
        told += gettext("：") + shop + (f" · {goods}" if goods else "")
    return f"{told} [{gettext('代办')}]" if line.on_behalf else told


@pages.get("/me/hours.pdf")
@allow("volunteer")
def hours() -> Response:
    """Print the proof of one's hours of service, by year, for nothing."""
    years = activities.hours_by_year(session(), me().book_id, me().person_id)
    total = Hours(sum(one.credit for one in years.values()), sum(one.honour for one in years.values()))
    handle, day = _handle(me().person_id), me().today.isoformat()
    name = people.names_of(session(), services().vault, me().book_id, [me().person_id])[me().person_id]
    number = "-".join((str(me().book.number), handle.replace(" ", ""), day.replace("-", "")))
    told = {"name": name, "handle": handle, "day": day, "book": me().book.name}
    words = {
        "title": gettext("志愿服务时数证明"),
        "number": gettext("编号 %(number)s", number=number),
        "told": gettext("%(name)s（存折号 %(handle)s）截至 %(day)s 在“%(book)s”记录的志愿服务时数如下：", **told),
        "columns": [gettext("年度"), gettext("信用时数"), gettext("荣誉时数"), gettext("合计")],
        "kinds": gettext("信用时数以活动签到、签退为据；荣誉时数以申报并经证明为据。时数与积分分开记录，永不过期。"),
        "law": gettext("依据《志愿服务记录与证明出具办法（试行）》（民政部令第67号）出具，不收取任何费用。"),
        "proof_room": _proof_room(),
        "foot": _foot(),
        "stamp": gettext("（盖章处）"),
    }
    rows = [[gettext("%(year)s 年", year=year), *_columns(served)] for year, served in sorted(years.items())]
    sums = {"years": rows, "total": [gettext("合计"), *_columns(total)]}
    return sent("hours", gettext("志愿服务时数证明"), sums | {"day": day, "words": words, "proof": _hours_proof(hours_receipt())})


def _hours_proof(found: ProvenHours | HoursDiffer | None) -> dict[str, Any] | None:
    """Return what proves hours as far as they are sealed, as a code, and where that is checked; none where none of them are.

    Where they are not what was sealed there is no code, and the page says so.
    """
    if found is None:
        return None
    if isinstance(found, HoursDiffer):
        return {"told": gettext("时数对不上：它不是封存时写的，请联系监督员。")}
    served = found.opening.hours
    credit, honour, _ = _columns(Hours(served.credit, served.honour))
    told = gettext(
        "前 %(count)s 条服务记录的封存证明：信用 %(credit)s，荣誉 %(honour)s。手机扫小码打开查验页，再用那一页扫大码。验证码 %(word)s。",
        count=served.number, credit=credit, honour=honour, word=found.opening.word,
    )  # fmt: skip
    return _codes(found.proof, told)


def _columns(served: Hours) -> list[str]:
    sums = (served.credit, served.honour, served.credit + served.honour)
    return [gettext("%(hours)s 小时 %(minutes)s 分", hours=minutes // 60, minutes=minutes % 60) for minutes in sums]


@pages.get("/counter/cards/<uuid:person_id>/card.pdf")
@allow(*WORKERS)
def card(person_id: UUID) -> Response:
    """Print a card that was just issued, front and back; later its number is told to nobody."""
    people.person(session(), me().book_id, person_id, me().scope(*WORKERS))
    now, listed = services().clock.now(), people.cards_of(session(), me().book_id, person_id)
    live = next((one for one in listed if one.revoked_at is None and people.is_card_told(one.issued_at, now)), None)
    if live is None:
        raise NotFound("person_id")
    words = {
        "title": gettext("善行存折"),
        "number": gettext("卡号"),
        "since": gettext("%(day)s 发卡", day=local(live.issued_at, "%Y-%m-%d")),
        "told": [
            [gettext("怎么用"), gettext("兑换时把卡交给收银员，自己输入 6 位密码。密码不告诉任何人，也不告诉工作人员。")],
            [gettext("丢了"), gettext("马上告诉社区工作人员：旧卡立即作废，换一张新卡，积分一分不少。")],
            [gettext("捡到"), gettext("请交给附近的社区居委会。没有密码，这张卡什么也不能做。")],
        ],
    }
    number = spaced(live.number)
    return sent("card", gettext("存折卡 尾号 %(tail)s", tail=live.number[-4:]), {"number": number, "words": words})


@pages.get("/hosting/<uuid:activity_id>/sheet.pdf")
@allow(*activities.HOST_ROLES)
def activity_sheet(activity_id: UUID) -> Response:
    """Print the sheet of an activity one hosts, to sign on; `masked`: with masked names, to be hung up."""
    found = activities.activity(session(), me().book_id, activity_id)
    if found.host_id != me().person_id:
        raise NotFound("activity_id")
    ids = activities.seats_taken(session(), me().book_id, activity_id)
    persons = sorted(people.persons(session(), me().book_id, ids).values(), key=lambda one: one.handle)
    names = people.names_of(session(), services().vault, me().book_id, ids)
    shown = people.masked_name if "masked" in request.args else str
    rows = [{"number": spaced(one.handle), "name": shown(names[one.id])} for one in persons]
    rows += [{"number": "", "name": ""}] * (min(found.capacity, LINES_TO_SIGN) - len(rows))
    facts = [
        [gettext("时间"), f"{local(found.starts_at)} – {_until(found)}"],
        [gettext("地点"), found.place],
        [gettext("名额"), gettext("%(capacity)s 人，已报名 %(count)s 人", capacity=found.capacity, count=len(persons))],
    ]
    words = {
        "title": gettext("活动签到表"),
        "scan": gettext("扫码报名"),
        "columns": [gettext("序号"), gettext("存折号"), gettext("姓名"), gettext("签名"), gettext("签到"), gettext("签退")],
        "page": gettext("第 %(page)s 页，共 %(pages)s 页", page="{0}", pages="{1}"),
    }
    drawn = code(services().settings.public_url + url_for("volunteer.coming"), gettext("扫码报名"))
    return sent("sheet", found.title, {"activity": found.title, "facts": facts, "rows": rows, "code": drawn, "words": words})


def _until(found: activities.Activity) -> str:
    ends_on_another_day = local(found.starts_at, "%Y-%m-%d") != local(found.ends_at, "%Y-%m-%d")
    return local(found.ends_at) if ends_on_another_day else local(found.ends_at, "%H:%M")


@pages.get("/counter/paper/<uuid:person_id>")
@allow(*WORKERS)
def paper(person_id: UUID) -> ResponseReturnValue:
    """Show what stands in somebody's paper passbook, and what would be printed next, and where."""
    person = people.person(session(), me().book_id, person_id, me().scope(*WORKERS))
    lines = _lines_of(person_id)
    last = people.last_print(session(), me().book_id, person_id)
    name = people.names_of(session(), services().vault, me().book_id, [person_id])[person_id]
    return render_template(
        "ledger/prints/paper.html",
        person=person,
        name=people.masked_name(name),
        lines=lines,
        last=last,
        stands_at=people.page_and_row(people.last_row(last)) if last else None,
        goes_to=people.page_and_row(people.last_row(last) + 1 if last else 1),
        new=lines - (last.line_to if last else 0),
        is_printed=last is not None and request.args.get("printed") == str(last.id),
    )


@pages.post("/counter/paper/<uuid:person_id>")
@allow(*WORKERS)
@form_write(paper)
def update(person_id: UUID) -> str | Refusal:
    """Print the lines since the last print into somebody's paper passbook."""
    return _led(people.print_lines(session(), act(), person_id, _lines_of(person_id), within=me().scope(*WORKERS)))


@pages.post("/counter/paper/<uuid:person_id>/new")
@allow(*WORKERS)
@form_write(paper)
def begin(person_id: UUID) -> str | Refusal:
    """Begin a new booklet for somebody with the line they want it to begin with."""
    lines = _lines_of(person_id)
    first = forms.whole("line_from", 1, max(1, lines))
    return _led(people.print_lines(session(), act(), person_id, lines, anew_from=first, within=me().scope(*WORKERS)))


def _lines_of(person_id: UUID) -> int:
    account = _account(person_id)
    return journal.balance_of(session(), me().book_id, account, services().clock.now()).lines if account else 0


def _led(outcome: PassbookPrint | Refusal) -> str | Refusal:
    return outcome if isinstance(outcome, Refusal) else url_for("prints.paper", person_id=outcome.person_id, printed=outcome.id)


@pages.get("/counter/paper/<uuid:person_id>/<uuid:print_id>.pdf")
@allow(*WORKERS)
def printed(person_id: UUID, print_id: UUID) -> Response:
    """Print lines into somebody's paper passbook as it was written down, as often as the printer needs."""
    people.person(session(), me().book_id, person_id, me().scope(*WORKERS))
    found, account = people.print_of(session(), me().book_id, person_id, print_id), _account(person_id)
    lines = journal.lines_numbered(session(), me().book_id, account, found.line_from, found.line_to) if account else []
    sheets: dict[int, dict[str, Any]] = {}
    for row, line in enumerate(_rows(lines, Own(person_id, on_behalf=True), check_words_of(account, lines)), found.row_from):
        page, place = people.page_and_row(row)
        sheets.setdefault(page, {"row": place, "rows": []})["rows"].append(line)
    title = gettext("存折 %(first)s–%(last)s 行", first=found.line_from, last=found.line_to)
    return sent("booklet", title, {"rows_a_page": ROWS_A_PAGE, "sheets": list(sheets.values()), "words": _page_words()})


@pages.get("/counter/paper.pdf")
@allow(*WORKERS)
def blank() -> Response:
    """Print the page of a booklet, to be filled row by row."""
    words = _page_words() | {"name": gettext("户名"), "page": gettext("页"), "foot": [services().settings.public_url]}
    return sent("blank", gettext("空白存折页"), {"rows_a_page": ROWS_A_PAGE, "period": "", "words": words})
