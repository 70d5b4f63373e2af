"""What the commands say about a doubtful cell or a bad row, in Chinese and in English, with what happens or is to be chosen."""

from __future__ import annotations

from ledger.areas import RowFault
from ledger.people import Doubt
from ledger.tariff import RowFault as RateFault

#: By the code of a doubt about a roster's cell.
DOUBTS: dict[str, tuple[str, str]] = {
    "sheet-void": ("此工作表标明“作废”：不读取。", "This sheet is marked as void: it is not read."),
    "sheet-hidden": ("此工作表被隐藏：不读取。需要时请取消隐藏。", "This sheet is hidden: it is not read. Unhide it if it counts."),
    "sheet-without-heading": (
        "此工作表没有含“姓名”的表头：不读取。",
        "This sheet has no heading row with a column for names: it is not read.",
    ),
    "column-unknown": ("不认识此列：不导入。", "This column is not understood: it is not imported."),
    "identity-not-kept": (
        "身份证号不保存，只从中读取出生年月和性别。",
        "Identity numbers are not kept; only month of birth and gender are read from them.",
    ),
    "identity-malformed": ("身份证号校验不通过：不采用。", "The identity number does not check: it is not used."),
    "identity-differs": (
        "与身份证号中的出生年月不一致：采用表中所写的 {birth_month}。",
        "Differs from the month of birth in the identity number: {birth_month}, as written, is taken.",
    ),
    "name-missing": ("没有姓名：此行不导入。", "There is no name: this row is left out."),
    "name-malformed": ("不像姓名：此行不导入。", "This cannot be a name: this row is left out."),
    "name-odd": ("姓名写法少见：照原样采用，请核对。", "An unusual name: taken as it stands, please check."),
    "phone-missing": ("没有电话：照常登记，但无法按电话查找。", "There is no phone: enrolled without, and cannot be found by phone."),
    "phone-malformed": (
        "不是电话号码（{digits} 位数字）：不保存电话，人员照常登记。请改正后再导入。",
        "Not a phone number ({digits} digits): the person is enrolled without it. Correct it and import again.",
    ),
    "phone-several": ("写了不止一个号码：采用第一个 {phone}。", "Several numbers: the first, {phone}, is taken."),
    "phone-with-words": ("号码里夹有文字：采用 {phone}。", "Words around the number: {phone} is taken."),
    "birth-unknown": ("出生年月不详：留空。", "Month of birth not known: left empty."),
    "birth-malformed": ("看不懂此出生年月：留空。", "This month of birth cannot be read: left empty."),
    "birth-year-only": ("只有年份，没有月份：留空。", "A year without a month: left empty."),
    "birth-ambiguous": (
        "以数字保存时，1 月与 10 月无法区分：留空。请改为文字，例如 1994.10。",
        "As a number, January and October look the same: left empty. Write it as text, for example 1994.10.",
    ),
    "birth-century": ("年份只有两位：按 {month} 采用。", "A year of two digits: taken as {month}."),
    "birth-day-number": ("是没有日期格式的数字：按 {month} 采用。", "A number without a date's format: taken as {month}."),
    "birth-implausible": ("年龄不合常理：照原样采用，请核对。", "An implausible age: taken as it stands, please check."),
    "minor": (
        "未满 18 岁（{years} 岁）：照常登记，须有监护人同意，不列入公开名单。",
        "Under 18 ({years}): enrolled; a guardian has to agree, and public lists leave them out.",
    ),
    "guardian-needed": (
        "未满 14 岁：花名册里没有监护人，请选 --children leave-out（不导入），另外逐人登记并指定监护人。",
        "Below 14, and a roster names no guardian: choose --children leave-out, and enrol the child singly with its guardian.",
    ),
    "gender-unknown": ("看不懂此性别：留空。", "This gender cannot be read: left empty."),
    "grid-from-above": ("网格空白：采用上一行的“{grid}”。", "No grid: {grid} from the row above is taken."),
    "grid-unknown": (
        "“{area}”没有名为“{grid}”的网格：请先建立网格，或选 --unknown-grids community（归入社区）、leave-out（不导入）。",
        "{area} has no grid named {grid}: draw it first (`areas grid`), or choose --unknown-grids community or leave-out.",
    ),
    "household-in-two-houses": (
        "同一家庭编号出现在不同楼栋（{cells}）：仍按一户处理，互相回避审批。",
        "The same household number in different buildings ({cells}): still taken as one household; they may not decide for each other.",
    ),
    "household-large": (
        "一户 {members} 人（{cells}）：仍按一户处理，请核对。",
        "A household of {members} ({cells}): still taken as one, please check.",
    ),
    "number-twice": (
        "志愿者编号与 {cell} 相同：两人都照常登记，请核对。",
        "The same volunteer number as in {cell}: both are enrolled, please check.",
    ),
    "note-leader": ("登记为楼长：从今天起在所属网格任楼长。", "Building leader: the role is given in the person's grid from today."),
    "note-leader-unsure": (
        "提到楼长，但不能确定现任：不授予楼长。需要时请写“楼长”。",
        "Mentions a building leader, not clearly a present one: the role is not given. Write 楼长 if it is.",
    ),
    "note-non-resident": (
        "外来务工人员：按非本地居民登记，可以挣积分。",
        "Works here, lives elsewhere: enrolled as a non-resident earner.",
    ),
    "note-left": (
        "已搬走或去世：此行不导入；要导入请选 --moved enrol。",
        "Moved away or died: this row is left out; choose --moved enrol to enrol it all the same.",
    ),
    "note-ditto": (
        "“同上”：备注按上一行“{value}”保存，但不因此授予楼长或视为搬走。需要时请写明。",
        "Ditto: the note “{value}” of the row above is kept, but nobody becomes a leader or is left out by a ditto mark. Write it out.",
    ),
    "note-formula": ("是公式或数字，不是备注：不保存。", "A formula or a number, not a note: it is not kept."),
    "ditto": ("“同上”：采用上一行的“{value}”。", "Ditto: {value} of the row above is taken."),
    "ditto-of-nothing": ("“同上”没有可以采用的内容：留空。", "Ditto, with nothing above that could be taken: left empty."),
    "cell-formula": ("是公式：采用其结果“{value}”。", "A formula: its result, {value}, is taken."),
    "cell-error": ("是电子表格的错误值：留空。", "A spreadsheet's error: left empty."),
    "text-too-long": ("文字过长：只保存前 500 字。", "Too long: the first 500 characters are kept."),
    "subtotal": ("小计行，不是人员：不导入。", "A subtotal, not a person: left out."),
    "subtotal-differs": (
        "小计写 {counted} 人，实际读到 {found} 人：小计行不导入，请核对有没有漏行。",
        "The subtotal says {counted}, and {found} were read: the row itself is left out, please check for missing rows.",
    ),
    "remark": ("说明文字，不是人员：不导入。", "A remark, not a person: left out."),
    "person-twice": (
        "与 {cell} 姓名和电话都相同，是同一人：skip 不导入此行，merge 用此行补全空白。",
        ("The same name and phone as in {cell}, one person: `skip` leaves this row out, `merge` fills blanks from it."),
    ),
    "phone-twice": (
        "与 {cell}（{name}）电话相同：skip 不导入此行，merge 视为同一人，enrol 视为共用电话的两个人。",
        "The same phone as {name} in {cell}: `skip` leaves this row out, `merge` takes both for one person, `enrol` for two who share it.",
    ),
    "name-and-building-twice": (
        "与 {cell} 同名同楼栋：skip 不导入此行，merge 视为同一人，enrol 视为两个人。",
        "The same name and building as in {cell}: `skip` leaves this row out, `merge` takes both for one person, `enrol` for two.",
    ),
    "same-name": (
        "与 {cell} 同名，无法由出生年月、性别或编号区分：skip 不导入此行，merge 视为同一人，enrol 视为两个人。",
        "The same name as in {cell}, and neither birth, gender nor number tells them apart: `skip`, `merge` into one, or `enrol` both.",
    ),
    "namesake": (
        "与 {cell} 同名，但出生年月、性别或编号不同：按两个人登记。",
        "The same name as in {cell}, but another birth, gender or number: enrolled as two people.",
    ),
    "phone-enrolled": (
        "电话与已登记的人员（编号 {handle}）相同、姓名不同：skip 不导入，merge 视为该人，enrol 另行登记。",
        "Somebody with another name (handle {handle}) has this phone already: `skip`, `merge` into them, or `enrol` separately.",
    ),
    "name-and-building-enrolled": (
        "同名同楼栋的人员已登记（编号 {handle}）：skip 不导入，merge 视为该人，enrol 另行登记。",
        "Somebody of this name and building (handle {handle}) is enrolled already: `skip`, `merge` into them, or `enrol` separately.",
    ),
    "number-enrolled": (
        "此志愿者编号已登记（编号 {handle}）：skip 不导入，merge 视为该人，enrol 另行登记。",
        "This volunteer number is enrolled already (handle {handle}): `skip`, `merge` into them, or `enrol` separately.",
    ),
}

#: By the code of a fault in a row of the national table.
FAULTS: dict[str, tuple[str, str]] = {
    "area-code-malformed": ("代码应为 2 至 12 位数字。", "A code is 2 to 12 digits."),
    "area-code-twice": ("此代码在表中出现过。", "This code stands in the table already."),
    "area-name-malformed": ("名称应为 1 至 100 个可见字符。", "A name is 1 to 100 visible characters."),
    "area-level-unknown": (
        "级别应为 province、city、county、township、village 之一。",
        "A level is one of province, city, county, township, village.",
    ),
    "area-parent-missing": ("缺少上级代码：只有省级没有上级。", "The parent's code is missing: only a province has none."),
    "area-parent-unknown": ("没有此代码的上级。", "There is no area with this parent's code."),
    "area-parent-not-above": ("上级的级别应高于本级。", "The parent has to be of a level above."),
}


def about_doubt(doubt: Doubt) -> str:
    """Return the doubt's sentences, Chinese above English."""
    chinese, english = DOUBTS[doubt.code]
    return f"{chinese.format_map(doubt.data)}\n{english.format_map(doubt.data)}"


#: By the column of a fault in a row of a tariff's table.
RATE_FAULTS: dict[str, tuple[str, str]] = {
    "category": ("没有这个类别。", "There is no such category."),
    "deed": ("英文名为空，或表中已有。", "The English name is empty, or stands in the table already."),
    "deed_zh": ("没有中文名。", "The Chinese name is missing."),
    "unit": ("单位应为 hour、deed、activity 之一。", "A unit is one of hour, deed, activity."),
    "points": ("分值应为正整数。", "Points are a whole number, 1 or more."),
}


def about_rate_fault(fault: RateFault) -> str:
    """Return the sentences about a fault of a tariff's table with its line and column, Chinese above English."""
    return _at(fault.line, fault.column, fault.value, RATE_FAULTS[fault.column])


def about_fault(fault: RowFault) -> str:
    """Return the fault's sentences with its line and column, Chinese above English."""
    return _at(fault.line, fault.column, fault.value, FAULTS[fault.code])


def _at(line: int, column: str, value: str, words: tuple[str, str]) -> str:
    says = f"“{value[:40]}”"
    return f"第 {line} 行 {column} 列 {says}：{words[0]}\nline {line}, column {column} {says}: {words[1]}"
