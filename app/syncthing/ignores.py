"""The folder's ignore list: how the peer keeps its copy when files leave the batch folder.

An ignored file that disappears here is not announced as deleted, so the peer keeps it. The list is replaced as a
whole by Syncthing's API: read, add, write, read again. Our lines come first, because the first match decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.errors import SyncthingRefused, SyncthingUnreachable, printable
from app.syncthing.answers import FileView
from app.syncthing.client import SyncthingClient

#: Files of this program at the top of batch_dir that no peer should get, or could delete.
OWN_NAMES = (".media-pipeline-root", ".mp-*")
SPECIAL = "\\*?[]{},!"


def escaped(path: bytes) -> str:
    """The path as a pattern that matches only itself."""
    return "".join("\\" + c if c in SPECIAL else c for c in path.decode("utf-8", "replace"))


def line_for(prefix: bytes, batch_name: str) -> str:
    """The line that hides one batch folder and all that is in it."""
    return "/" + escaped(prefix + batch_name.encode())


def own_lines(prefix: bytes) -> list[str]:
    """The lines that keep this program's own files out of the delivery; staging may lie beside batch_dir, in the same
    folder of Syncthing."""
    parents = dict.fromkeys((prefix, prefix.rstrip(b"/").rpartition(b"/")[0] + b"/" if prefix.count(b"/") > 1 else b""))
    return [f"/{escaped(parent)}{name}" for parent in parents for name in OWN_NAMES]


def add_lines(client: SyncthingClient, folder_id: str, lines: Sequence[str]) -> None:
    """Put these lines at the top of the ignore list unless they are in it; all others stay as they are.

    Raises SyncthingError, also when Syncthing took the list but does not show the lines afterwards.
    """
    present = client.ignores(folder_id)
    missing = [line for line in lines if line not in present]
    if not missing:
        return
    client.set_ignores(folder_id, [*missing, *present])
    if not set(lines) <= set(client.ignores(folder_id)):
        raise SyncthingRefused("other", 200, f"Syncthing did not keep {missing[0]} in the ignore list of {folder_id}.")


def hide_batch(client: SyncthingClient, folder_id: str, batch_name: str, prefix: bytes) -> list[str]:
    """Have Syncthing ignore a batch's folder, and read it anew; returns the whole ignore list that is in force then.

    May be called again at any time. Raises SyncthingError.
    """
    add_lines(client, folder_id, [line_for(prefix, batch_name)])
    if not client.scan(folder_id, (prefix + batch_name.encode()).decode("utf-8", "replace")):
        raise SyncthingUnreachable(client.url, "it is still reading the folder")
    return client.ignores(folder_id)


def require_kept(view: FileView | None, path: bytes, folder_id: str, line: str, is_announced: bool) -> None:
    """Raise SyncthingError unless the peer keeps its copy when this file (a path in batch_dir) leaves the folder.

    That is so when Syncthing is seen to ignore it, or does not know it although no peer was seen to have it.
    """
    if view is None and is_announced:
        raise SyncthingRefused("other", 200, _unknown(folder_id, path))
    # Of a file that is deleted everywhere already, the peer has nothing to lose.
    if view is not None and not view.ignored and not (view.deleted and view.global_deleted):
        raise SyncthingRefused(
            "other",
            200,
            f"Syncthing does not ignore {printable(path)} yet, so the peer would lose it; no file leaves the batch "
            f"folder. Look for a line beginning with ! above {line} in the ignore list.",
        )


def _unknown(folder_id: str, path: bytes) -> str:
    return (
        f"Syncthing does not know {printable(path)} in the folder {folder_id}, although a peer has it: it is another "
        "folder, or another place, than the one through which it was sent. No file leaves the batch folder. Check "
        "syncthing.folder_id and syncthing.batch_dir, or set sync.peer_policy to mirror, which lets the peer's copies "
        "go."
    )
