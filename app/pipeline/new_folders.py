"""Folders that are about to be made for files: written down first, so that an undo may remove them again.

A folder that was there before, empty or not, is somebody else's and is never written down.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from app.db import made_folders
from app.files.walk import open_folder
from app.model import Place, Root
from app.services import Services


def note_new_folders(services: Services, targets: Iterable[Place], looked_at: set[tuple[int, bytes]]) -> None:
    """Write down which folders of these targets are not there; `looked_at` has those that this run has seen."""
    for target in targets:
        folder = target.path.rpartition(b"/")[0]
        if (target.root.id, folder) in looked_at:
            continue
        missing = _missing(target.root, folder)
        looked_at.add((target.root.id, folder))
        if missing:
            with services.db.transaction() as conn:
                made_folders.note(conn, target.root.id, missing)


def _missing(root: Root, folder: bytes) -> list[bytes]:
    """The folder and its parents, as far as there certainly is nothing."""
    missing = []
    while folder and _is_missing(root, folder):
        missing.append(folder)
        folder = folder.rpartition(b"/")[0]
    return missing


def _is_missing(root: Root, folder: bytes) -> bool:
    try:
        os.close(open_folder(root, folder))
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
