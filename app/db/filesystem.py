"""The file system under the state folder: which kind it is, as statfs(2) tells it, and making it write."""

from __future__ import annotations

import ctypes
import os

from app.errors import StateError, printable

#: Where SQLite's locks and shared memory do not work: f_type and the name people know it by.
NETWORK_FILE_SYSTEMS = {
    0x6969: "NFS",
    0xFF534D42: "SMB/CIFS",
    0xFE534D42: "SMB",
    0x65735546: "FUSE (mergerfs, Unraid's /mnt/user, sshfs and the like)",
    0x01021997: "9p (a folder shared into a virtual machine)",
}

#: Room enough for struct statfs on every platform; its first member, a long, is f_type.
_STATFS_BYTES = 512

_libc = ctypes.CDLL(None, use_errno=True)


def file_system_type(path: bytes) -> int:
    """The f_type of the file system that holds an existing path. Raises OSError."""
    answer = ctypes.create_string_buffer(_STATFS_BYTES)
    if _libc.statfs(path, answer) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), path)
    return ctypes.c_long.from_buffer(answer).value & 0xFFFFFFFF


def flush(path: str) -> None:
    """Have a file, or the names in a folder, written to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refuse_network(folder: bytes) -> None:
    """Raise StateError when a database in this folder would not be safe."""
    name = NETWORK_FILE_SYSTEMS.get(file_system_type(folder))
    if name is not None:
        raise StateError(
            f"The database cannot lie in {printable(folder)}: that is on {name}, where its locks do not work. "
            "Set system.db_path to a folder on a local disk (on Unraid: /mnt/cache/appdata/..., not /mnt/user/...)."
        )
