"""Dedup: which discovered files are new, and which does the library hold already?

Files are read as far as is needed to tell them apart (app/pipeline/digesting.py). What is like no other file, and
plain copies, get their verdicts by the thousand (app/pipeline/plain_verdicts.py); to all others the rules of
app/pipeline/verdicts.py are applied, group by group, the group with the oldest file first. Nothing is ever deleted:
duplicates are labelled, and moved to the duplicates folder only under dedup.duplicate_policy: quarantine.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from app.db import assets, compared, journal, reference_files, undecided, unread
from app.db.connection import Connection
from app.errors import FileError, printable
from app.files.roots import check_roots
from app.model import Asset, AssetStatus, Report, Root, RootKind
from app.model.counting import counted, size_in_words
from app.model.original_order import is_usual_for_new
from app.pipeline.digesting import Digesting
from app.pipeline.originals import Originals
from app.pipeline.plain_verdicts import mark_copies, mark_unlike
from app.pipeline.quarantine import quarantine_duplicates
from app.pipeline.references import References
from app.pipeline.reopening import reopen_orphaned
from app.pipeline.reused_names import part_newcomers
from app.pipeline.sharing import Sharing
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.pipeline.verdicts import Verdict, Whole, judge
from app.services import Services

#: Groups judged and written in one transaction.
SLICE = 1_000

#: Members whose originals are looked for: a duplicate stays one only as long as its whole group is.
JUDGED = (AssetStatus.DISCOVERED, AssetStatus.DUPLICATE)

#: What a dedup counts, in its report and in its journal event.
COUNTED = (
    "ends_read", "read", "known", "unique", "duplicate", "set_aside", "failed", "reopened", "quarantined", "told_apart",
    "shared", "shared_bytes",
)  # fmt: skip


def run(services: Services, step: StepContext) -> Report:
    """Read and judge every discovered asset. Raises RootUnavailable when a folder that may hold originals is away."""
    # What was delivered is never an original here, and a disk for deliveries may well be unplugged now.
    holders = [roots for kind, roots in services.roots.items() if kind is not RootKind.DELIVERY]
    check_roots(services.db, [root for roots in holders for root in roots])
    tally = Tally()
    with services.db.reading() as conn:
        tally.counts.update(compared.read(conn))
    references = References(services, step, tally)
    references.check()
    tally.counts["reopened"] = reopen_orphaned(services, step.run_id, references.roots)
    if references.look():
        tally.counts["reopened"] += reopen_orphaned(services, step.run_id, references.roots)
    references.read_heads()
    Digesting(services, step, tally).run()
    references.read_whole()
    _judge_all(services, step, tally, references.roots)
    _read_decided(services, step, tally)
    if services.config.dedup.duplicate_policy != "label":
        _read_labelled(services, step, tally)
    if services.config.dedup.duplicate_policy == "quarantine":
        quarantine_duplicates(services, step, tally, references.roots)
    elif services.config.dedup.duplicate_policy == "reflink":
        Sharing(services, step, tally).run()
    report = _report(tally)
    with services.db.transaction() as conn:
        compared.forget(conn)
        journal.record(conn, "dedup.finished", report.message, run_id=step.run_id, detail=report.detail)
    return report


def _read_labelled(services: Services, step: StepContext, tally: Tally) -> None:
    """Duplicates that a scan has found were not read whole: before more is done to them than a label, they are."""
    _read_listed(services, step, tally, unread.list_labelled_unread)


def _read_decided(services: Services, step: StepContext, tally: Tally) -> None:
    """A decision about a date is kept beside the archive when it is known what the file holds: it is not to wait for
    the batch."""
    _read_listed(services, step, tally, unread.list_decided)


def _read_listed(
    services: Services, step: StepContext, tally: Tally, list_ids: Callable[[Connection, int, int], list[int]]
) -> None:
    last = 0
    while True:
        with services.db.reading() as conn:
            page = [assets.get(conn, asset_id) for asset_id in list_ids(conn, last, SLICE)]
        if not page:
            return
        last = page[-1].id
        Digesting(services, step, tally).read_whole(page)


def _judge_all(services: Services, step: StepContext, tally: Tally, references: Sequence[Root]) -> None:
    with services.db.reading() as conn:
        other = undecided.has_other_algorithm(conn, services.config.dedup.hash_algorithm)
    if not other:
        mark_unlike(services, step, tally)
        if is_usual_for_new(services.config.dedup.original_order):
            mark_copies(services, step, tally)
    with services.db.reading() as conn:
        keys = array("q", undecided.list_groups(conn, services.config.dedup.original_order))
    originals = Originals(services, other, references)
    waiting = iter(keys)
    while part := list(islice(waiting, SLICE)):
        step.safe_point(tally.counts["read"], tally.counts["read"], tally.size_bytes)
        with services.db.reading() as conn:
            members = undecided.list_members(conn, part)
            gone_on = undecided.list_gone_on(conn, part)
        originals.load([a for group in members.values() for a in group if a.status in JUDGED])
        failed: list[tuple[Asset, FileError]] = []
        verdicts = list(_verdicts(members, gone_on, originals, failed))
        with services.db.transaction() as conn:
            _write(conn, verdicts, step, tally)
            part_newcomers(conn, members, gone_on, verdicts)
            for asset, error in failed:
                tally.note_failure(conn, asset, error, step.run_id)


def _verdicts(
    groups: Mapping[int, Sequence[Asset]],
    gone_on: Mapping[int, Sequence[Asset]],
    originals: Originals,
    failed: list[tuple[Asset, FileError]],
) -> Iterator[Verdict]:
    """Judge one group after the other; what one group keeps may be the original of the next."""
    for key, members in groups.items():
        waiting = [a for a in members if a.status is AssetStatus.DISCOVERED]
        siblings = [a for a in members if a.status is not AssetStatus.DISCOVERED]
        find_outside = partial(originals.find, group_ids={a.id for a in members})
        try:
            verdicts = judge(Whole(waiting, siblings, gone_on.get(key, ())), find_outside, originals.rank)
        except FileError as error:
            failed += [(asset, error) for asset in waiting]
            continue
        for verdict in verdicts:
            if verdict.status is AssetStatus.UNIQUE and verdict.asset.status is not AssetStatus.UNIQUE:
                originals.keep(verdict.asset)
        yield from verdicts


def _write(conn: Connection, verdicts: Sequence[Verdict], step: StepContext, tally: Tally) -> None:
    # The state table leads from duplicate to unique through discovered only.
    revived = [v.asset for v in verdicts if v.asset.status is AssetStatus.DUPLICATE]
    # What became a duplicate as it was sorted has that batch behind it: the next one may take it.
    assets.mark(conn, revived, AssetStatus.DISCOVERED, batch_id=None)
    for status in (AssetStatus.UNIQUE, AssetStatus.DUPLICATE, AssetStatus.SET_ASIDE):
        alike = [v for v in verdicts if v.status is status and v.asset.status is not AssetStatus.UNIQUE]
        reason = "another name of a file that is known already" if status is AssetStatus.SET_ASIDE else None
        assets.mark(conn, [_as_discovered(v.asset) for v in alike], status, reason=reason)
        # What was not read may still be what cannot be: how often that was tried stays.
        read = [v.asset.id for v in alike if v.asset.attempts and v.asset.sha256 is not None]
        assets.set_columns(conn, [(asset_id, {"attempts": 0}) for asset_id in read])
        leaning = [(v.asset, v.original.id if v.original and not v.original.is_reference else None) for v in alike]
        changed = [(asset.id, {"original_id": i}) for asset, i in leaning if asset.original_id != i]
        assets.set_columns(conn, changed)
        labels = [(v.asset.id, v.original.id) for v in alike if v.original and v.original.is_reference]
        reference_files.label(conn, labels)
        tally.counts[status.value] += len(alike)
    joining = [(v.asset.id, {"group_id": v.joins, "inspected_at": None}) for v in verdicts if v.joins is not None]
    assets.set_columns(conn, joining)
    for verdict in verdicts:
        if verdict.status is AssetStatus.SET_ASIDE and verdict.original is not None:
            first, second = printable(verdict.original.path), printable(verdict.asset.path)
            message = f"{second} is another name (hard link) of {first}; it stays where it is."
            journal.record(conn, "asset.set_aside", message, run_id=step.run_id, asset_id=verdict.asset.id)


def _as_discovered(asset: Asset) -> Asset:
    return asset if asset.status is AssetStatus.DISCOVERED else replace(asset, status=AssetStatus.DISCOVERED)


def _report(tally: Tally) -> Report:
    counts = {name: tally.counts[name] for name in COUNTED}
    done = counts["unique"] + counts["duplicate"] + counts["set_aside"]
    if not done and not tally.failures and not counts["quarantined"] and not counts["shared"]:
        return Report("idle", "There was nothing to compare.", detail=counts)
    message = f"{counts['unique']} unique, {counted(counts['duplicate'], 'duplicate', 'duplicates')}"
    message += f", {counts['set_aside']} second names set aside" if counts["set_aside"] else ""
    if counts["shared"]:
        message += f", {counted(counts['shared'], 'shares its', 'share their')} room on the disk with the original"
        message += f" ({size_in_words(counts['shared_bytes'])} gained)"
    unread = len(tally.failures) - tally.counts["left_alone"]
    message += f", {unread} could not be read" if unread else ""
    message += ", some duplicates were left as they are" if tally.counts["left_alone"] else ""
    return Report("done", message + ".", done, 0, tally.size_bytes, failures=tally.failures, detail=counts)
