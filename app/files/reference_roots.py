"""Reference folders as places: which they are, and whether they are there. They are never written to.

So they have no marker: a folder that is not there, or is empty although files of it are known, is taken for unmounted.
"""

from __future__ import annotations

import os
import stat

from app.config.schema import Config
from app.db import roots as root_rows
from app.db.connection import Database
from app.errors import RootUnavailable
from app.files.roots import normal_path
from app.model import Root, RootKind

NO_MARKER = ""


def reference_roots(db: Database, config: Config) -> list[Root]:
    """The configured reference folders; one that is named for the first time gets its row."""
    paths = [normal_path(path) for path in config.dedup.reference_dirs]
    with db.reading() as conn:
        known = {path: root_rows.find(conn, RootKind.REFERENCE, path) for path in paths}
    for path in [path for path, root in known.items() if root is None]:
        with db.transaction() as conn:
            known[path] = root_rows.find(conn, RootKind.REFERENCE, path) or root_rows.add(
                conn, RootKind.REFERENCE, path, NO_MARKER
            )
    return [root for root in known.values() if root is not None]


def check_reference(path: bytes, *, is_known: bool) -> None:
    """Raise RootUnavailable unless the folder is there, and holds anything at all if files of it are known."""
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        is_empty = is_folder and not _has_entries(path)
    except OSError as error:
        reason = f"{error.strerror}; is the disk or share mounted"
        raise RootUnavailable(RootKind.REFERENCE, path, reason) from error
    if not is_folder:
        raise RootUnavailable(RootKind.REFERENCE, path, "it is not a folder")
    if is_empty and is_known:
        raise RootUnavailable(RootKind.REFERENCE, path, "it is empty, and was not before; is the disk or share mounted")


def _has_entries(path: bytes) -> bool:
    with os.scandir(path) as entries:
        return next(entries, None) is not None
