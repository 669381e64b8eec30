"""Every page that a person can open, and rows that give each something to show: for what holds for all of them.

A page adds itself to PAGES in the change that brings it. `fill_all` makes asset 1, batch 1 and run 1 among others.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.db import assets, findings
from app.db.connection import Connection
from app.db.findings import NewFinding
from app.model import FindingKind, RootKind, Signature
from app.services import Services
from tests.browser import doubts, rows


@dataclass(frozen=True)
class Listed:
    """A page by its address, and by the heading that says that it is the one."""

    address: str
    heading: str


PAGES = (
    Listed("/dashboard", "Dashboard"),
    Listed("/control", "Control"),
    Listed("/runs", "Runs"),
    Listed("/runs/1", "Run 1"),
    Listed("/batches", "Batches"),
    Listed("/batches/4", "Batch batch_004"),
    Listed("/batches/1/undo", "Take a batch back"),
    Listed("/batches/4/missing", "Missing files"),
    Listed("/preview", "Preview"),
    Listed("/peer", "Peer"),
    Listed("/diagnostics", "Diagnostics"),
    Listed("/diagnostics?about=everything", "Diagnostics"),
    Listed("/dates", "Dates"),
    Listed("/dates/decided", "Decided dates"),
    Listed("/tree?depth=2", "Tree"),
    Listed("/why?file=1", "Why is a file where it is?"),
    Listed("/journal", "Journal"),
    Listed("/settings", "Settings"),
    Listed("/settings/text?line=3", "Settings as text"),
    Listed("/settings/history", "History of the settings"),
    Listed("/logs", "Logs"),
    Listed("/welcome/folders", "Set-up"),
    Listed("/welcome/target", "Set-up"),
    Listed("/welcome/rehearsal", "Set-up"),
    Listed("/files", "Files"),
    Listed("/files?view=grid&status=discovered", "Files"),
    Listed("/files/1", "000000.jpg"),
    Listed("/duplicates", "Duplicates"),
    Listed("/failed", "Failed files"),
    Listed("/failed?show=set_aside", "Failed files"),
    Listed("/findings", "Findings"),
    Listed("/docs", "API"),
    Listed("/problems", "Problems"),
    Listed("/no-such-page", "No such address"),
)

#: Names that try to break a page: markup, lines, direction, length, and bytes that are no text.
HOSTILE = (
    b"<script>document.title='broken'</script>.jpg",
    b"a\nname\nof\tlines.jpg",
    "\u202egpj.elif \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627.jpg".encode(),
    b"x" * 251 + b".jpg",
    b"\"'><img src=x onerror=alert(1)>&amp;.jpg",
    b"not-text-\xff\xfe.jpg",
)


def fill_all(services: Services) -> None:
    """Files of every status, batches, a running run, a delivery under way, doubtful dates, hostile names."""
    rows.fill(services)
    rows.start_run(services)
    rows.add_syncing_batch(services)
    doubts.fill_dates(services, 60)
    with services.db.transaction() as conn:
        add_hostile(conn, services)
        add_findings(conn, services)


def add_hostile(conn: Connection, services: Services) -> None:
    """A file of each hostile name in the ingest folder."""
    root = services.root(RootKind.INGEST)
    found = [(b"hostile/" + name, Signature(1, 5_000_000 + n, 10, 1, 1), None) for n, name in enumerate(HOSTILE)]
    assets.insert_discovered(conn, root.id, found)


def add_findings(conn: Connection, services: Services) -> None:
    """A finding of each kind that a verification makes, as run 1 would have left them."""
    root, size, why = services.root(RootKind.ARCHIVE), 3_456_789, "It holds something else than it did."
    names = (FindingKind.ALTERED, FindingKind.MISSING, FindingKind.UNREADABLE, FindingKind.FOREIGN)
    found = [
        NewFinding(kind, 1 if kind is not FindingKind.FOREIGN else None, root.id, b"2024/05/%d.jpg" % n, size, why,
                   sha256="5a" * 32 if kind is FindingKind.ALTERED else None)
        for n, kind in enumerate(names)
    ]  # fmt: skip
    findings.put(conn, 1, found)
