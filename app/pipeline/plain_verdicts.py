"""The verdicts of app/pipeline/verdicts.py on most files of most libraries, without weighing each of them.

* A group of which no new member is like any other file is unique, as `judge` finds when there are no originals.
* New files with one content, each alone in its group and media, are one original and its duplicates: `judge` takes
  the groups with the oldest first, and what it has kept is the original of what comes later.

All that is not as plain as that is left to `judge`: members of one group that are alike, sidecars, second names of one
file, groups with duplicates from before, and what is like something that has gone on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from app.db import unlike
from app.db.unlike import Copy
from app.files.walk import Looks, is_media
from app.model import AssetStatus, Root
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

#: Files judged and written in one transaction.
SLICE = 5_000
#: Contents in one: copies lie all over the table, and each changes pages of its own.
CONTENTS = 500


def mark_unlike(services: Services, step: StepContext, tally: Tally) -> None:
    """Mark everything unique that is like no other file, in groups that need no weighing."""
    with services.db.reading() as conn:
        entangled = set(unlike.list_entangled(conn))
    last = 0
    while True:
        with services.db.reading() as conn:
            page = unlike.list_discovered(conn, last, SLICE)
        if not page:
            return
        last = page[-1][0]
        verdicts = [(asset_id, None, size_bytes) for asset_id, key, size_bytes in page if key not in entangled]
        with services.db.transaction() as conn:
            unlike.mark(conn, verdicts)
        tally.counts[AssetStatus.UNIQUE.value] += len(verdicts)
        step.safe_point(tally.counts["read"], tally.counts["read"], tally.size_bytes)


def mark_copies(services: Services, step: StepContext, tally: Tally) -> None:
    """Mark the plain copies: of each content the first is unique, if it is still what was read, and the others lean
    on it."""
    roots = {root.id: root for of_kind in services.roots.values() for root in of_kind}
    with services.db.reading() as conn:
        digests = unlike.list_copied(conn)
    for start in range(0, len(digests), CONTENTS):
        with services.db.reading() as conn:
            copies = unlike.list_copies(conn, digests[start : start + CONTENTS])
        verdicts = list(_verdicts(copies, roots))
        with services.db.transaction() as conn:
            unlike.mark(conn, verdicts)
        duplicates = sum(1 for _, original_id, _ in verdicts if original_id is not None)
        tally.counts[AssetStatus.DUPLICATE.value] += duplicates
        tally.counts[AssetStatus.UNIQUE.value] += len(verdicts) - duplicates
        step.safe_point(tally.counts["read"], tally.counts["read"], tally.size_bytes)


def _verdicts(copies: Sequence[Copy], roots: Mapping[int, Root]) -> Iterator[tuple[int, int | None, int]]:
    plain = [
        sorted(same, key=_rank)
        for same in (list(group) for _, group in groupby(sorted(copies, key=_digest), key=_digest))
        if _are_plain(same)
    ]
    standing = _still_there((same[0] for same in plain), roots)
    for first, *others in plain:
        if first.id in standing:
            yield first.id, None, first.signature.size_bytes
            yield from ((other.id, first.id, other.signature.size_bytes) for other in others)


def _are_plain(same: Sequence[Copy]) -> bool:
    is_alike = all(copy.is_plain and copy.signature.size_bytes and is_media(copy.path) for copy in same)
    names = {(copy.signature.device, copy.signature.inode) for copy in same}
    return is_alike and len(names) == len(same) > 1


def _still_there(firsts: Iterable[Copy], roots: Mapping[int, Root]) -> set[int]:
    """The ids of those that lie at their places as they were read; folder by folder, so that each is opened once."""
    found: set[int] = set()
    for root_id, of_root in groupby(sorted(firsts, key=_place), key=lambda copy: copy.root_id):
        if root_id not in roots:
            continue
        with Looks(roots[root_id]) as looks:
            found.update(copy.id for copy in of_root if _is_as_read(looks, copy))
    return found


def _is_as_read(looks: Looks, copy: Copy) -> bool:
    try:
        return looks.signature_at(copy.path) == copy.signature
    except OSError:
        return False


def _digest(copy: Copy) -> str:
    return copy.digest


def _place(copy: Copy) -> tuple[int, bytes, bytes]:
    folder, _, name = copy.path.rpartition(b"/")
    return copy.root_id, folder, name


def _rank(copy: Copy) -> tuple[int, int, bytes, int]:
    """As the order in which groups of one file each are judged."""
    return copy.signature.mtime_ns, len(copy.path), copy.path, copy.id
