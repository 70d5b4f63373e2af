"""What the typesetter makes of data: everything is text, and nothing of the machine is needed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ledger.web.kit import printing
from tests.conftest import START
from tests.web.pages.papers import read

ROOT = Path(__file__).parents[3]


def a_passbook(lines: int, *, name: str = "王堃", what: str = "陪邻居就医") -> dict[str, Any]:
    row = {"day": "2026-11-23", "what": what, "amount": "+50", "is_in": True, "after": "1,280"}
    words = {
        "title": "善行存折",
        "columns": ["序号", "日期", "事由", "积分", "结余"],
        "proof_room": ["验证码印在这里"],
        "foot": ["https://shan.example"],
        "sums": "",
        "page": "{0}/{1}",
        "empty": "",
    }
    about = {"lang": "zh", "title": "善行存折 2026", "book": "鼓楼区善行存折", "period": "2026 年", "name": name, "number": "No. 4271 8836"}
    return about | {"rows_a_page": 16, "rows": [row | {"number": str(number)} for number in range(1, lines + 1)], "words": words}


def test_two_hundred_lines_are_thirteen_pages_and_each_line_is_there_once() -> None:
    paper = read(printing.pdf("passbook", a_passbook(200), START))
    assert paper.sizes == [(148.0, 210.0)] * 13
    numbers = [said.split(" ")[0] for page in paper.lines for _, said in page if said.endswith("陪邻居就医 +50 1,280")]
    assert numbers == [str(number) for number in range(1, 201)]
    assert [page.split("\r\n")[-1] for page in paper.pages] == [f"https://shan.example {number}/13" for number in range(1, 14)]


def test_the_same_data_at_the_same_moment_is_the_same_file() -> None:
    assert printing.pdf("passbook", a_passbook(20), START) == printing.pdf("passbook", a_passbook(20), START)


WRITTEN = [
    "<script>alert(1)</script>",
    "#panic()",
    "*粗*_斜_",
    "$x^2$ @see <label>",
    '#read("/etc/passwd")',
    '#include "look.typ"',
    "[[]]{}\\",
    '"}; DROP',
    "{0}",
    "= 标题",
    "- 一",
    "https://x.example",
    "1--2...",
]


@pytest.mark.parametrize("written", WRITTEN)
def test_what_people_wrote_is_printed_as_they_wrote_it(written: str) -> None:
    paper = read(printing.pdf("passbook", a_passbook(1, name=written, what=written), START))
    assert paper.text.count(written) == 2


def test_rare_characters_of_names_are_printed() -> None:
    data = a_passbook(1, name="堃喆珺翀㛃䶮𬤇𫖮𬱖")
    assert "堃喆珺翀㛃䶮𬤇𫖮𬱖" in read(printing.pdf("passbook", data, START)).text


def test_every_font_lies_in_the_file_and_is_one_of_ours() -> None:
    fonts = read(printing.pdf("passbook", a_passbook(2), START)).fonts
    assert set(fonts.values()) == {True}
    assert {name.split("+")[1] for name in fonts} == {"NotoSansSC-Regular", "NotoSerifSC-Bold"}


def test_a_long_deed_keeps_to_its_row() -> None:
    short, long = (read(printing.pdf("passbook", a_passbook(16, what=what), START)).lines[0] for what in ("短", "很长的一件好事，" * 30))
    ends = [max(middle for middle, said in lines if said.startswith("16")) for lines in (short, long)]
    assert ends[0] == pytest.approx(ends[1], abs=1.5)


def test_several_are_typeset_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda lines: printing.pdf("passbook", a_passbook(lines), START), range(1, 33)))
    # They are read one after the other: pdfium, which reads, must not be called from two threads.
    assert [len(read(paper).beginning_with(f"{lines} 2026")) for lines, paper in enumerate(made, 1)] == [1] * 32


def test_a_machine_without_fonts_and_layout_libraries_prints_the_same(tmp_path: Path) -> None:
    """Another process, with no fonts to be found and nothing in its environment."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from ledger.web.kit import printing\n"
        "from tests.conftest import START\n"
        "from tests.web.pages.test_prints_typeset import a_passbook\n"
        "sys.stdout.buffer.write(printing.pdf('passbook', a_passbook(20), START))\n"
    )
    bare = {"HOME": str(tmp_path), "FONTCONFIG_PATH": str(tmp_path), "FONTCONFIG_FILE": "/dev/null", "PATH": ""}
    made = subprocess.run([sys.executable, "-c", script, str(ROOT)], env=bare, capture_output=True, check=True, cwd=tmp_path)
    assert made.stdout == printing.pdf("passbook", a_passbook(20), START)
