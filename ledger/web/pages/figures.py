"""Figures for whoever works with them: what was credited where and for what, what people hold, what waits, how long the funds last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from typing import Any
from typing import NamedTuple

from flask import Blueprint
from flask import Response
from flask import render_template
from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ledger import areas
from ledger import funds
from ledger import reports
from ledger import tariff
from ledger.areas import EVERYWHERE
from ledger.areas import Area
from ledger.areas import Scope
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.reports import Month
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.templating import named

pages = Blueprint("figures", __name__)

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: So many months back can be chosen.
MONTHS = 24


class Sum(NamedTuple):
    """A row of a table: what it is of, and what was credited in the month and in the one before it."""

    name: str
    deeds: int
    points: int
    deeds_before: int
    points_before: int
    #: The area that it is of, where it is of one that can be looked into.
    code: str | None = None


@dataclass(frozen=True)
class Board:
    """The figures of a place and a month as they are shown."""

    area: Area | None
    #: From one's own area down to the place.
    trail: Sequence[tuple[str, str]]
    month: Month
    figures: reports.Figures
    categories: Sequence[Sum]
    areas: Sequence[Sum]

    @property
    def now(self) -> reports.Flow:
        """Return what happened in the month."""
        return self.figures.flows[self.month]

    @property
    def before(self) -> reports.Flow:
        """Return what happened in the month before it."""
        return self.figures.flows[self.month.moved(-1)]

    @property
    def year(self) -> Sequence[Month]:
        """Return the last twelve months."""
        return self.figures.months[1:]

    def over_the_year(self, name: str) -> list[int]:
        """Return one of the numbers of each of these months."""
        return [getattr(self.figures.flows[month], name) for month in self.year]


@pages.get("/figures")
@allow(*reports.READERS)
def board() -> ResponseReturnValue:
    """Show the figures of one's areas, or of one below them, in a month, beside those of the month before."""
    shown, within = _board()
    now = services().clock.now()
    return render_template(
        "ledger/figures/board.html",
        board=shown,
        months=[(str(month), str(month)) for month in reversed(reports.months_to(Month.of(me().today), MONTHS))],
        may_see_funds=me().has(*funds.MAY["read"]),
        waiting=reports.waiting(session(), me().book_id, within),
        covers=reports.covers(session(), me().book_id, within, me().today, now),
        days_since=_days_since,
        takes=me().has(*reports.TAKERS),
    )


@pages.get("/figures/table.xlsx")
@allow(*reports.TAKERS, fresh=True)
def table() -> ResponseReturnValue:
    """Give the same figures as an Excel file."""
    shown, _within = _board()
    place = shown.area.name if shown.area else me().book.name
    file = reports.workbook_of(f"{place} {shown.month}", _tables(shown))
    response = Response(file, content_type=EXCEL)
    response.headers["Content-Disposition"] = f'attachment; filename="figures-{shown.month}.xlsx"'
    return response


def _board() -> tuple[Board, Scope]:
    """Read which place and month are asked for, and what happened there."""
    book = me().book
    root = areas.area(session(), book.id, book.area_code)
    scope = areas.widest(me().scope(*reports.READERS))
    chosen = areas.area(session(), book.id, request.args["area"], scope) if "area" in request.args else None
    area = chosen or (areas.subtree(session(), book.id, scope[0], limit=1)[0] if len(scope) == 1 else None)
    month = Month.read(request.args["month"]) if request.args.get("month") else Month.of(me().today)
    if not Month.of(me().today).moved(1 - MONTHS) <= month <= Month.of(me().today):
        raise NotFound("month")
    is_whole = area is not None and area.code == root.code
    within = EVERYWHERE if is_whole else (area.path,) if area else scope
    found = reports.figures(session(), book, within, month, services().clock.now())
    below = areas.children(session(), book.id, area.code) if area else _tops(scope)
    codes = {row.area_code for row in found.credited if row.area_code}
    paths = areas.paths_of(session(), book.id, codes)
    shown = Board(area, _trail(area, scope), month, found, _by_category(found, month), _by_area(found, month, below, paths, area))
    return shown, within


def _tops(scope: Scope) -> list[Area]:
    return [areas.subtree(session(), me().book_id, path, limit=1)[0] for path in scope]


def _trail(area: Area | None, scope: Scope) -> list[tuple[str, str]]:
    """Return the codes and names of the areas from one's own down to the place."""
    if area is None:
        return []
    codes = area.path.rstrip("/").split("/")
    names = areas.names_of(session(), me().book_id, codes)
    paths = {code: "".join(f"{one}/" for one in codes[: place + 1]) for place, code in enumerate(codes)}
    return [(code, names[code]) for code in codes if areas.in_scope(paths[code], scope)]


def _by_category(found: reports.Figures, month: Month) -> list[Sum]:
    names = {category.code: named(category) for category in tariff.categories(session(), me().book_id)}
    sums = _sums(found.credited, month, lambda row: row.category)
    rows = [Sum(name, *sums[code]) for code, name in names.items() if code in sums]
    return rows + ([Sum(_("其他"), *sums[None])] if None in sums else [])


def _by_area(
    found: reports.Figures, month: Month, below: Sequence[Area], paths: dict[str, str], area: Area | None
) -> list[Sum]:  # fmt: skip
    def part_of(row: reports.Credited) -> str | None:
        path = paths.get(row.area_code or "", "")
        return next((one.code for one in below if areas.is_within(path, one.path)), None)

    sums = _sums(found.credited, month, part_of)
    rows = [Sum(one.name, *sums.get(one.code, (0, 0, 0, 0)), one.code) for one in below]
    own = _("%(area)s本级", area=area.name) if area else _("其他")
    return rows + ([Sum(own, *sums[None])] if None in sums else [])


def _sums(
    rows: Iterable[reports.Credited], month: Month, key: Callable[[reports.Credited], Hashable]
) -> dict[Any, tuple[int, int, int, int]]:
    sums: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in rows:
        if row.month in {month, month.moved(-1)}:
            place = 0 if row.month == month else 2
            sums[key(row)][place] += row.deeds
            sums[key(row)][place + 1] += row.points
    return {one: (found[0], found[1], found[2], found[3]) for one, found in sums.items()}


def _days_since(moment: datetime) -> int:
    """Return since how many days of the book's calendar something waits."""
    today: date = me().today
    return (today - local_day(moment, me().zone)).days


def _tables(shown: Board) -> list[reports.Table]:
    """Return the tables of the page as an office files them."""
    of_sums = (_("善行数"), _("积分"), _("上月善行数"), _("上月积分"))
    months = [
        (str(month), one.deeds, one.issued, one.people, one.minutes, one.redeemed, one.expired, one.donated, one.outstanding)
        for month, one in ((month, shown.figures.flows[month]) for month in shown.figures.months)
    ]
    of_months = (
        *(_("月份"), _("善行数"), _("发放积分"), _("有积分入账的人"), _("服务分钟")),
        *(_("兑换积分"), _("到期积分"), _("捐赠积分"), _("月末居民持有")),
    )
    return [
        reports.Table(_("按类别"), (_("类别"), *of_sums), [row[:5] for row in shown.categories]),
        reports.Table(_("按区域"), (_("区域"), *of_sums), [row[:5] for row in shown.areas]),
        reports.Table(_("按月"), of_months, months),
    ]
