"""Before files enter staging: no peer may come to know of what lies there, and only one folder of Syncthing may reach
the batch folder.

Staging may lie in the folder that Syncthing shares. What it announces from there, holds among it, peers could delete.
"""

from __future__ import annotations

import os

from app.db import batches, facts, waiting
from app.db.clock import later, now
from app.db.connection import Connection
from app.errors import SyncthingError
from app.model import BatchStatus, RootKind
from app.pipeline.batch_plan import source_ids
from app.services import Services
from app.syncthing import ignores, place
from app.syncthing.client import SyncthingClient

#: What Syncthing makes at the top of each of its folders.
TOP = b".stfolder"


#: While nothing may be batched, it is looked again this often whether it may be.
ASK_SECONDS = 30
WAITS, LOOKED_AT = "batching_waits", "batching_looked_at"


def may_batch(services: Services) -> str | None:
    """Why no file may enter staging now, remembered until a look finds that it may; None when it may."""
    words = what_batching_waits_for(services)
    with services.db.reading() as conn:
        has_waited = is_waited_for(conn)
    if words or has_waited:
        with services.db.transaction() as conn:
            facts.put(conn, WAITS, words or "")
            facts.put(conn, LOOKED_AT, now())
    return words


def is_waited_for(conn: Connection) -> bool:
    """Whether nothing is batched until staging is hidden from peers."""
    return bool(facts.find(conn, WAITS))


def look_when_due(services: Services) -> None:
    """While batching waits, look again whether it may go on."""
    with services.db.reading() as conn:
        is_due = is_waited_for(conn) and (facts.find(conn, LOOKED_AT) or "") <= later(-ASK_SECONDS)
    if is_due:
        may_batch(services)


def what_batching_waits_for(services: Services) -> str | None:
    """Why no file may enter staging now, in one sentence; None when it may, or when nothing is to be batched.

    Writes the lines into the ignore list that hide staging, when it lies in the folder that is shared.
    """
    if not _is_for_syncthing(services):
        return None
    batch_dir = os.path.realpath(services.root(RootKind.BATCH).path)
    staging = os.path.realpath(services.root(RootKind.STAGING).path)
    try:
        with SyncthingClient.from_config(services.config) as client:
            return _hide(services, client, batch_dir, staging)
    except SyncthingError as error:
        if _is_outside(batch_dir, staging):
            return None
        return f"Nothing is batched until it is certain that no peer sees what is being prepared: {error}"


def _is_for_syncthing(services: Services) -> bool:
    """Whether a build would put files for Syncthing into staging."""
    with services.db.reading() as conn:
        pending = batches.list_by_status(conn, [BatchStatus.PENDING])
        unpublished = [batch for batch in pending if batch.published_at is None]
        if unpublished:
            return any(batch.target == "syncthing" for batch in unpublished)
        is_target = services.config.sync_target == "syncthing"
        return is_target and next(iter(waiting.list_groups(conn, source_ids(services))), None) is not None


def _hide(services: Services, client: SyncthingClient, batch_dir: bytes, staging: bytes) -> str | None:
    found = place.reaching(client.folders(), services.config, batch_dir)
    if not found:
        return None
    if len(found) > 1:
        return place.overlap_words(found)
    folder, prefix = found[0], place.prefix_of(services.config, found[0], batch_dir)
    name = _name_in_folder(batch_dir, staging, prefix)
    if name is None:
        return None
    ignores.add_lines(client, folder.id, ignores.own_lines(prefix))
    return _seen_by_peers(client, folder.id, name)


def _seen_by_peers(client: SyncthingClient, folder_id: str, name: str) -> str | None:
    """Whether Syncthing would announce what is put into staging, although it was told to ignore that."""
    if not client.scan(folder_id, name):
        return "Syncthing is still reading the staging folder; nothing is batched before it ignores that."
    view = client.file(folder_id, name)
    if view is None or view.ignored or view.deleted:
        return None
    return (f"Syncthing does not ignore {name}, so peers would see what is being prepared there. Look for a line that "
            f"begins with ! above {ignores.own_lines(b'')[-1]} in the ignore list of {folder_id}.")


def _name_in_folder(batch_dir: bytes, staging: bytes, prefix: bytes) -> str | None:
    """Where staging lies in Syncthing's folder, or None when it lies outside."""
    own_name = os.path.basename(staging)
    if os.path.dirname(staging) == batch_dir:
        return os.fsdecode(prefix + own_name)
    return os.fsdecode(os.path.join(os.path.dirname(prefix.rstrip(b"/")), own_name)) if prefix else None


def _is_outside(batch_dir: bytes, staging: bytes) -> bool:
    """Whether the disk alone tells that staging is in no folder of Syncthing: the shared one begins at batch_dir."""
    if os.path.dirname(staging) == batch_dir:
        return False
    above = os.path.dirname(batch_dir)
    while not _is_top(above) and above != os.path.dirname(above):
        above = os.path.dirname(above)
    return _is_top(batch_dir) and not _is_top(above)


def _is_top(folder: bytes) -> bool:
    """Whether a folder of Syncthing begins here; also when that cannot be seen."""
    try:
        os.lstat(os.path.join(folder, TOP))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
