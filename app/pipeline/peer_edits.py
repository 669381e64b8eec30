"""What a peer has made of a file is not ours to throw away: it gets a name of its own when the original is put back."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import replace

from app.db import journal, left_in_place, moves
from app.db.clock import now
from app.errors import FileError, printable
from app.files.digest import full_digest
from app.files.move import Move, move_files
from app.files.walk import signature_at
from app.model import Asset, Batch, Place, Root, RootKind
from app.pipeline.finished_folders import revisions_of
from app.services import Services

#: What is said of such a file, and what to do with it.
EDITED = (
    "a file of this name was sent from here, and this is what it was changed to since, as by a peer; nothing removes "
    "it: copy it into the ingest folder to keep the change, then delete it here, which may delete it at the peer too"
)
#: The purpose of the move that gives an edit its own name.
SET_ASIDE = "set_aside"


def set_aside(services: Services, asset: Asset, place: Place, run_id: int | None) -> str | None:
    """Rename what now lies at an asset's place, beside it; why that could not be done, or None when it was.

    Both sides of the shared folder keep it under its new name. Raises MoverBusy and RootUnavailable.
    """
    algorithm = asset.digest_algorithm or "blake3"
    try:
        signature = signature_at(place.root, place.path)
        found = full_digest(place, algorithm)
    except (OSError, FileError) as error:
        return str(error)
    if signature is None:
        return None
    edit = replace(asset, digest=found.digest, sha256=found.sha256, size_bytes=signature.size_bytes,
                   device=signature.device, inode=signature.inode, mtime_ns=signature.mtime_ns,
                   ctime_ns=signature.ctime_ns)  # fmt: skip
    aside = Place(place.root, _aside(place.path, found.digest))
    move = Move(edit, place, aside, SET_ASIDE, None, places_asset=False)
    (moved,) = move_files(services.db, [move], run_id=run_id, batch_id=asset.batch_id)
    if moved.error is not None:
        return str(moved.error)
    words = (f"{printable(place.path)} was changed in the batch folder. What it became lies beside it as "
             f"{printable(aside.path)}; the original is put back.")
    with services.db.transaction() as conn:
        left_in_place.note(conn, aside.root.id, [(aside.path, EDITED)], now())
        journal.record(conn, "asset.edit_set_aside", words, level="warning", run_id=run_id, batch_id=asset.batch_id,
                       asset_id=asset.id, detail={"path": printable(place.path), "edit": printable(aside.path)})
    return None


def _aside(path: bytes, digest: str) -> bytes:
    """The same name with `.edit-` and the beginning of the digest before its ending."""
    folder, slash, name = path.rpartition(b"/")
    stem, dot, ending = name.rpartition(b".") if b"." in name[1:] else (name, b"", b"")
    return folder + slash + stem[:200] + b".edit-" + digest[:8].encode() + dot + ending


def list_edits(services: Services, root: Root, batch: Batch, paths: Collection[bytes]) -> set[bytes]:
    """Which of these files without a row, in the folder of a batch, came after a file of the batch: under the name
    under which that was sent, or set aside for it. Raises FileError when a manifest cannot be read."""
    top = os.fsencode(batch.name) + b"/"
    archive = services.root(RootKind.ARCHIVE)
    sent = {top + file.path for _, manifest in revisions_of(archive, batch) for file in manifest.files}
    with services.db.reading() as conn:
        aside = moves.list_targets(conn, batch.id, SET_ASIDE, root.id)
    return {path for path in paths if path in sent or path in aside}


def reasons_of(
    services: Services, root: Root, batches: Sequence[Batch], unknown: Collection[bytes], otherwise: str
) -> list[tuple[bytes, str]]:
    """Each file without a row with why it is there: an edit of what was sent, or `otherwise`."""
    edits: set[bytes] = set()
    for batch in batches:
        below = [path for path in unknown if path.startswith(os.fsencode(batch.name) + b"/")]
        try:
            edits |= list_edits(services, root, batch, below) if below else set()
        except FileError:
            continue  # a manifest that cannot be read tells nothing of what was sent
    return [(path, EDITED if path in edits else otherwise) for path in unknown]
