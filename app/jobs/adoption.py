"""What can be done about a file that no row knows: hear no more of it, or take it for an archived file."""

from __future__ import annotations

from app.db import accepted, assets, foreign_files, groups, verification
from app.db.connection import Connection
from app.errors import Conflict
from app.files.belonging import group_key
from app.files.kinds import file_kind
from app.jobs.found import CHANGED_AGAIN, Accepted, Look, end, record
from app.model import AssetStatus, RootKind, Signature


def ignore(conn: Connection, look: Look) -> Accepted:
    """Hear no more of it as long as it is the same file. Raises Conflict when it is not there any more."""
    finding = look.finding
    if look.here is None:
        raise Conflict(f"{look.words} is not there any more; verify again.")
    foreign_files.ignore(conn, finding.id)
    done = f"{look.words} is not reported any more, as long as it is the same file."
    record(conn, "finding.ignored", finding, done, place=look.words)
    return Accepted(finding.id, finding.kind, done, None)


def adopt(conn: Connection, look: Look) -> Accepted:
    """Make it an archived asset; one that was gone is that asset again. Raises Conflict."""
    finding = look.finding
    signature, digest, sha256 = _what_it_holds(conn, look)
    gone = verification.find_gone(conn, sha256) if finding.size_bytes else None
    if gone is not None:
        # In one statement: the place that it had may be another file's by now.
        returned = (assets.get(conn, gone), finding.root_id, finding.path, signature)
        assets.place_many(conn, [returned], AssetStatus.ARCHIVED)
        verification.note_verified(conn, gone, finding.found_at)
        return end(conn, look, f"{look.words} is file {gone} again, which was gone.", gone)
    folder, _, name = finding.path.rpartition(b"/")
    key = (folder, group_key(name))
    group_id = groups.ensure(conn, finding.root_id, [key])[key]
    asset_id = accepted.insert_archived(
        conn, (finding.root_id, finding.path), signature, group_id, digest=digest,
        algorithm=finding.digest_algorithm or "blake3", sha256=sha256,
    )  # fmt: skip
    return end(conn, look, f"{look.words} is an archived file from now on.", asset_id)


def _what_it_holds(conn: Connection, look: Look) -> tuple[Signature, str, str]:
    """(signature, digest, SHA-256) of a file that may be adopted. Raises Conflict."""
    finding = look.finding
    if look.known[finding.root_id].kind is not RootKind.ARCHIVE:
        raise Conflict("Only a file in the archive can be adopted; move this one to the ingest folder to take it in.")
    if file_kind(finding.path.rpartition(b"/")[2])[0] == "left":
        raise Conflict("It is not a photo, video or sidecar by its name; it can be ignored.")
    if look.here is None or look.here != finding.signature or not finding.sha256 or not finding.digest:
        raise Conflict(CHANGED_AGAIN)
    twin = verification.list_by_content(conn, [finding.sha256]).get(finding.sha256) if finding.size_bytes else None
    if twin is not None:
        place = look.place(twin[1], twin[2])
        raise Conflict(f"File {twin[0]}, {place}, has the same content; remove one of the two, or let this be ignored.")
    return look.here, finding.digest, finding.sha256
