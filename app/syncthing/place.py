"""Which folder of Syncthing holds paths.batch_dir, and whether Syncthing sees the same place there as we do.

Paths alone prove nothing: two containers may see one place under two paths, or two places under one. A folder that
only the right place holds (the place marker, see app/files/place_marker.py) does: Syncthing is asked to list it. That
needs no file that could be announced to a peer, and works before there is a folder in Syncthing at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from app.config.schema import Config
from app.errors import SyncthingRefused, printable
from app.syncthing import answers
from app.syncthing.answers import FolderView
from app.syncthing.client import SyncthingClient
from app.syncthing.proof import prefix_in_folder

MISPLACED_FIX = (
    "Remove that folder in Syncthing (its files stay) and set up again, or write the ID of the right one in "
    "syncthing.folder_id. When Syncthing sees the batch folder under another path, write that in syncthing.batch_dir."
)


def seen_path(config: Config, batch_dir: bytes) -> bytes:
    """paths.batch_dir as Syncthing sees it: syncthing.batch_dir, or the same path when that is empty."""
    return os.fsencode(config.syncthing.batch_dir.rstrip("/")) or batch_dir


def prefix_of(config: Config, folder: FolderView, batch_dir: bytes) -> bytes:
    """Where batch_dir lies inside Syncthing's folder: b"" or b"upload/"."""
    return prefix_in_folder(folder.path.encode(), seen_path(config, batch_dir))


def find_folder(client: SyncthingClient, config: Config, batch_dir: bytes) -> FolderView:
    """The folder that the settings name; when they name none, the deepest that holds batch_dir.

    Raises SyncthingRefused(not_found) with what to do when there is none.
    """
    return _choose(client, client.folders(), config, batch_dir)


def find_only_folder(client: SyncthingClient, config: Config, batch_dir: bytes) -> FolderView:
    """The same, for a delivery. Raises SyncthingRefused as well when another folder reaches batch_dir too."""
    folders = client.folders()
    found = reaching(folders, config, batch_dir)
    if len(found) > 1:
        raise SyncthingRefused("other", 200, overlap_words(found))
    return _choose(client, folders, config, batch_dir)


def _choose(client: SyncthingClient, folders: Sequence[FolderView], config: Config, batch_dir: bytes) -> FolderView:
    name = config.syncthing.folder_id
    if name:
        return next((folder for folder in folders if folder.id == name), None) or client.folder(name)
    path = seen_path(config, batch_dir)
    holder = holding(folders, path)
    if holder is None:
        raise SyncthingRefused(
            "not_found",
            404,
            f"syncthing.folder_id is empty, and no folder in Syncthing holds {printable(path)}; let `media-pipeline "
            "syncthing setup` (or the page Peer) make one, or write the ID of the right one.",
        )
    return holder


def holding(folders: Iterable[FolderView], path: bytes) -> FolderView | None:
    """The deepest folder that is, or holds, this path."""
    fitting = [folder for folder in folders if _holds(folder.path, path)]
    return max(fitting, key=lambda folder: len(folder.path.rstrip("/")), default=None)


def _holds(outer: str, inner: bytes) -> bool:
    return bool(outer) and (inner + b"/").startswith(os.fsencode(outer).rstrip(b"/") + b"/")


def reaching(folders: Iterable[FolderView], config: Config, batch_dir: bytes) -> list[FolderView]:
    """Every folder that is batch_dir, holds it or lies in it; the one that the settings name, or the deepest, first."""
    every = list(folders)
    named = next((folder for folder in every if folder.id == config.syncthing.folder_id), None)
    seen = seen_path(config, batch_dir)
    # Where paths differ, the folder that is named is taken to be the batch folder.
    top = seen if named is None or _holds(named.path, seen) else os.fsencode(named.path)
    first = named or holding(every, seen)
    touching = [f for f in every if _holds(f.path, top) or _holds(os.fsdecode(top), os.fsencode(f.path))]
    return sorted({f.id: f for f in (*touching, *([first] if first else []))}.values(), key=lambda f: f != first)


def overlap_words(found: Sequence[FolderView]) -> str:
    """What is said when more than one folder reaches the batch folder."""
    first, second = found[:2]
    return (f"Two folders of Syncthing reach the batch folder: {first.id} ({first.path}) and {second.id} "
            f"({second.path}). What a peer of either deletes is deleted here, and only one can be told to keep its "
            f"copies. Remove {second.id} in Syncthing (its files stay), or give it another path.")


def sees(client: SyncthingClient, path: bytes, marker: str) -> bool:
    """Whether Syncthing sees a folder with the marker's name at this path. Raises SyncthingError."""
    wanted = os.path.join(os.fsdecode(path), marker)
    listed = client.ask("system/browse", answers.listed_paths, {"current": wanted})
    # Syncthing may write out what the path abbreviates, and uses the separators of its own system.
    return any(entry.rstrip("/\\").endswith(marker) for entry in listed)


def is_same_place(
    client: SyncthingClient, config: Config, folder: FolderView, batch_dir: bytes, marker: str
) -> bool:
    """Whether Syncthing sees our batch folder where its folder says. Raises SyncthingError."""
    return sees(client, os.path.join(os.fsencode(folder.path), prefix_of(config, folder, batch_dir)), marker)


def find_by_marker(client: SyncthingClient, folders: Iterable[FolderView], marker: str) -> FolderView | None:
    """The folder whose top is our batch folder, under whatever path Syncthing sees it. Raises SyncthingError."""
    return next((folder for folder in folders if sees(client, os.fsencode(folder.path), marker)), None)


def misplaced_words(folder: FolderView) -> str:
    """What is said of a folder that is not at the place of the batch folder."""
    return f"The folder {folder.id} in Syncthing is {folder.path}, and the batch folder is not there."
