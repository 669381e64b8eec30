"""A signal may reach any thread of a process; the worker ends all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2]

WAITING = """
import signal, threading, time
from worker.service import stop_on_signal

stopping = stop_on_signal()

def get_it():
    time.sleep(0.3)
    signal.pthread_kill(threading.get_ident(), signal.{name})
    time.sleep(60)

threading.Thread(target=get_it, daemon=True).start()
stopping.wait()
print("stopped")
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_that_reaches_another_thread_than_the_main_one_stops_it(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WAITING.format(name=name)],
        cwd=PROGRAM, capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "stopped"
