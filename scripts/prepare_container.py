"""All that a container's start asks of the program before its processes, in one go, because loading it costs seconds.

    prepare_container.py PATH --media DIR --state DIR

Writes a first configuration (write_config.py), sets up database and folders (`media-pipeline setup`) and prints the
settings for eval (read_settings.py); whatever those say besides goes to standard error.
"""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from app.cli import run
from scripts import read_settings, write_config


def main() -> int:
    """Do one after the other; the first that fails ends it, with its exit code."""
    with redirect_stdout(sys.stderr):
        write_config.main()
        set_up = run(["setup"])
    return set_up or read_settings.main()


if __name__ == "__main__":
    sys.exit(main())
