"""What an errno means for a move: this file fails, or all work on the root stops.

Only what is known to concern one file fails that file. Everything else, and every errno not listed here,
means that the folder itself cannot be trusted now.
"""

from __future__ import annotations

import errno
import os

from app.errors import FileError, MediaPipelineError, NoSpace, OutsideRoot, RootUnavailable, SourceChanged, TargetExists
from app.model import Place, Root

#: errno → words. These concern one file only.
OF_ONE_FILE = {
    errno.EACCES: "permission denied",
    errno.EPERM: "the operation is not permitted",
    errno.ENAMETOOLONG: "the name is too long for this file system",
    errno.EILSEQ: "this file system does not accept the name",
    errno.EINVAL: "this file system does not accept the name or the operation",
    errno.EISDIR: "a folder is in the way",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open in the system",
    errno.ENOMEM: "there is not enough memory",
    errno.EBUSY: "it is in use",
    errno.ETXTBSY: "it is in use",
    errno.EFBIG: "it is too large for this file system",
    errno.EMLINK: "it has too many names already",
    errno.EXDEV: "it would cross a mount",
    errno.EOPNOTSUPP: "this file system does not support the operation",
    errno.ENOSYS: "this system does not support the operation",
}

#: A file system or a user without the right to keep owners and attributes; the content matters more.
NOT_KEPT = (
    errno.EPERM,
    errno.EACCES,
    errno.EOPNOTSUPP,
    errno.EINVAL,
    errno.ENODATA,
    errno.ENOSYS,
    errno.ERANGE,
    errno.E2BIG,
    errno.ENOSPC,
    errno.EDQUOT,
)

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
NOT_A_FOLDER = (errno.ELOOP, errno.ENOTDIR)

#: Answers by which a file system says "not this way": the next way is tried.
UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.ENOTTY)


def of_file(error: OSError, verb: str, place: Place, target: Place | None = None) -> MediaPipelineError:
    """The error to hand on for a failed system call on one file: a FileError, or RootUnavailable for all else."""
    path, to = place.absolute, target.absolute if target else None
    if error.errno in NO_ROOM:
        return NoSpace(verb, path, "there is no room left", to)
    if error.errno == errno.ENOENT:
        return SourceChanged(verb, path, "it is no longer there", to)
    if error.errno == errno.EEXIST:
        return TargetExists(verb, path, "the target name is taken", to)
    if error.errno in NOT_A_FOLDER:
        return OutsideRoot(verb, path, "a part of the path is a link or not a folder", to)
    if error.errno in OF_ONE_FILE:
        return FileError(verb, path, OF_ONE_FILE[error.errno], to)
    return of_root(error, (target or place).root)


def of_root(error: OSError, root: Root) -> RootUnavailable:
    """The error that stops all work on a root."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    return RootUnavailable(root.kind.value, root.path, f"the system says: {reason}")
