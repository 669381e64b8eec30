"""A file system with the quirks of network shares, passed through to a folder: `python -m tests.torture.quirky BACKING
MOUNTPOINT QUIRK...`. It has no renames that refuse to replace, as few of them have.

`short`: names of at most 143 bytes, as in encrypted shares; `nolink`: no hard links; `nocase`: letters in upper and
lower case are one; `flip`: of every write of a kibibyte or more one bit is stored turned over.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Any

import mfusepy

SHORT_BYTES = 143
FLIPPED_FROM_BYTES = 1024


class Quirky(mfusepy.Operations):  # type: ignore[misc]
    """Every call goes to the folder behind, but for the quirks."""

    use_ns = True

    def __init__(self, backing: str, quirks: frozenset[str]) -> None:
        self.backing, self.quirks = backing, quirks

    def _real(self, path: str) -> str:
        """Where the path lies behind; without regard to case, under the spelling that is there already."""
        found = self.backing
        for part in path.split("/")[1:] if path != "/" else ():
            if "short" in self.quirks and len(os.fsencode(part)) > SHORT_BYTES:
                raise mfusepy.FuseOSError(errno.ENAMETOOLONG)
            found = os.path.join(found, self._spelled(found, part))
        return found

    def _spelled(self, folder: str, part: str) -> str:
        if "nocase" not in self.quirks:
            return part
        try:
            return next((name for name in os.listdir(folder) if name.casefold() == part.casefold()), part)
        except OSError:
            return part

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        seen = os.fstat(fh) if fh is not None else os.lstat(self._real(path))
        plain = ("st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_ino")
        numbers = {name: getattr(seen, name) for name in plain}
        return {**numbers, "st_atime": seen.st_atime_ns, "st_mtime": seen.st_mtime_ns, "st_ctime": seen.st_ctime_ns}

    def readdir(self, path: str, fh: int) -> list[tuple[str, dict[str, int], int]]:
        folder = self._real(path)
        seen = {name: os.lstat(os.path.join(folder, name)) for name in (".", "..", *os.listdir(folder))}
        return [(name, {"st_mode": one.st_mode, "st_ino": one.st_ino}, 0) for name, one in seen.items()]

    def statfs(self, path: str) -> dict[str, int]:
        seen = os.statvfs(self._real(path))
        names = ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail")
        limit = SHORT_BYTES if "short" in self.quirks else seen.f_namemax
        return {**{name: getattr(seen, name) for name in names}, "f_namemax": limit}

    def open(self, path: str, flags: int) -> int:
        return os.open(self._real(path), flags)

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        return os.open(self._real(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        if "flip" in self.quirks and len(data) >= FLIPPED_FROM_BYTES:
            data = data[:7] + bytes([data[7] ^ 1]) + data[8:]
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        os.truncate(fh if fh is not None else self._real(path), length)

    def flush(self, path: str, fh: int) -> int:
        return 0

    def release(self, path: str, fh: int) -> int:
        os.close(fh)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        os.fsync(fh)
        return 0

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(self._real(path), mode)

    def rmdir(self, path: str) -> None:
        os.rmdir(self._real(path))

    def unlink(self, path: str) -> None:
        os.unlink(self._real(path))

    def rename(self, old: str, new: str) -> None:
        os.rename(self._real(old), self._real(new))

    def link(self, target: str, source: str) -> None:
        if "nolink" in self.quirks:
            raise mfusepy.FuseOSError(errno.EPERM)
        os.link(self._real(source), self._real(target))

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self._real(path), mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        os.lchown(self._real(path), uid, gid)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        os.utime(self._real(path), ns=times, follow_symlinks=False)
        return 0


class Mount(mfusepy.FUSE):  # type: ignore[misc]
    """Refuses what the library would ignore: a rename that may not replace must never be made as one that may."""

    def rename_fuse_3(self, old: bytes, new: bytes, flags: int) -> int:
        if flags:
            return -errno.EINVAL
        return int(super().rename_fuse_3(old, new, flags) or 0)


if __name__ == "__main__":
    backing, mountpoint, *quirks = sys.argv[1:]
    Mount(Quirky(backing, frozenset(quirks)), mountpoint, foreground=True, nothreads=True, use_ino=True)
