"""The mover's lock: one process at a time, given back however the process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.errors import MoverBusy
from app.files.lock import is_locked, mover_lock

HOLD = """
import sys, signal
from app.files.lock import mover_lock
with mover_lock(sys.argv[1]):
    print("held", flush=True)
    signal.pause()
"""


def start_holder(folder: Path) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True, cwd=root)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_at_once_and_let_in_after_a_kill(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    assert is_locked(tmp_path)
    with pytest.raises(MoverBusy), mover_lock(tmp_path):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with mover_lock(tmp_path):
        assert is_locked(tmp_path)


def test_code_that_holds_the_lock_may_call_code_that_takes_it(tmp_path: Path) -> None:
    with mover_lock(tmp_path):
        with mover_lock(str(tmp_path) + "/."):
            pass
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)


def test_nothing_is_locked_before_the_first_mover(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)


def test_a_forked_child_does_not_hold_its_parents_lock(tmp_path: Path) -> None:
    with mover_lock(tmp_path):
        pid = os.fork()
        if pid == 0:
            try:
                with mover_lock(tmp_path):
                    os._exit(1)
            except MoverBusy:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert is_locked(tmp_path)


def test_many_looks_at_the_lock_do_not_keep_a_mover_out(tmp_path: Path) -> None:
    with mover_lock(tmp_path):
        pass
    over = threading.Event()

    def keep_looking() -> None:
        while not over.is_set():
            is_locked(tmp_path)

    looker = threading.Thread(target=keep_looking)
    looker.start()
    try:
        for _ in range(50):
            with mover_lock(tmp_path):
                pass
    finally:
        over.set()
        looker.join()
