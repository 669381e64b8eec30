"""What a browser without scripts would send: the controls of a form on a page, as they stand there."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from werkzeug.datastructures import MultiDict


class Form(HTMLParser):
    """The controls of the form with this id; `values` by name, `buttons` by their words."""

    def __init__(self, page: str, form_id: str) -> None:
        super().__init__()
        self.form_id, self.inside = form_id, False
        self.values: MultiDict[str, str] = MultiDict()
        self.disabled: set[str] = set()
        self._area: str | None = None
        self._choice: tuple[str, bool] | None = None
        self._option: dict[str, Any] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inside = self.inside or (tag == "form" and given.get("id") == self.form_id)
        if not self.inside:
            return
        name = given.get("name") or ""
        if "disabled" in given and tag in ("input", "select", "textarea"):
            self.disabled.add(name)
        elif tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.values[name] = given.get("value") or ""
        elif tag == "textarea":
            self._area, self.values[name] = name, ""
        elif tag == "select":
            self._choice = (name, False)
        elif tag == "option" and self._choice is not None:
            self._option = {"selected": "selected" in given}

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.values[self._area] += data
        if self._option is not None and self._choice is not None:
            name, is_chosen = self._choice
            if self._option["selected"] or (not is_chosen and name not in self.values):
                self.values[name] = data
            self._choice, self._option = (name, is_chosen or self._option["selected"]), None

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None:
            # A browser drops the first line break and sends every other one as two characters.
            text = self.values[self._area].removeprefix("\n")
            self.values[self._area] = text.replace("\r\n", "\n").replace("\n", "\r\n")
            self._area = None
        if tag == "select":
            self._choice = None
        if tag == "form":
            self.inside = False
