"""Whether a folder lies inside the container that the program runs in, where it would vanish with it."""

from __future__ import annotations

import os

from app.db.filesystem import file_system_type

#: Set in our image.
VARIABLE = "MEDIA_PIPELINE_CONTAINER"
OVERLAY = 0x794C7630
#: The top of the container's own file system.
TOP = b"/"


def is_inside_container(folder: bytes) -> bool:
    """Whether an existing folder lies in no volume of our container. Raises OSError.

    A volume of a host whose own root is an overlay is one too; only the container's own has the device of its root.
    """
    if os.environ.get(VARIABLE) != "1" or file_system_type(folder) != OVERLAY:
        return False
    return os.stat(folder).st_dev == os.stat(TOP).st_dev
