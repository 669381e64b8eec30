"""The verify stage: is every file still what it was, and does anything lie in our folders that no row knows?

No file is touched, and no asset changes its status: what is not as it should be becomes a finding, and a person says
what is right. A run that is cut off goes on with what it has not read yet.
"""

from __future__ import annotations

from app.db import confirmation
from app.files.roots import check_roots
from app.model import Report
from app.pipeline.failing import finish_interrupted_moves
from app.pipeline.step import StepContext
from app.pipeline.verify.content import Content
from app.pipeline.verify.exchanged import join_exchanged
from app.pipeline.verify.moved import join_moved
from app.pipeline.verify.scope import scope_of
from app.pipeline.verify.stint import Stint, TimeIsUp, rest
from app.pipeline.verify.telling import finish
from app.pipeline.verify.tree import Tree
from app.services import Services

__all__ = ["run"]


def run(services: Services, step: StepContext) -> Report:
    """Read every file that is due, walk the folders, and tell what was found. Raises RootUnavailable.

    After `scope.max_minutes` the run rests: it waits, and others go first.
    """
    scope = scope_of(services, step)
    stint = Stint(scope.max_minutes)
    check_roots(services.db, list(scope.roots))
    _finish_moves(services)
    content, tree = Content(services, step, scope, stint), Tree(services, step, scope, stint)
    try:
        content.run()
        tree.run()
    except TimeIsUp:
        return rest(services, step, scope)
    # Believed only once every folder was there to the end.
    check_roots(services.db, list(scope.roots))
    # In one transaction: cut off in between, a file that was moved would be taken for two.
    with services.db.transaction() as conn:
        join_moved(conn, scope)
        join_exchanged(conn, scope)
        return finish(conn, scope, content.counts, tree.passed_over, [*content.failures, *tree.failures])


def _finish_moves(services: Services) -> None:
    """A file in the middle of a move would be missing in one place and foreign in the other."""
    with services.db.reading() as conn:
        may_move = confirmation.awaited_since(conn) is None
    if may_move:
        finish_interrupted_moves(services.db)
