"""The made-up people of the demonstration, by the names that the rest of it uses; nobody real."""

from __future__ import annotations

from typing import NamedTuple

from ledger.people import NewPerson

COUNTY, TOWNSHIP, VILLAGE, OTHER_VILLAGE = "320106", "320106001", "320106001003", "320106001004"
COURIER = "外来骑手"


def grid_code(number: int) -> str:
    """Return the code of the community's grid of that number."""
    return f"{VILLAGE}-{number:02d}"


FIRST, SECOND, THIRD = (grid_code(number) for number in (1, 2, 3))


class Part(NamedTuple):
    """Somebody of the demonstration: a key, a name, the area of living and of the roles, the flat, the month of birth, the roles."""

    key: str
    name: str
    area_code: str
    flat: str
    birth_month: str
    roles: tuple[str, ...] = ("volunteer",)

    @property
    def phone(self) -> str:
        """Return the made-up phone, which all links are found by."""
        return f"190{CAST.index(self):08d}"

    def new_person(self) -> NewPerson:
        """Return what is enrolled."""
        return NewPerson(
            self.name, self.area_code, phone=self.phone, birth_month=self.birth_month, address=self.flat, roles=self.roles,
            is_resident=self.flat != COURIER,
        )  # fmt: skip


CAST = (
    Part("administrator", "沈文斌", COUNTY, "社区居委会", "1979-04", ("administrator",)),
    Part("first_approver", "周建国", TOWNSHIP, "街道办事处", "1974-09", ("approver",)),
    Part("second_approver", "吴晓燕", TOWNSHIP, "街道办事处", "1985-02", ("approver",)),
    Part("grid_worker", "郑海明", VILLAGE, "社区居委会", "1990-11", ("grid_worker", "activity_host")),
    Part("leader", "赵淑华", FIRST, "1幢101", "1958-06", ("volunteer", "building_leader")),
    Part("leaders_husband", "钱德贵", FIRST, "1幢101", "1955-01"),
    Part("volunteer", "陈桂芳", FIRST, "1幢302", "1956-03"),
    Part("her_husband", "李国强", FIRST, "1幢302", "1953-12"),
    Part("her_son", "李思远", THIRD, "9幢504", "1982-10"),
    Part("mediator", "孙守业", FIRST, "1幢201", "1950-05"),
    Part("patrol", "马志强", FIRST, "1幢203", "1961-08"),
    Part("patrol_too", "朱福生", FIRST, "1幢402", "1963-02"),
    Part("teacher", "胡雨桐", FIRST, "1幢403", "1994-07"),
    Part("nurse", "林秀英", FIRST, "1幢501", "1968-04"),
    Part("cook", "何玉珍", FIRST, "1幢502", "1959-10"),
    Part("student", "何子轩", FIRST, "1幢502", "2011-09"),
    Part("singer", "高凤霞", FIRST, "1幢601", "1965-03"),
    Part("donor", "罗俊杰", FIRST, "1幢602", "1991-01"),
    Part("second_leader", "梁爱民", SECOND, "5幢102", "1962-11", ("volunteer", "building_leader")),
    Part("gardener", "谢树林", SECOND, "5幢103", "1951-07"),
    Part("weaver", "宋彩云", SECOND, "5幢104", "1957-12"),
    Part("driver", "唐永康", SECOND, "5幢201", "1978-05"),
    Part("reader", "许丽娟", SECOND, "5幢202", "1988-08"),
    Part("singer_too", "韩金花", SECOND, "5幢301", "1960-02"),
    Part("joiner", "冯立新", SECOND, "5幢302", "1966-06"),
    Part("tailor", "邓月娥", THIRD, "9幢201", "1954-04"),
    Part("swimmer", "曹浩然", THIRD, "9幢202", "1996-03"),
    Part("walker", "彭兴旺", THIRD, "9幢203", "1949-09"),
    Part("courier", "蒋志明", SECOND, COURIER, "1993-06"),
    Part("neighbour", "蔡庆华", OTHER_VILLAGE, "苏州路12号", "1964-10"),
    Part("owner", "汪旺财", FIRST, "仙霞路8号", "1972-01"),
    Part("cashier", "姚春梅", SECOND, "仙霞路8号", "1987-05"),
)

HOUSEHOLDS = (("leader", "leaders_husband"), ("volunteer", "her_husband"), ("cook", "student"))
KIN = (("volunteer", "her_son"), ("her_husband", "her_son"))
CHARGES = {
    "leader": ("leaders_husband", "volunteer", "her_husband", "mediator", "patrol", "patrol_too", "teacher", "nurse", "cook", "student",
               "singer", "donor"),
    "second_leader": ("gardener", "weaver", "driver", "reader", "singer_too", "joiner"),
}  # fmt: skip

#: Who gets a sign-in link, and who that is.
LINKS = (
    ("volunteer", "志愿者", "volunteer"),
    ("leader", "楼长", "building leader"),
    ("first_approver", "审核人（一）", "first approver"),
    ("second_approver", "审核人（二）", "second approver"),
    ("grid_worker", "网格员，活动主持人", "grid worker, activity host"),
    ("owner", "店主", "shop owner"),
    ("administrator", "管理员", "administrator"),
)
