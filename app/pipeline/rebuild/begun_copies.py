"""Copies that were cut off: where it is certain which file they are of, recovery may remove them.

They must not stay: a batch folder is published with all that is in it. A row of the journal is made again for each,
and recovery, which re-reads the source first, does the rest once files may move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.db import rebuild_files, rebuild_rows
from app.db.rebuild_files import Sighting
from app.db.rebuild_rows import Content
from app.files.leftovers import is_begun_copy
from app.model import Place, Root
from app.pipeline.rebuild.areas import LASTING
from app.pipeline.rebuild.contents import WORDS, Finding
from app.pipeline.step import StepContext
from app.services import Services

#: So many files of the same size are compared with a leftover at most.
CANDIDATES = 200


def settle_begun_copies(services: Services, step: StepContext, walked: Sequence[Root]) -> None:
    """Find the source of every leftover, by reading both."""
    roots = {root.id: root for root in walked}
    with services.db.reading() as conn:
        leftovers = rebuild_files.list_by_finding(conn, Finding.UNFINISHED_COPY.value)
    for leftover in leftovers:
        step.safe_point(0, 0)
        with services.db.reading() as conn:
            candidates = rebuild_files.list_of_size(conn, leftover.size_bytes, LASTING, CANDIDATES)
        source = _source_of(leftover, candidates, roots)
        if source is not None:
            _note(services, leftover, source)


def _source_of(leftover: Sighting, candidates: Sequence[Sighting], roots: Mapping[int, Root]) -> Sighting | None:
    for one in candidates:
        if leftover.sha256 is not None and leftover.sha256 == one.sha256:
            return one
    temp = Place(roots[leftover.root_id], leftover.path)
    return next((one for one in candidates if is_begun_copy(temp, Place(roots[one.root_id], one.path))), None)


def _note(services: Services, leftover: Sighting, source: Sighting) -> None:
    content = Content(source.digest or "", source.digest_algorithm or "", source.size_bytes)
    places = (source.root_id, source.path), (leftover.root_id, leftover.path)
    with services.db.transaction() as conn:
        if not rebuild_rows.note_begun_copy(conn, *places, content):
            return
        found = (leftover.id, None, Finding.BEGUN_COPY.value, WORDS[Finding.BEGUN_COPY])
        rebuild_files.write_findings(conn, [found])
