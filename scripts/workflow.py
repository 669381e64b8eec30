#!/usr/bin/env python3
"""The command line of Media Pipeline: a menu without arguments, subcommands for scripts (--help lists them).

Runs under the virtual environment that the install scripts made, whichever Python it was called with.
"""

import os
import sys

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV_PYTHON = os.path.join(HOME, ".venv", "bin", "python")

if os.path.isfile(VENV_PYTHON) and not os.path.samefile(sys.prefix, os.path.join(HOME, ".venv")):
    os.execv(VENV_PYTHON, [VENV_PYTHON, os.path.abspath(__file__), *sys.argv[1:]])

sys.path.insert(0, HOME)

from app.cli import main  # noqa: E402  the path must be set first

main()
