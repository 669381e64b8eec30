"""What a peer has made of a file is not ours to throw away: it gets a name of its own when the original is put back."""

from __future__ import annotations

from dataclasses import replace

from app.db import journal
from app.errors import FileError, printable
from app.files.digest import full_digest
from app.files.move import Move, move_files
from app.files.walk import signature_at
from app.model import Asset, Place
from app.services import Services


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
    move = Move(edit, place, aside, "set_aside", None, places_asset=False)
    (moved,) = move_files(services.db, [move], run_id=run_id, batch_id=asset.batch_id)
    if moved.error is not None:
        return str(moved.error)
    words = (f"{printable(place.path)} was changed in the batch folder. What it became lies beside it as "
             f"{printable(aside.path)}; the original is put back.")
    with services.db.transaction() as conn:
        journal.record(conn, "asset.edit_set_aside", words, level="warning", run_id=run_id, batch_id=asset.batch_id,
                       asset_id=asset.id, detail={"path": printable(place.path), "edit": printable(aside.path)})
    return None


def _aside(path: bytes, digest: str) -> bytes:
    """The same name with `.edit-` and the beginning of the digest before its ending."""
    folder, slash, name = path.rpartition(b"/")
    stem, dot, ending = name.rpartition(b".") if b"." in name[1:] else (name, b"", b"")
    return folder + slash + stem[:200] + b".edit-" + digest[:8].encode() + dot + ending
