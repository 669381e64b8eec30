"""The program that draws thumbnails: `python -m app.files.thumbnails.maker <parent>`.

It decodes hostile bytes, so it may use little memory and processor time, is the last to get any of it, and cannot write
a file: the thumbnail goes back in its answer.
"""

from __future__ import annotations

import base64
import os
import resource
import stat
import struct
from typing import Any

from app.files.hash_reader import facts, open_file
from app.files.reader_process import serve
from app.files.thumbnails import films, pictures, raw_files
from app.files.thumbnails.pictures import Undrawable

MEMORY_BYTES = 1 << 30
CPU_SECONDS_PER_FILE = 15
OPEN_FILES = 64
#: Whoever else wants the processor gets it first.
NICENESS = 15

#: What decoders raise on damaged files; anything else ends this process, and the parent starts another one.
DECODER_FAULTS = (
    OSError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError, SyntaxError,
    AssertionError, EOFError, struct.error,
)  # fmt: skip


def answer(request: list[Any]) -> dict[str, Any]:
    """[root, path, facts] -> the thumbnail of that file in base64, or a note why there is none."""
    root, path, expected = request
    _allow_processor_time()
    name = path.encode("latin-1")
    try:
        descriptor = open_file(root.encode("latin-1"), name)
    except (FileNotFoundError, NotADirectoryError):
        return {"moved_on": True}
    except OSError as error:
        return {"note": error.strerror or str(error)}
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        # Not device and inode: they may be others after a move. What is shown must be what the row knows.
        if not stat.S_ISREG(status.st_mode) or facts(status)[2:4] != expected[2:4]:
            return {"moved_on": True}
        try:
            drawn = _draw(file.fileno(), name)
        except Undrawable as error:
            return {"note": str(error)}
        except MemoryError:
            return {"note": "it is too large to be drawn"}
        except DECODER_FAULTS as error:
            return {"note": f"it cannot be decoded ({type(error).__name__})"}
    return {"webp": base64.b64encode(drawn).decode()}


def _draw(descriptor: int, name: bytes) -> bytes:
    if films.is_film(name):
        return pictures.shrink(films.first_frame(descriptor))
    if raw_files.is_raw(name):
        return pictures.shrink(*raw_files.preview(descriptor))
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return pictures.shrink(file)


def _limit() -> None:
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


def _allow_processor_time() -> None:
    """This much more from now on; the kernel kills a process that uses it up on one file."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS_PER_FILE
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


if __name__ == "__main__":
    _limit()
    serve(answer)
