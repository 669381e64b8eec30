"""A warmed parent: imports everything once, then forks a child per case, so that a case costs milliseconds.

Lines of JSON on standard input ask for a child; it is forked, waits for SIGUSR1 so that strace can attach, acts and
exits. Its process id is written at once, its exit status when it has ended. With "package" the app under
test is imported from another folder (a copy with a seeded bug).
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from types import ModuleType

PR_SET_PTRACER = 0x59616D61


def main() -> None:
    from tests.torture import case, power, whole_actions

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _child((case, power, whole_actions), request)
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"status": status}), flush=True)


def _child(modules: tuple[ModuleType, ...], request: dict[str, object]) -> None:
    # What the program tells must not come between the lines that the parent writes.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    # Where only descendants may be traced (Yama), this lets strace attach all the same.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(-1).value, 0, 0, 0)
    signal.sigwait({signal.SIGUSR1})
    code = 0
    try:
        where = modules[0].Where(Path(str(request["base"])), Path(str(request["archive"])))
        name = str(request["action"])
        action = next(getattr(module, name) for module in modules if hasattr(module, name))
        action(where, **dict(request["arguments"]))  # type: ignore[call-overload]
    except Exception as error:  # noqa: BLE001 - the child's last words, whatever they are
        code = 1
        Path(str(request["errors"])).write_text(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
