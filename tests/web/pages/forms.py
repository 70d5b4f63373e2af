"""A reader of pages: gets one, reads the forms on it, and sends them as a browser without JavaScript would."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@dataclass
class Form:
    """A form as it was drawn: where it goes, and what it carries before anything is filled in."""

    action: str
    method: str = "get"
    fields: dict[str, list[str]] = field(default_factory=dict)
    #: What can be ticked or chosen, by name.
    choices: dict[str, list[str]] = field(default_factory=dict)
    #: The buttons that have a name and a value.
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._inside: Form | None = None
        self._select: str | None = None
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        if tag == "form":
            self._inside = Form(has.get("action") or self.path, has.get("method", "get").lower())
            self.forms.append(self._inside)
        elif self._inside is not None:
            self._field(self._inside, tag, has)

    def _field(self, form: Form, tag: str, has: dict[str, str]) -> None:
        name = has.get("name", "")
        if tag == "input" and has.get("type") in {"checkbox", "radio"}:
            form.choices.setdefault(name, []).append(has["value"])
            if "checked" in has:
                form.fields.setdefault(name, []).append(has["value"])
        elif tag == "input" and name and has.get("type") != "file":
            form.fields.setdefault(name, []).append(has.get("value", ""))
        elif tag == "button" and name:
            form.buttons.append((name, has["value"]))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            form.choices.setdefault(self._select, []).append(has["value"])
            if "selected" in has or self._select not in form.fields:
                form.fields[self._select] = [has["value"]]
        elif tag == "textarea":
            self._area = name
            form.fields[name] = [""]

    def handle_data(self, data: str) -> None:
        if self._inside is not None and self._area:
            self._inside.fields[self._area][0] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None


@dataclass
class Page:
    """A page that was got: its answer, text, links and forms."""

    response: TestResponse
    client: FlaskClient
    path: str

    def __post_init__(self) -> None:
        reader = _Reader(self.path)
        reader.feed(self.text)
        self.forms, self.links = reader.forms, reader.links

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        return self.response.get_data(as_text=True)

    def form(self, action: str | None = None) -> Form:
        """Return the form that goes to `action` (its last part is enough), or the page's first that is not the footer's."""
        found = [form for form in self.forms if form.method == "post" and not form.action.endswith("/sign-out")]
        return next(form for form in found if action is None or form.action.endswith(action))

    def send(self, action: str | None = None, **filled: Any) -> Page:
        """Fill a form in and send it, following where it leads; None leaves a field out."""
        form = self.form(action)
        data = {name: values for name, values in (form.fields | filled).items() if values is not None}
        return opened(self.client, form.action, data)


def opened(client: FlaskClient, path: str, data: dict[str, Any] | None = None, **more: Any) -> Page:
    """Get a page, or send a form where there is `data`, following redirects."""
    response = client.get(path, **more) if data is None else client.post(path, data=data, **more)
    while response.status_code in {301, 302, 303, 307, 308}:
        path = response.headers["Location"]
        response = client.get(path)
    return Page(response, client, path)
