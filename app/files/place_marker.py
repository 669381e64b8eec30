"""The place marker: an empty folder in a root, named after the root's id, by which another program shows its place.

Syncthing lists folders and no files, so the marker file cannot tell whether it looks at the same place as we do. This
folder can; its name begins with `.mp-`, so that it is never delivered. It is made once and stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from app.errors import RootUnavailable
from app.model import Root

PREFIX = ".mp-place-"


def place_name(root: Root) -> str:
    """The name of a root's place marker."""
    return f"{PREFIX}{root.marker_id}"


def make_place_marker(root: Root) -> str:
    """Make the place marker of a checked root, unless it is there; returns its name. Raises RootUnavailable."""
    name = place_name(root)
    try:
        os.makedirs(os.path.join(root.path, os.fsencode(name)), exist_ok=True)
    except OSError as error:
        raise RootUnavailable(root.kind, root.path, f"a folder cannot be made in it: {error.strerror}") from error
    return name


def find_place_marker(roots: Iterable[Root]) -> str | None:
    """The name of the place marker that is there in one of these roots, None when it was not made yet."""
    for root in roots:
        try:
            os.lstat(os.path.join(root.path, os.fsencode(place_name(root))))
        except OSError:
            continue
        return place_name(root)
    return None
