"""Whether a folder that somebody names could be a root; nothing is made and nothing is written to find out."""

from __future__ import annotations

import os
import stat

from app.errors import printable
from app.files.container import is_inside_container


def folder_fault(path: str) -> str | None:
    """Why the folder cannot be used, or cannot be made where it is missing; None when it can."""
    folder, found = os.fsencode(path), None
    while found is None:
        try:
            found = os.stat(folder)
        except (FileNotFoundError, NotADirectoryError):
            folder = os.path.dirname(folder)
        except OSError as error:
            return f"cannot be looked at: {error.strerror}"
    shown = printable(folder)
    if not stat.S_ISDIR(found.st_mode):
        return f"cannot be a folder: {shown} is a file"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        words = "cannot be written" if folder == os.fsencode(path) else f"cannot be made: {shown} cannot be written"
        return f"{words} by user {os.geteuid()}, group {os.getegid()}; give that user the right to (PUID and PGID)"
    if is_inside_container(folder):
        return "would lie inside the container and vanish with it; name a folder of a volume, as one below /media"
    return None
