"""In which state the database file is, and whether somebody uses it, asked without changing it."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum

from app.db.migrate import check_whole, read_database_id, read_revision, refuse_newer
from app.errors import Conflict, DatabaseDamaged, MoverBusy, StateError
from app.files.lock import mover_lock

#: The bytes of a database file on which SQLite places the lock of whoever has it open.
SHARED_FIRST, SHARED_BYTES = 0x40000002, 510

#: What SQLite keeps beside a database while it is open.
COMPANIONS = ("-wal", "-shm")


class DatabaseState(StrEnum):
    """What there is at the path of the database."""

    MISSING = "missing"
    DAMAGED = "damaged"
    HEALTHY = "healthy"


def look_at_database(path: str) -> tuple[DatabaseState, str]:
    """The state, and what is wrong in words.

    Raises StateError when there is something that is neither ours nor known to be damaged: another program's
    database, a newer version's, or one that cannot be read just now.
    """
    try:
        found = read_revision(path)
        if found is None:
            return DatabaseState.MISSING, f"There is no database at {path}."
        check_whole(path)
        if read_database_id(path) is None:
            return DatabaseState.DAMAGED, f"The database {path} does not say which one it is."
    except DatabaseDamaged as error:
        return DatabaseState.DAMAGED, str(error)
    refuse_newer(path, found)
    return DatabaseState.HEALTHY, f"The database {path} is in good order."


STOP_FIRST = "Stop it (./scripts/stop.sh, or docker compose stop), then try again."


@contextmanager
def stopped_service(path: str) -> Iterator[None]:
    """Keep a worker from starting on the state folder of this database. Raises Conflict while one lives there."""
    state_dir = os.path.dirname(os.path.abspath(path))
    os.makedirs(state_dir, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(mover_lock(state_dir))
        except MoverBusy as error:
            raise Conflict(f"The service is running, and its worker holds {state_dir}. {STOP_FIRST}") from error
        yield


def refuse_in_use(path: str) -> None:
    """Raise Conflict when another process has this database open. This process must not."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StateError(f"The database {path} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_BYTES, SHARED_FIRST)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise StateError(f"The database {path} cannot be locked: {error.strerror}.") from error
        words = f"Another process has the database {path} open: the service is running. {STOP_FIRST}"
        raise Conflict(words) from error
    finally:
        os.close(descriptor)
