"""A supervisord event listener: when web or worker cannot be kept alive, supervisord ends too.

A container then stops and its restart policy acts; on bare metal run.sh sees the end and shows why.
The database browser is not worth stopping the service for.
"""

from __future__ import annotations

import os
import signal
import sys

VITAL = ("web", "worker")


def fields(line: str) -> dict[str, str]:
    """`a:1 b:2` as a dictionary."""
    return dict(pair.split(":", 1) for pair in line.split())


def main() -> None:
    """Answer supervisord's events until it ends."""
    while True:
        print("READY", flush=True)
        header = fields(sys.stdin.readline())
        if not header:
            return
        payload = fields(sys.stdin.read(int(header["len"])))
        if payload.get("processname") in VITAL:
            print(f"{payload['processname']} does not stay up; stopping everything", file=sys.stderr, flush=True)
            os.kill(os.getppid(), signal.SIGTERM)
        sys.stdout.write("RESULT 2\nOK")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
