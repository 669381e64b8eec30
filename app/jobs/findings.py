"""A person's word about a finding: what was found is right, and the rows are changed to fit. No file is touched.

Each acceptance looks at the file once more: only what the verification has seen can be accepted.
"""

from __future__ import annotations

from app.db import (
    assets,
    confirmation,
    deliveries,
    findings,
    foreign_files,
    kept_copies,
    new_content,
    roots,
    runs,
    verification,
)
from app.db.connection import Connection
from app.db.new_content import Digests
from app.errors import BadRequest, Conflict, RunInProgress, printable
from app.jobs.adoption import adopt, ignore
from app.jobs.exchanging import accept_exchange, circle_of
from app.jobs.found import (
    CHANGED_AGAIN,
    Accepted,
    Look,
    asset_here,
    end,
    look_again,
    record,
    refuse_disk_away,
    refuse_in_batch,
)
from app.model import GONE_ON_PURPOSE, AssetStatus, FindingKind
from app.services import Services

#: What can be done with a foreign file.
IGNORE, ADOPT = "ignore", "adopt"


def accept_finding(
    services: Services, finding_id: int, how: str | None = None, kind: FindingKind | None = None
) -> Accepted:
    """Take what was found for right; with a `kind`, only while it still is what the person saw.

    An altered file: its new content. A missing one: it is gone. A moved one: its new place, and those of all files
    with which it took places. A foreign one: `ignore` it (when nothing is said), or `adopt` it as an archived file.

    Raises NotFound, BadRequest, RunInProgress, RootUnavailable, FileError, and Conflict that says what to do instead.
    """
    with services.db.reading() as conn:
        finding = findings.get(conn, finding_id)
        known = {root.id: root for root in roots.list_all(conn)}
        circle = circle_of(conn, finding)
    if kind is not None and finding.kind is not kind:
        raise Conflict(f"Finding {finding_id} is {finding.kind} now, not {kind}; look at it again, then decide.")
    if how is not None and (finding.kind is not FindingKind.FOREIGN or how not in (IGNORE, ADOPT)):
        raise BadRequest("Only a foreign file can be accepted in two ways, ignore or adopt; leave `how` out.")
    looks = [look_again(services, one, known) for one in circle or [finding]]
    with services.db.transaction() as conn:
        confirmation.refuse_move(conn)
        busy = runs.find_in_flight(conn)
        if busy is not None:
            raise RunInProgress(busy.id, busy.status)
        if any(findings.find(conn, look.finding.id) != look.finding for look in looks):
            raise Conflict(CHANGED_AGAIN)
        return accept_exchange(conn, looks) if circle else _accept(conn, looks[0], how)


def report_again(services: Services, finding_id: int) -> Accepted:
    """Let a foreign file that was ignored be a finding again. Raises NotFound, Conflict when it is not ignored."""
    with services.db.transaction() as conn:
        finding = findings.get(conn, finding_id)
        if finding.kind is not FindingKind.IGNORED:
            raise Conflict(f"Finding {finding_id} is not ignored.")
        foreign_files.report_again(conn, finding_id)
        done = f"{printable(finding.path)} is reported again."
        record(conn, "finding.ignored", finding, done, place=printable(finding.path))
    return Accepted(finding_id, FindingKind.FOREIGN, done, None)


def _accept(conn: Connection, look: Look, how: str | None) -> Accepted:
    match look.finding.kind:
        case FindingKind.ALTERED:
            return _accept_content(conn, look)
        case FindingKind.MISSING:
            return _accept_absence(conn, look)
        case FindingKind.MOVED:
            return _accept_place(conn, look)
        case FindingKind.FOREIGN:
            return adopt(conn, look) if how == ADOPT else ignore(conn, look)
        case FindingKind.IGNORED:
            raise Conflict(f"{look.words} is ignored already.")
        case FindingKind.UNREADABLE:
            raise Conflict(
                f"{look.words} cannot be read, so there is nothing to accept. Mend the cause (rights, disk) or put it "
                "back from your backup, and verify again."
            )


def _accept_content(conn: Connection, look: Look) -> Accepted:
    finding = look.finding
    if look.here is None or look.here != finding.signature or not (finding.digest and finding.sha256):
        raise Conflict(CHANGED_AGAIN)
    asset = asset_here(conn, look)
    if asset is None:
        return _forget_copy(conn, look, "is not taken for a copy any more")
    refuse_in_batch(conn, asset)
    algorithm = finding.digest_algorithm or "blake3"
    new_content.take_content(conn, asset, look.here, Digests(finding.digest, algorithm, finding.sha256))
    _forget_copies(conn, asset.id)
    detail = {"before": asset.sha256, "after": finding.sha256}
    return end(conn, look, f"What {look.words} holds now is right.", asset.id, detail)


def _accept_absence(conn: Connection, look: Look) -> Accepted:
    if look.here is not None:
        raise Conflict(f"{look.words} is there again; verify again.")
    asset = asset_here(conn, look)
    if asset is None:
        return _forget_copy(conn, look, "is not there any more, and not missed")
    refuse_in_batch(conn, asset)
    refuse_disk_away(look, asset)
    assets.mark(conn, [asset], AssetStatus.GONE, reason=GONE_ON_PURPOSE)
    # The same content, should it come again, is no duplicate of a file that is nowhere.
    deliveries.forget_asset(conn, asset.id)
    _forget_copies(conn, asset.id)
    return end(conn, look, f"{look.words} is gone, and not missed.", asset.id)


def _accept_place(conn: Connection, look: Look) -> Accepted:
    finding, asset = look.finding, asset_here(conn, look)
    root_id, path = finding.new_root_id, finding.new_path
    if asset is None or root_id is None or path is None or look.here is not None:
        raise Conflict(CHANGED_AGAIN)
    if look.there is None or look.there != finding.signature:
        raise Conflict(CHANGED_AGAIN)
    refuse_in_batch(conn, asset)
    if look.known[root_id].kind is not look.known[finding.root_id].kind:
        raise Conflict(f"{look.place(root_id, path)} is in another kind of folder; move it back to {look.words}.")
    if verification.list_known_paths(conn, root_id, [path]):
        raise Conflict(f"Another row has {look.place(root_id, path)} by now; verify again.")
    assets.place(conn, asset.id, root_id, path, look.there, None)
    verification.note_verified(conn, asset.id, finding.found_at)
    return end(conn, look, f"{look.words} is at {look.place(root_id, path)} from now on.", asset.id)


def _forget_copies(conn: Connection, asset_id: int) -> None:
    """Copies that were kept are files of their own from now on: in ingest, the next scan takes them in."""
    kept_copies.remove_at(conn, [(root_id, path) for root_id, path, _ in kept_copies.list_of(conn, asset_id)])


def _forget_copy(conn: Connection, look: Look, what: str) -> Accepted:
    kept_copies.remove_at(conn, [(look.finding.root_id, look.finding.path)])
    return end(conn, look, f"The copy {look.words} {what}.", look.finding.asset_id)
