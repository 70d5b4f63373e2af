"""What a single cell of a roster means: a month of birth in any form, a phone, a note that says what somebody is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from datetime import timedelta

from ledger.people.rules import normal_phone
from ledger.sheets import Value
from ledger.sheets import text_of

DITTO = frozenset({"同上", "〃", '"', "″", "同前", "ditto"})
NOT_KNOWN = frozenset(
    {"不详", "未知", "不明", "无", "暂无", "没有", "未提供", "不清楚", "-", "--", "—", "/", "\\", "?", "??", "n/a", "na", "none"}
)
SUBTOTALS = ("小计", "合计", "总计", "共计", "累计", "subtotal", "total")
REMARKS = ("说明", "注:", "注：", "备注:", "备注：", "填表", "制表", "审核", "负责人", "联系人", "单位", "日期", "note:")


@dataclass(frozen=True)
class Read:
    """What a cell comes to: its value ("" for none), and the code of the doubt about it, with what the doubt's sentence needs."""

    value: str = ""
    doubt: str | None = None
    data: tuple[tuple[str, str], ...] = ()


def month_of(value: Value) -> Read:
    """Return a month of birth as "1982-10", however it was written."""
    if isinstance(value, date):
        return _month(value.year, value.month)
    if isinstance(value, float) and not value.is_integer():
        return _fraction(value)
    if isinstance(value, int | float) and 7_000 <= value < 50_000:  # the number of a day, shown without a date's format
        day = date(1899, 12, 30) + timedelta(days=int(value))
        return Read(f"{day:%Y-%m}", "birth-day-number", (("month", f"{day:%Y-%m}"),))
    text = text_of(value).rstrip("生出 ")
    return Read(doubt="birth-unknown") if text.lower() in NOT_KNOWN else _written_month(text) if text else Read()


def _written_month(text: str) -> Read:
    if found := re.fullmatch(r"((?:18|19|20)\d{2})(\d{2})(\d{2})?", text):
        return _month(int(found[1]), int(found[2]))
    if found := re.match(r"((?:18|19|20)\d{2})\s*[年./\-\s、,]\s*(\d{1,2})(?!\d)", text):
        return _month(int(found[1]), int(found[2]))
    if found := re.fullmatch(r"'?(\d{2})\s*[年./\-]\s*(\d{1,2})\s*月?", text):
        month = _month(1900 + int(found[1]), int(found[2]))
        return month if month.doubt else Read(month.value, "birth-century", (("month", month.value),))
    return Read(doubt="birth-year-only" if re.fullmatch(r"(18|19|20)\d{2}\s*年?", text) else "birth-malformed")


def _fraction(value: float) -> Read:
    # 1994.1 as a number may have been 1994.10: a number does not keep its last nought.
    text = f"{value:.10g}"
    found = re.fullmatch(r"((?:18|19|20)\d{2})\.(\d{1,2})", text)
    if found and found[2] == "1":
        return Read(doubt="birth-ambiguous")
    return _month(int(found[1]), int(found[2])) if found else Read(doubt="birth-malformed")


def _month(year: int, month: int) -> Read:
    if not 1900 <= year <= 2099 or not 1 <= month <= 12:
        return Read(doubt="birth-malformed")
    return Read(f"{year}-{month:02}")


def phone_of(value: Value) -> Read:
    """Return a phone number as bare digits; where a cell holds several, the first."""
    text = text_of(value)
    if not text or text.lower() in NOT_KNOWN:
        return Read(doubt="phone-missing")
    if phone := normal_phone(text):
        return Read(phone)
    parts = [phone for part in re.split(r"[/、,;|\n或和\s]+", text) if (phone := normal_phone(re.sub(r"[^\d+()-]", "", part)))]
    if len(parts) > 1:
        return Read(parts[0], "phone-several", (("phone", parts[0]),))
    if parts:
        return Read(parts[0], "phone-with-words", (("phone", parts[0]),))
    return Read(doubt="phone-malformed", data=(("digits", str(len(re.sub(r"\D", "", text)))),))


def gender_of(value: Value) -> Read:
    """Return "male" or "female"."""
    text = text_of(value).lower()
    if text in {"男", "男性", "m", "male", "1"}:
        return Read("male")
    if text in {"女", "女性", "f", "female", "2"}:
        return Read("female")
    return Read(doubt="gender-unknown" if text else None)


@dataclass(frozen=True)
class Standing:
    """What a note says about somebody."""

    is_leader: bool = False
    is_resident: bool = True
    has_left: bool = False
    doubts: tuple[str, ...] = ()


def standing_of(note: str) -> Standing:
    """Read from a note whether somebody leads a building, earns here without living here, or has gone."""
    words = {word for word in re.split(r"[\s、,，;；。./()（）+]+", note) if word}
    is_leader = bool(words & {"楼长", "楼栋长", "楼组长", "楼道长", "任楼长", "现楼长"})
    is_guest = bool(re.search(r"快递|外卖|骑手|外来|务工|流动人口|非户籍|非本地|不住本社区", note))
    has_left = bool(re.search(r"搬走|搬离|搬出|已搬|迁出|迁走|去世|已故|亡故|病故|死亡|注销", note))
    doubts = ["note-leader"] if is_leader else ["note-leader-unsure"] if re.search(r"楼长|楼栋长|楼组长", note) else []
    doubts += ["note-non-resident"] if is_guest else []
    doubts += ["note-left"] if has_left else []
    return Standing(is_leader, not is_guest, has_left, tuple(doubts))


def identity_of(value: Value) -> tuple[str, str] | None:
    """Return (month of birth, gender) from an 18-digit identity number whose check digit is right; the number itself is never kept."""
    text = text_of(value).upper()
    if not re.fullmatch(r"[1-9]\d{16}[\dX]", text):
        return None
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False))
    month = _month(int(text[6:10]), int(text[10:12]))
    if "10X98765432"[total % 11] != text[-1] or month.doubt:
        return None
    return month.value, "male" if int(text[16]) % 2 else "female"


_HAN_DIGITS = {han: digit for digit, han in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}


def grid_key(text: str) -> str:
    """Return the name of a grid as it is compared: 第一网格, 第1网格 and 第 01 网格 are the same."""

    def number(found: re.Match[str]) -> str:
        tens, ten, ones = found[0].partition("十")
        if ten:
            return str(_HAN_DIGITS.get(tens, 1) * 10 + _HAN_DIGITS.get(ones, 0))
        return "".join(str(_HAN_DIGITS[digit]) for digit in found[0])

    plain = re.sub(r"\s", "", text_of(text))
    plain = re.sub(r"[零〇一二两三四五六七八九]?十[一二三四五六七八九]?|[零〇一二两三四五六七八九]+", number, plain)
    return re.sub(r"(?<!\d)0+(?=\d)", "", plain).removeprefix("第")
