"""Finding the heading of an office's table, and which column holds what, whatever order and words were used."""

from __future__ import annotations

from ledger import sheets
from ledger.sheets import Heading
from ledger.sheets import Sheet
from ledger.sheets import Value
from ledger.sheets import heading_word

#: Words that a heading may use, spaces and brackets left out. The first field whose word is the whole heading wins.
WORDS: dict[str, tuple[str, ...]] = {
    "serial": ("序号", "编号", "序列", "no", "no."),
    "name": ("姓名", "名字", "志愿者姓名", "居民姓名", "人员姓名", "成员姓名", "队员姓名", "户主姓名", "志愿者", "name", "fullname"),
    "phone": (
        *(
            "联系电话",
            "电话",
            "手机",
            "手机号",
            "手机号码",
            "联系方式",
            "电话号码",
            "联系手机",
            "移动电话",
            "联系号码",
            "本人电话",
            "联系人电话",
        ),
        *("固定电话", "座机", "电话/手机", "手机/电话", "phone", "mobile", "tel", "telephone"),
    ),
    "gender": ("性别", "男/女", "gender", "sex"),
    "birth": (
        "出生年月",
        "出生日期",
        "出生年月日",
        "生日",
        "出生",
        "出生时间",
        "出生月份",
        "birth",
        "birthday",
        "dateofbirth",
        "birthmonth",
    ),
    "identity": ("身份证号", "身份证", "身份证号码", "公民身份号码", "公民身份证号", "证件号码", "证件号", "idnumber", "idcard"),
    "grid": ("网格", "所属网格", "网格名称", "所在网格", "网格号", "网格编号", "微网格", "grid"),
    "building": (
        *(
            "楼栋",
            "楼号",
            "楼栋号",
            "栋号",
            "幢号",
            "楼幢",
            "楼栋单元",
            "住址",
            "地址",
            "家庭住址",
            "居住地址",
            "详细地址",
            "现住址",
            "家庭地址",
        ),
        *("门牌号", "门牌", "居住地", "单元", "单元号", "室号", "房号", "房间号", "building", "address"),
    ),
    "household": ("家庭编号", "户号", "家庭号", "户编号", "家庭户号", "户籍编号", "家庭", "household"),
    "volunteer_number": ("志愿者编号", "志愿者号", "志愿者证号", "志愿编号", "志愿者注册号", "志愿服务证号", "volunteernumber"),
    "note": ("备注", "说明", "备考", "其他", "其它", "职务", "角色", "身份", "类别", "人员类别", "note", "notes", "remark", "remarks"),
}
_FIELD_OF = {word: field for field, words in WORDS.items() for word in words}
#: Fields that several columns may fill together.
SEVERAL = frozenset({"building", "note", "phone"})


def field_of(value: Value) -> str | None:
    """Return the field that a heading names, or None."""
    return _FIELD_OF.get(heading_word(value))


def heading_of(sheet: Sheet) -> Heading | None:
    """Return the heading of a sheet of people, or None where there is none."""
    return sheets.heading_of(sheet, field_of, main="name", several=SEVERAL)


def is_heading_again(values: list[Value], heading: Heading) -> bool:
    """Tell whether a row only repeats the heading, as at the top of each printed page."""
    return any(column < len(values) and field_of(values[column]) == "name" for column in heading.columns["name"])
