"""A run that meets a folder without its marker waits until that is back, instead of failing.

A share that is not mounted comes back by itself, at night as well, and nobody is there to start the work again. Nothing
was touched meanwhile: the steps find what they left. The tick looks for the marker and wakes the run.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from app.db import root_waits
from app.db.clock import later, now
from app.db.root_waits import RootWait
from app.errors import RootUnavailable, printable
from app.files.roots import check_roots
from app.model import Root, Run, RunKind
from app.services import Services

#: Runs that go on from their rows whenever they are taken up; a person looks at the end of the others.
WAITING_KINDS = (RunKind.WORKFLOW, RunKind.STAGE)
#: A folder that is away is looked for this often.
LOOK_EVERY_SECONDS = 10
#: One that goes away again and again is tried ever more seldom, and no more after this many times in a row.
MOST_TIMES = 8
LONGEST_PAUSE_SECONDS = 3600
#: Who worked for so long after the folder came back was not in a row.
IN_A_ROW_SECONDS = 3600


def find_away(services: Services, error: RootUnavailable) -> Root | None:
    """The configured folder that the error is about, when that is away now: one that is there and cannot be used, as
    when it is read-only, does not come back by itself."""
    known = (root for of_kind in services.roots.values() for root in of_kind)
    found = next((root for root in known if (root.kind, root.path) == (error.kind, error.path)), None)
    return found if found is not None and not _is_there(services, found) else None


def begin_waiting(services: Services, run: Run, error: RootUnavailable) -> RootWait | None:
    """Let a run wait for the folder that is away; None when it is to fail instead, as a run of single stages does while
    another run waits for that folder already. A workflow run takes over from one that waits."""
    root = find_away(services, error) if run.kind in WAITING_KINDS else None
    if root is None:
        return None
    with services.db.transaction() as conn:
        if run.kind is RunKind.STAGE and root_waits.is_waited_for(conn, root.id):
            return None
        times = _times(root_waits.find(conn, run.id))
        if times > MOST_TIMES:
            return None
        words = f"{error} The run waits for it, and goes on by itself when it is back."
        pause = min(LOOK_EVERY_SECONDS * 2**times, LONGEST_PAUSE_SECONDS) if times else LOOK_EVERY_SECONDS
        wait = RootWait(root.id, words, later(pause), times=times)
        root_waits.put(conn, run.id, wait)
    return wait


def _times(before: RootWait | None) -> int:
    """How often the folder went away again soon after it had come back."""
    if before is None or not before.woken_at:
        return 0
    since = datetime.fromisoformat(now()) - datetime.fromisoformat(before.woken_at)
    return before.times + 1 if since < timedelta(seconds=IN_A_ROW_SECONDS) else 0


def words_when_back(services: Services, run: Run, wait: RootWait) -> str | None:
    """What is said when the run goes on because its folder is back, which is noted; None while that is away, or not due
    to be looked for. One that the settings do not name any more is not waited for."""
    if wait.next_look_at > now():
        return None
    root = next((root for of_kind in services.roots.values() for root in of_kind if root.id == wait.root_id), None)
    is_back = root is None or _is_there(services, root)
    looked = replace(wait, woken_at=now()) if is_back else replace(wait, next_look_at=later(LOOK_EVERY_SECONDS))
    with services.db.transaction() as conn:
        root_waits.put(conn, run.id, looked)
    if not is_back:
        return None
    back = f"the {root.kind} folder {printable(root.path)} is back" if root else "its folder is not used any more"
    return f"Run {run.id} goes on; {back}."


def _is_there(services: Services, root: Root) -> bool:
    try:
        check_roots(services.db, [root])
    except RootUnavailable:
        return False
    return True
