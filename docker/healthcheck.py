"""Is the service ready? Exit 0 when it says so, else 1 and one sentence. Standard library only."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

TIMEOUT_SECONDS = 8


def base_url() -> str:
    """The address that the last start noted."""
    try:
        return (Path(os.environ.get("MP_RUN_DIR", "run")) / "api.url").read_text(encoding="utf-8").strip()
    except OSError:
        return "http://127.0.0.1:8080"


def main() -> int:
    """Ask /ready, which looks at the database and at the worker's heartbeat too."""
    url = f"{base_url()}/ready"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            print(f"ready: {answer.status}")
            return 0
    except urllib.error.HTTPError as error:
        print(f"{url} answers {error.code}: {error.read(2000).decode(errors='replace')}")
    except OSError as error:
        print(f"{url} does not answer: {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
