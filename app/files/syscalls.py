"""System calls that Python does not offer: rename without replacing, flushing a whole file system, cloning, reserving.

Each raises OSError with the kernel's errno, as the functions of `os` do.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import struct

_libc = ctypes.CDLL(None, use_errno=True)

RENAME_NOREPLACE = 1
AT_RENAMEAT2 = {"x86_64": 316, "aarch64": 276, "armv7l": 382, "i686": 353, "riscv64": 276, "ppc64le": 357, "s390x": 347}
FICLONE = 0x40049409
FIDEDUPERANGE = 0xC0189436
#: struct file_dedupe_range with one target: where from, how much, how many targets; and of the target the open file,
#: where to, how much was shared, whether it holds the same.
DEDUPE_RANGE = struct.Struct("=QQHHIqQQiI")
#: Btrfs takes no more at once.
DEDUPE_AT_ONCE_BYTES = 16 << 20

#: File systems on which one syncfs is as good as an fsync of each file (statfs f_type).
SYNCFS_IS_ENOUGH = frozenset(
    {
        0xEF53,  # ext2, ext3, ext4
        0x58465342,  # XFS
        0x9123683E,  # Btrfs
        0x01021994,  # tmpfs
        0xF2F52010,  # F2FS
        0x2FC12FC1,  # ZFS
        0x794C7630,  # overlay
    }
)


def _fail() -> None:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))


def _declare(name: str, *arguments: type) -> ctypes._NamedFuncPointer | None:
    function = getattr(_libc, name, None)
    if function is not None:
        function.argtypes = arguments
        function.restype = ctypes.c_int
    return function


_int, _text, _long = ctypes.c_int, ctypes.c_char_p, ctypes.c_long
_renameat2 = _declare("renameat2", _int, _text, _int, _text, ctypes.c_uint)
_syncfs = _declare("syncfs", _int)
_fallocate = _declare("fallocate64", _int, _int, ctypes.c_int64, ctypes.c_int64) or _declare(
    "fallocate", _int, _int, ctypes.c_int64, ctypes.c_int64
)
_fstatfs = _declare("fstatfs", _int, ctypes.c_void_p)


def rename_without_replacing(source_dir: int, source: bytes, target_dir: int, target: bytes) -> None:
    """Rename within one mount; FileExistsError when the target name is taken by anything at all.

    Raises OSError EINVAL, ENOSYS or EPERM where the file system or kernel cannot promise that.
    """
    if _renameat2 is not None:
        failed = _renameat2(source_dir, source, target_dir, target, RENAME_NOREPLACE)
    else:
        failed = _renameat2_by_number(source_dir, source, target_dir, target)
    if failed:
        _fail()


def _renameat2_by_number(source_dir: int, source: bytes, target_dir: int, target: bytes) -> int:
    number = AT_RENAMEAT2.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    arguments = (_int(source_dir), _text(source), _int(target_dir), _text(target), ctypes.c_uint(RENAME_NOREPLACE))
    return int(_libc.syscall(_long(number), *arguments))


def flush_file_system(fd: int) -> None:
    """Make everything written to the file system of this open file or folder durable."""
    if _syncfs is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if _syncfs(fd):
        _fail()


def one_flush_is_enough(fd: int) -> bool:
    """Whether `flush_file_system` may stand for an fsync of each file on this file system."""
    if _fstatfs is None or _syncfs is None:
        return False
    buffer = (ctypes.c_long * 64)()
    if _fstatfs(fd, ctypes.byref(buffer)):
        _fail()
    return int(buffer[0]) & 0xFFFFFFFF in SYNCFS_IS_ENOUGH


def reserve_room(fd: int, size_bytes: int) -> None:
    """Reserve room for a file before its first byte is written; does nothing where that is not supported."""
    if size_bytes == 0 or _fallocate is None:
        return
    if _fallocate(fd, 0, 0, size_bytes) == 0:
        return
    if ctypes.get_errno() not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
        _fail()


def clone(source: int, target: int) -> bool:
    """Share the source's blocks with the empty target; False where the file systems cannot do that."""
    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM):
            return False
        raise
    return True


def share_range(source: int, target: int, offset: int, size_bytes: int) -> int | None:
    """Let a range of the target lie where the same range of the source lies, once the kernel has seen that both hold
    the same; returns how many bytes were shared, None when they differ. What either file holds never changes.

    Raises OSError where the file system cannot do that.
    """
    part = min(size_bytes, DEDUPE_AT_ONCE_BYTES)
    asked = bytearray(DEDUPE_RANGE.pack(offset, part, 1, 0, 0, target, offset, 0, 0, 0))
    fcntl.ioctl(source, FIDEDUPERANGE, asked)
    *_, shared_bytes, status, _ = DEDUPE_RANGE.unpack(asked)
    if status < 0:
        raise OSError(-status, os.strerror(-status))
    return None if status else int(shared_bytes)
