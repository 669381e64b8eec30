"""Which names the file system under a root can bear, as the kernel tells it."""

from __future__ import annotations

import os

from app.files.mounts import find_mount
from app.filing.safe_names import NAME_LIMIT_BYTES, NameRules
from app.model import Root

#: File systems of Windows and of SD cards, and shares on which others see our names.
OF_WINDOWS = frozenset({"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "cifs", "smb3", "smbfs"})


def name_rules(root: Root, safe_names: str) -> NameRules:
    """The rules for names below a root: portable or native as the setting says, or by its file system when it is auto.

    A root that cannot be asked gets the usual limit and, under auto, native names.
    """
    portable = safe_names == "portable"
    if safe_names == "auto":
        mount = find_mount(root.path)
        portable = mount is not None and needs_portable_names(mount.type)
    return NameRules(portable, longest_name_bytes(root.path))


def needs_portable_names(file_system: str) -> bool:
    """Whether a file system, as the kernel calls it, belongs to Windows, to SD cards or to shares of theirs."""
    return file_system.removeprefix("fuse.") in OF_WINDOWS


def longest_name_bytes(path: bytes) -> int:
    """How long a name may be, in bytes: 143 on some encrypted file systems, 255 on most."""
    try:
        told = os.statvfs(path).f_namemax
    except OSError:
        return NAME_LIMIT_BYTES
    return min(told or NAME_LIMIT_BYTES, NAME_LIMIT_BYTES)
