"""Runs the workflow of the running demo through its REST API and shows what came of it.

    demo_run.py URL
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

LOOK_SECONDS = 0.5
GIVE_UP_SECONDS = 180

#: What the program keeps for itself in the media tree is not shown.
HIDDEN = "."


def ask(url: str, method: str = "GET") -> Any:
    """The JSON answer."""
    request = urllib.request.Request(url, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def run_to_its_end(url: str) -> dict[str, Any]:
    """Start a run, unless one is on already, and follow it until nothing moves any more."""
    started = ask(f"{url}/api/workflow/run", "POST")
    print(f"\nRun {started['run_id']} {'started' if started['started'] else 'was on already'}")
    limit = time.monotonic() + GIVE_UP_SECONDS
    shown = 0
    while time.monotonic() < limit:
        status = ask(f"{url}/api/workflow/status")
        result = status["last_result"] or {"steps": []}
        ended = [step for step in result["steps"] if step["status"] != "running"]
        for step in ended[shown:]:
            print(f"  {step['name']:8} {step['status']:10} {step.get('message') or ''}".rstrip())
        shown = len(ended)
        if not status["running"] and not status["waiting"]:
            return dict(result)
        time.sleep(LOOK_SECONDS)
    raise SystemExit(f"The run has not ended after {GIVE_UP_SECONDS} seconds; see {url}/dashboard")


def show_balance(balance: dict[str, Any]) -> bool:
    """Print the balance sheet; true when it adds up."""
    print("\nBalance sheet")
    for line in balance["lines"]:
        print(f"  {line['label']:27} {line['files']:5} files {line['bytes']:10} bytes")
    seen = balance["seen"]
    adds_up = bool(balance["adds_up"]) and sum(line["files"] for line in balance["lines"]) == seen["files"]
    verdict = "adds up" if adds_up else "DOES NOT ADD UP"
    print(f"  {'Seen':27} {seen['files']:5} files {seen['bytes']:10} bytes: {verdict}")
    return adds_up


def show_tree(media: Path) -> None:
    """Print every file of the media tree."""
    print(f"\n{media}")
    for folder, folders, files in os.walk(media):
        folders[:] = sorted(name for name in folders if not name.startswith(HIDDEN))
        depth = len(Path(folder).relative_to(media).parts)
        if depth:
            print(f"{'  ' * depth}{Path(folder).name}/")
        for name in sorted(files):
            if not name.startswith(HIDDEN):
                print(f"{'  ' * (depth + 1)}{name}")


def main() -> int:
    """Run and show."""
    url = sys.argv[1]
    result = run_to_its_end(url)
    balance = ask(f"{url}/api/workflow/overview")["balance"]
    show_tree(Path(os.environ["MEDIA_PIPELINE_CONFIG"]).parent / "media")
    adds_up = show_balance(balance)
    for error in result["errors"]:
        print(f"  {error}")
    print(f"\nThe service stays up: {url}/dashboard (stop it with scripts/stop.sh)")
    return 0 if adds_up and result["status"] == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
