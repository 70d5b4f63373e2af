"""Every template is used, every text is translated, and nothing in them is what a page may not hold."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from babel.support import Translations

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
TRANSLATED = ROOT / "translations" / "en" / "LC_MESSAGES"


def texts() -> set[str]:
    """Every text that goes through gettext, in the pages and behind them."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as config:
        methods, options = parse_mapping_cfg(config, "babel.cfg")
    found = extract_from_dir(ROOT, methods, options, directory_filter=lambda path: not Path(path).name.startswith("."))
    return {text if isinstance(text, str) else text[0] for _, _, text, *_ in found}


def catalog() -> Catalog:
    with (TRANSLATED / "messages.po").open("rb") as file:
        return read_po(file)


def test_every_text_is_translated_and_none_is_doubtful() -> None:
    english = catalog()
    translated = {message.id: message for message in english if message.id}
    assert {text for text in texts() if text not in translated or not translated[text].string} == set()
    assert [text for text, message in translated.items() if message.fuzzy] == []


def test_no_translation_is_of_a_text_that_is_gone() -> None:
    assert {message.id for message in catalog() if message.id} - texts() == set()


def test_the_compiled_translations_are_those_of_the_source() -> None:
    with (TRANSLATED / "messages.mo").open("rb") as file:
        compiled = read_mo(file)
    assert {message.id: message.string for message in compiled if message.id} == {
        message.id: message.string for message in catalog() if message.id
    }


def test_a_translation_fills_in_what_its_text_fills_in() -> None:
    placeholder = re.compile(r"%\((\w+)\)s")
    pairs = [(str(message.id), str(message.string)) for message in catalog() if message.id]
    odd = [text for text, said in pairs if set(placeholder.findall(text)) != set(placeholder.findall(said))]
    assert odd == []


def test_no_translation_is_left_in_chinese() -> None:
    assert [message.id for message in catalog() if message.id and re.search(r"[\u4e00-\u9fff]", str(message.string))] == []


def test_the_language_of_the_pages_is_chosen_from_the_same_catalogue() -> None:
    assert Translations.load(str(ROOT / "translations"), ["en"]).gettext("善行存折") == "Good-Deed Passbook"


def used() -> set[str]:
    """The templates that a view names, or that another template extends, includes or imports."""
    named: set[str] = set()
    for path in (*(ROOT / "ledger").rglob("*.py"), *(ROOT / "redeem").rglob("*.py")):
        strings = (node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant))
        named |= {text for text in strings if isinstance(text, str) and text.endswith(".html")}
    for path in TEMPLATES:
        named |= set(re.findall(r'{%-?\s*(?:extends|from|import|include)\s+"([^"]+)"', path.read_text("utf-8")))
    return named


def test_every_template_is_used_and_every_one_that_is_named_is_there() -> None:
    assert {str(path.relative_to(ROOT / "templates")) for path in TEMPLATES} == used()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_holds_no_script_and_no_style_and_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    # A module of our own may add to a page; none works by it alone.
    text = re.sub(r"""<script type="module" src="{{ url_for\('static', filename='js/[a-z-]+\.js'\) }}"></script>""", "", text)
    assert re.search(r"<script|<style|\sstyle=|\son\w+=|https?://|\|\s*safe\b|autoescape", text) is None


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_what_people_read_in_a_template_goes_through_gettext(path: Path) -> None:
    # The other language's own name stands as it is, whatever the language of the page.
    bare = re.sub(r"{#.*?#}|{{.*?}}|{%.*?%}", "", path.read_text("utf-8"), flags=re.DOTALL).replace("中文", "")
    assert re.findall(r"[\u4e00-\u9fff]+", bare) == []


def test_the_stylesheets_name_nothing_that_no_page_has() -> None:
    sheets = "\n".join(path.read_text("utf-8") for path in (ROOT / "static/css").glob("*.css"))
    css = re.sub(r"/\*.*?\*/", "", sheets, flags=re.DOTALL)
    classes = {name for selector in re.findall(r"([^{}]+)\{", css) for name in re.findall(r"\.([a-z][\w-]*)", selector)}
    pages = "\n".join(path.read_text("utf-8") for path in TEMPLATES) + (ROOT / "ledger/web/kit/qr.py").read_text("utf-8")
    assert {name for name in classes if not re.search(rf"\b{name}\b", pages)} == set()


def test_pages_are_light() -> None:
    assert (ROOT / "static/css/app.css").stat().st_size < 24_000
