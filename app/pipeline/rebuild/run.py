"""The rebuild: rows made again, or put right, from the manifests and from every file on disk.

Read the manifests, look at every file and read it once, decide batch by batch and content by content, and write rows.
No file is touched. Cut off anywhere, it begins again and finds what it has written so far: rows that are right
stay, and no file is read twice. What it found waits for a person's word before anything moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.db import (
    assets,
    confirmation,
    journal,
    rebuild_entries,
    rebuild_files,
    rebuild_findings,
    rebuild_rows,
    rebuild_unread,
    totals,
    unrecorded,
)
from app.db.connection import Connection
from app.files.capture_time.choose import WEAK_SOURCES
from app.files.kinds import SIDECAR_SUFFIXES, TAKEOUT_SUFFIX
from app.files.roots import check_roots
from app.model import Failure, Report, Root, RootKind
from app.pipeline.rebuild.altered import Altered
from app.pipeline.rebuild.batch_rows import count_batches, settle_batches
from app.pipeline.rebuild.batch_verdicts import BatchVerdict
from app.pipeline.rebuild.begun_copies import settle_begun_copies
from app.pipeline.rebuild.claims import Modes
from app.pipeline.rebuild.contents import decide
from app.pipeline.rebuild.decisions import settle_decisions
from app.pipeline.rebuild.elsewhere import homes_of_sidecars
from app.pipeline.rebuild.manifests import read_manifests
from app.pipeline.rebuild.owners import Owners
from app.pipeline.rebuild.parted import days_of_parted
from app.pipeline.rebuild.report import GivenUp, in_words, make_report
from app.pipeline.rebuild.sightings import see_everything, walked_roots
from app.pipeline.rebuild.unread import settle_unread
from app.pipeline.rebuild.writing import Writer, newest_groups
from app.pipeline.step import StepContext
from app.services import Services

#: Contents decided and written in one transaction.
SLICE = 500
SIDECAR_ENDINGS = [suffix.decode() for suffix in (*SIDECAR_SUFFIXES, TAKEOUT_SUFFIX)]


def run(services: Services, step: StepContext) -> Report:
    """Make the rows agree with the disk.

    Raises RootUnavailable before a missing folder is taken for an empty one, and Conflict when nobody would be asked.
    """
    with services.db.transaction() as conn:
        confirmation.begin_rebuild(conn)
        rebuild_findings.have_read_again(conn)
    walked = walked_roots(services)
    check_roots(services.db, walked)
    heads, bad_manifests = read_manifests(services, step)
    with services.db.reading() as conn:
        sizes = rebuild_entries.sizes(conn)
    see_everything(services, step, sizes)
    # A share that went away meanwhile looks empty: nothing is believed to be missing before its marker is seen again.
    check_roots(services.db, walked)
    with services.db.reading() as conn:
        altered = Altered.find(conn)
    verdicts = settle_batches(services, step, heads, altered)
    created = {head.batch_id: head.created_at for head in heads}
    _Deciding(services, step, walked, verdicts, altered).run(created)
    unreadable = settle_unread(services, step)
    settle_begun_copies(services, step, walked)
    decided, damaged = settle_decisions(services, step)
    return _finish(services, step, walked, verdicts, [*bad_manifests, *unreadable, *damaged], decided)


class _Deciding:
    """One pass over every content, in the order of its SHA-256."""

    def __init__(
        self,
        services: Services,
        step: StepContext,
        walked: Sequence[Root],
        verdicts: Mapping[int, BatchVerdict],
        altered: Altered,
    ) -> None:
        self.db, self.step, self.altered = services.db, step, altered
        self._decided: set[str] = set()
        self.ingest = services.root(RootKind.INGEST)
        with self.db.reading() as conn:
            unread = rebuild_unread.list_in_manifests(conn)
        self.owners = Owners(verdicts, {root.id: root.kind for root in walked}, unread)
        self.modes = Modes(
            batch_copies=services.config.batch.transfer_mode == "copy",
            sort_copies=services.config.sorter.transfer_mode == "copy",
        )

    def run(self, created: Mapping[int, str]) -> None:
        """Decide and write, slice by slice; what was written stays when the pass is stopped."""
        with self.db.transaction() as conn:
            rebuild_files.forget_findings(conn)
            next_id = max(rebuild_entries.highest_asset_id(conn), assets.last_id(conn)) + 1
            total, _ = rebuild_files.count(conn)
            newest, days, homes = newest_groups(conn), days_of_parted(conn), homes_of_sidecars(conn)
        writer = Writer(self.ingest, next_id, created, newest, days, homes)
        done, last = 0, ""
        while True:
            self.step.safe_point(done, max(done, total))
            with self.db.transaction() as conn:
                contents = rebuild_files.list_contents(conn, last, SLICE)
                if not contents:
                    self._end(conn, writer)
                    return
                done += self._slice(conn, writer, contents)
            self._decided |= self.altered.by_content.keys() & set(contents)
            last = contents[-1]

    def _end(self, conn: Connection, writer: Writer) -> None:
        """Decide about contents that altered files alone should hold, and tell of all such files."""
        unseen = sorted(set(self.altered.by_content) - self._decided)
        for start in range(0, len(unseen), SLICE):
            self._slice(conn, writer, unseen[start : start + SLICE])
        self.altered.tell(conn, self.step.run_id)

    def _slice(self, conn: Connection, writer: Writer, contents: Sequence[str]) -> int:
        seen = rebuild_files.list_of(conn, contents)
        files = {content: self.altered.in_place(content, held) for content, held in seen.items()}
        claims = self.owners.claims(conn, files)
        writer.write(conn, [decide(claims[c], files[c], self.modes, self.altered.ids) for c in contents])
        return sum(len(held) for held in files.values())


def _finish(
    services: Services,
    step: StepContext,
    walked: Sequence[Root],
    verdicts: Mapping[int, BatchVerdict],
    failures: list[Failure],
    decided_dates: int,
) -> Report:
    check_roots(services.db, list(walked))
    with services.db.transaction() as conn:
        root_ids = [root.id for root in walked]
        given_up = GivenUp.find(conn, walked)
        rebuild_rows.give_up_unfound(conn, root_ids)
        settled = rebuild_findings.drop_settled(conn, root_ids)
        counted = count_batches(conn, verdicts)
        totals.recount(conn)
        unread = unrecorded.settle(conn, WEAK_SOURCES, SIDECAR_ENDINGS)
        settled_counts = {"settled_findings": settled, "decided_dates": decided_dates, "dates_not_read": unread}
        found = make_report(conn, walked, counted, failures, given_up, settled_counts, step.run_id)
        confirmation.note_report(conn, found)
        words = in_words(found)
        journal.record(conn, "rebuild.finished", words, level="warning", run_id=step.run_id, detail=found["counts"])
        files, size_bytes = rebuild_files.count(conn)
    told = {name: number for name, number in found["counts"].items() if number}
    return Report("done", words, files, 0, size_bytes, failures=failures, detail=told)
