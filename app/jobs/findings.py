"""A person's word about a finding: what was found is right, and the rows are changed to fit. No file is touched.

Each acceptance looks at the file once more: only what the verification has seen can be accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.db import (
    accepted,
    assets,
    batches,
    findings,
    foreign_files,
    groups,
    journal,
    kept_copies,
    roots,
    runs,
    verification,
)
from app.db.connection import Connection
from app.errors import BadRequest, Conflict, FileError, RunInProgress, printable
from app.files.kinds import file_kind, group_stem
from app.files.roots import check_roots
from app.files.walk import signature_at
from app.jobs.actor import works_for
from app.model import OPEN_BATCH, Asset, AssetStatus, Finding, FindingKind, Place, Root, RootKind, Signature
from app.services import Services

#: What can be done with a foreign file.
IGNORE, ADOPT = "ignore", "adopt"
GONE_ON_PURPOSE = "A person has said that it is gone."
CHANGED_AGAIN = "It is not as the verification has seen it any more; verify again, then decide."


@dataclass(frozen=True)
class Accepted:
    """What was done about a finding, in a sentence, and the asset that it is about now."""

    finding_id: int
    kind: FindingKind
    done: str
    asset_id: int | None

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "finding_id": self.finding_id, "kind": self.kind.value, "done": self.done, "asset_id": self.asset_id
        }  # fmt: skip


@dataclass(frozen=True)
class _Look:
    """A finding, its folders, and what lies at its places at this moment."""

    finding: Finding
    known: Mapping[int, Root]
    here: Signature | None
    there: Signature | None

    def place(self, root_id: int, path: bytes) -> str:
        return printable(Place(self.known[root_id], path).absolute)

    @property
    def words(self) -> str:
        return self.place(self.finding.root_id, self.finding.path)


def accept_finding(services: Services, finding_id: int, how: str | None = None) -> Accepted:
    """Take what was found for right. An altered file: its new content. A missing one: it is gone. A moved one: its
    new place. A foreign one: `ignore` it (when nothing is said), or `adopt` it as an archived file.

    Raises NotFound, BadRequest, RunInProgress, RootUnavailable, FileError, and Conflict that says what to do instead.
    """
    with services.db.reading() as conn:
        finding = findings.get(conn, finding_id)
        known = {root.id: root for root in roots.list_all(conn)}
    if how is not None and (finding.kind is not FindingKind.FOREIGN or how not in (IGNORE, ADOPT)):
        raise BadRequest("Only a foreign file can be accepted in two ways, ignore or adopt; leave `how` out.")
    look = _look(services, finding, known)
    with services.db.transaction() as conn:
        busy = runs.find_in_flight(conn)
        if busy is not None:
            raise RunInProgress(busy.id, busy.status)
        if findings.find(conn, finding_id) != finding:
            raise Conflict(CHANGED_AGAIN)
        return _accept(conn, look, how)


def report_again(services: Services, finding_id: int) -> Accepted:
    """Let a foreign file that was ignored be a finding again. Raises NotFound, Conflict when it is not ignored."""
    with services.db.transaction() as conn:
        finding = findings.get(conn, finding_id)
        if finding.kind is not FindingKind.IGNORED:
            raise Conflict(f"Finding {finding_id} is not ignored.")
        foreign_files.report_again(conn, finding_id)
        done = f"{printable(finding.path)} is reported again."
        _record(conn, "finding.ignored", finding, done, printable(finding.path))
    return Accepted(finding_id, FindingKind.FOREIGN, done, None)


def _look(services: Services, finding: Finding, known: Mapping[int, Root]) -> _Look:
    places = [Place(known[finding.root_id], finding.path)]
    if finding.new_root_id is not None and finding.new_path is not None:
        places.append(Place(known[finding.new_root_id], finding.new_path))
    check_roots(services.db, [place.root for place in places])
    seen = [_signature(place) for place in places]
    return _Look(finding, known, seen[0], seen[1] if len(seen) > 1 else None)


def _signature(place: Place) -> Signature | None:
    try:
        return signature_at(place.root, place.path)
    except OSError as error:
        raise FileError("look at", place.absolute, error.strerror or str(error)) from error


def _accept(conn: Connection, look: _Look, how: str | None) -> Accepted:
    match look.finding.kind:
        case FindingKind.ALTERED:
            return _accept_content(conn, look)
        case FindingKind.MISSING:
            return _accept_absence(conn, look)
        case FindingKind.MOVED:
            return _accept_place(conn, look)
        case FindingKind.FOREIGN:
            return _adopt(conn, look) if how == ADOPT else _ignore(conn, look)
        case FindingKind.IGNORED:
            raise Conflict(f"{look.words} is ignored already.")
        case FindingKind.UNREADABLE:
            raise Conflict(
                f"{look.words} cannot be read, so there is nothing to accept. Mend the cause (rights, disk) or put it "
                "back from your backup, and verify again."
            )


def _accept_content(conn: Connection, look: _Look) -> Accepted:
    finding = look.finding
    if look.here is None or look.here != finding.signature or not (finding.digest and finding.sha256):
        raise Conflict(CHANGED_AGAIN)
    asset = _asset_here(conn, look)
    if asset is None:
        return _forget_copy(conn, look, "is not taken for a copy any more")
    _refuse_in_batch(conn, asset)
    algorithm = finding.digest_algorithm or "blake3"
    accepted.take_content(
        conn, asset, look.here, digest=finding.digest, algorithm=algorithm, sha256=finding.sha256
    )
    _forget_copies(conn, asset.id)
    detail = {"before": asset.sha256, "after": finding.sha256}
    return _end(conn, look, f"What {look.words} holds now is right.", asset.id, detail)


def _accept_absence(conn: Connection, look: _Look) -> Accepted:
    if look.here is not None:
        raise Conflict(f"{look.words} is there again; verify again.")
    asset = _asset_here(conn, look)
    if asset is None:
        return _forget_copy(conn, look, "is not there any more, and not missed")
    _refuse_in_batch(conn, asset)
    assets.mark(conn, [asset], AssetStatus.GONE, reason=GONE_ON_PURPOSE)
    _forget_copies(conn, asset.id)
    return _end(conn, look, f"{look.words} is gone, and not missed.", asset.id)


def _accept_place(conn: Connection, look: _Look) -> Accepted:
    finding = look.finding
    asset = _asset_here(conn, look)
    root_id, path = finding.new_root_id, finding.new_path
    if asset is None or root_id is None or path is None or look.here is not None:
        raise Conflict(CHANGED_AGAIN)
    if look.there is None or look.there != finding.signature:
        raise Conflict(CHANGED_AGAIN)
    _refuse_in_batch(conn, asset)
    if look.known[root_id].kind is not look.known[finding.root_id].kind:
        raise Conflict(f"{look.place(root_id, path)} is in another kind of folder; move it back to {look.words}.")
    if verification.list_known_paths(conn, root_id, [path]):
        raise Conflict(f"Another row has {look.place(root_id, path)} by now; verify again.")
    assets.place(conn, asset.id, root_id, path, look.there, None)
    verification.note_verified(conn, asset.id, finding.found_at)
    return _end(conn, look, f"{look.words} is at {look.place(root_id, path)} from now on.", asset.id)


def _ignore(conn: Connection, look: _Look) -> Accepted:
    finding = look.finding
    if look.here is None:
        raise Conflict(f"{look.words} is not there any more; verify again.")
    foreign_files.ignore(conn, finding.id)
    done = f"{look.words} is not reported any more, as long as it is the same file."
    _record(conn, "finding.ignored", finding, done, look.words)
    return Accepted(finding.id, finding.kind, done, None)


def _adopt(conn: Connection, look: _Look) -> Accepted:
    finding = look.finding
    _refuse_adoption(conn, look)
    assert look.here is not None and finding.sha256 and finding.digest
    gone = verification.find_gone(conn, finding.sha256)
    if gone is not None:
        # In one statement: the place that it had may be another file's by now.
        returned = (assets.get(conn, gone), finding.root_id, finding.path, look.here)
        assets.place_many(conn, [returned], AssetStatus.ARCHIVED)
        verification.note_verified(conn, gone, finding.found_at)
        return _end(conn, look, f"{look.words} is file {gone} again, which was gone.", gone)
    folder, _, name = finding.path.rpartition(b"/")
    key = (folder, group_stem(name))
    group_id = groups.ensure(conn, finding.root_id, [key])[key]
    asset_id = accepted.insert_archived(
        conn, (finding.root_id, finding.path), look.here, group_id, digest=finding.digest,
        algorithm=finding.digest_algorithm or "blake3", sha256=finding.sha256,
    )  # fmt: skip
    return _end(conn, look, f"{look.words} is an archived file from now on.", asset_id)


def _refuse_adoption(conn: Connection, look: _Look) -> None:
    finding = look.finding
    if look.known[finding.root_id].kind is not RootKind.ARCHIVE:
        raise Conflict("Only a file in the archive can be adopted; move this one to the ingest folder to take it in.")
    if file_kind(finding.path.rpartition(b"/")[2])[0] == "left":
        raise Conflict("It is not a photo, video or sidecar by its name; it can be ignored.")
    if look.here is None or not finding.sha256 or look.here != finding.signature:
        raise Conflict(CHANGED_AGAIN)
    twin = verification.list_by_content(conn, [finding.sha256]).get(finding.sha256) if finding.size_bytes else None
    if twin is not None:
        place = look.place(twin[1], twin[2])
        raise Conflict(f"File {twin[0]}, {place}, has the same content; remove one of the two, or let this be ignored.")


def _asset_here(conn: Connection, look: _Look) -> Asset | None:
    """The asset whose own file should be here; None when it is a copy. Raises Conflict when it is neither."""
    finding = look.finding
    asset = assets.find_at(conn, finding.root_id, finding.path)
    if asset is not None and asset.id == finding.asset_id:
        return asset
    if kept_copies.list_at(conn, finding.root_id, [finding.path]):
        return None
    raise Conflict(CHANGED_AGAIN)


def _refuse_in_batch(conn: Connection, asset: Asset) -> None:
    """The manifest of a batch on its way names what its files hold; that cannot be changed any more."""
    batch = batches.find(conn, asset.batch_id) if asset.batch_id is not None else None
    if batch is not None and batch.status in OPEN_BATCH and asset.status is not AssetStatus.ARCHIVED:
        raise Conflict(
            f"It is in batch {batch.name} (id {batch.id}), which is {batch.status}. Put the file back as it was, or "
            "let the batch end or be undone first."
        )


def _forget_copies(conn: Connection, asset_id: int) -> None:
    """Copies that were kept are files of their own from now on: in ingest, the next scan takes them in."""
    kept_copies.remove_at(conn, [(root_id, path) for root_id, path, _ in kept_copies.list_of(conn, asset_id)])


def _forget_copy(conn: Connection, look: _Look, what: str) -> Accepted:
    kept_copies.remove_at(conn, [(look.finding.root_id, look.finding.path)])
    return _end(conn, look, f"The copy {look.words} {what}.", look.finding.asset_id)


def _end(
    conn: Connection, look: _Look, done: str, asset_id: int | None, detail: Mapping[str, Any] | None = None
) -> Accepted:
    findings.drop(conn, [look.finding.id])
    _record(conn, "finding.accepted", look.finding, done, look.words, asset_id, detail)
    return Accepted(look.finding.id, look.finding.kind, done, asset_id)


def _record(
    conn: Connection,
    event: str,
    finding: Finding,
    done: str,
    place: str,
    asset_id: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    detail = {"finding_id": finding.id, "kind": finding.kind.value, "path": place, "actor": works_for(), **(more or {})}
    level = "warning" if event == "finding.accepted" else "info"
    journal.record(conn, event, done, level=level, asset_id=asset_id, detail=detail)
