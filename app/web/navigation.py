"""Which pages there are, in the order in which the navigation shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, request

blueprint = Blueprint("navigation", __name__)


@dataclass(frozen=True)
class Entry:
    """One page: its address, its name, and whether it stands in the row or behind More."""

    address: str
    label: str
    section: str

    @property
    def first(self) -> str:
        """The first part of the address, which all pages below this one share."""
        return self.address.split("/")[1]


#: An entry whose address has no route yet is left out.
ENTRIES = (
    Entry("/dashboard", "Dashboard", "row"),
    Entry("/control", "Control", "row"),
    Entry("/files", "Files", "row"),
    Entry("/batches", "Batches", "row"),
    Entry("/dates", "Dates", "row"),
    Entry("/journal", "Journal", "row"),
    Entry("/settings", "Settings", "row"),
    Entry("/preview", "Preview", "more"),
    Entry("/peer", "Peer", "more"),
    Entry("/runs", "Runs", "more"),
    Entry("/failed", "Failed files", "more"),
    Entry("/findings", "Findings", "more"),
    Entry("/duplicates", "Duplicates", "more"),
    Entry("/logs", "Logs", "more"),
    Entry("/tree", "Tree", "more"),
    Entry("/why", "Why?", "more"),
    Entry("/diagnostics", "Diagnostics", "more"),
    Entry("/welcome", "Set-up", "more"),
    Entry("/docs", "API", "more"),
)


def entries() -> list[Entry]:
    """The entries whose pages this application has."""
    known = {rule.rule for rule in current_app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    return [entry for entry in ENTRIES if entry.address in known]


@blueprint.app_context_processor
def _navigation() -> dict[str, Any]:
    """What base.html needs: the entries by section, and the one whose page, or a page below it, is shown."""
    found = entries()
    first = request.path.split("/")[1]
    return {
        "navigation": {section: [one for one in found if one.section == section] for section in ("row", "more")},
        "here": next((one for one in found if one.first == first), None),
    }
