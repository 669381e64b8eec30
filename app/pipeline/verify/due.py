"""Which files are to be read, in which order: those never verified, then those verified longest ago; page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from app.db import verification
from app.db.connection import Connection
from app.db.verification import Expected
from app.model import Root
from app.pipeline.verify.scope import Scope
from app.services import Services

PAGE = 1_000

List = Callable[[Connection, Expected | None, int], list[Expected]]


def due_files(services: Services, scope: Scope) -> Iterator[tuple[Root, Expected]]:
    """Every file that has to be read by its age, and has not been read by this run."""
    for root in scope.roots:
        for pages in (
            partial(_never, root, scope),
            partial(_long_ago, root, scope),
            partial(_copies, root, scope),
        ):
            for expected in _every(services, pages):
                yield root, expected


def other_files(services: Services, scope: Scope, root: Root) -> Iterator[Expected]:
    """Every file under a root that was verified lately, but not in this stint of the run; folder by folder."""
    return _every(services, partial(_lately, root, scope))


def _every(services: Services, pages: List) -> Iterator[Expected]:
    last: Expected | None = None
    while True:
        with services.db.reading() as conn:
            page = pages(conn, last, PAGE)
        if not page:
            return
        yield from page
        last = page[-1]


def _never(root: Root, scope: Scope, conn: Connection, after: Expected | None, limit: int) -> list[Expected]:
    return verification.list_never_verified(conn, root.id, scope.run_id, after, limit)


def _long_ago(root: Root, scope: Scope, conn: Connection, after: Expected | None, limit: int) -> list[Expected]:
    return verification.list_verified_before(conn, root.id, scope.run_id, scope.before, after, limit)


def _lately(root: Root, scope: Scope, conn: Connection, after: Expected | None, limit: int) -> list[Expected]:
    between = (scope.before, scope.stint_at)
    return verification.list_verified_lately(conn, root.id, scope.run_id, between, after, limit)


def _copies(root: Root, scope: Scope, conn: Connection, after: Expected | None, limit: int) -> list[Expected]:
    return verification.list_copies(conn, root.id, scope.run_id, scope.before, after, limit)
