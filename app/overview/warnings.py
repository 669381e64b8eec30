"""What a person should know now, in words, the gravest first."""

from __future__ import annotations

from typing import Any

from app.model import went_on_without
from app.overview.roots import in_words

#: So many stopped batches are named, the newest; the others are counted.
NAMED_BATCHES = 5


def collect_warnings(seen: dict[str, Any]) -> list[dict[str, str]]:
    """Warnings about an overview: level ("error" or "warning"), a sentence, and what to do."""
    found = [*_about_state(seen), *_about_roots(seen), *_about_work(seen), *_about_files(seen)]
    return sorted(found, key=lambda warning: warning["level"] != "error")


def _warning(message: str, remedy: str, level: str = "warning") -> dict[str, str]:
    return {"level": level, "message": message, "remedy": remedy}


def _about_state(seen: dict[str, Any]) -> list[dict[str, str]]:
    found = []
    if seen.get("awaits_confirmation"):
        remedy = "GET /api/rebuild shows what was found; POST /api/rebuild/confirm lets files move again."
        found.append(_warning(seen["awaits_confirmation"], remedy, "error"))
    if seen["config"]["fault"]:
        found.append(
            _warning(
                f"The configuration file on disk is not usable: {seen['config']['fault']}",
                f"{_in_force(seen['config'])} Mend the file, or save the settings again.",
                "error",
            )
        )
    if seen["balance"]["adds_up"] is False:
        found.append(
            _warning(
                "The balance sheet does not add up with the files in the database.",
                "Run `media-pipeline doctor --repair`; no file is touched by it.",
                "error",
            )
        )
    found += [_warning(message, "See docs/CONFIG.md.") for message in seen["config"]["warnings"]]
    return found


def _in_force(config: dict[str, Any]) -> str:
    instead = config.get("in_force_instead") or ""
    if not instead.startswith("the revision"):
        return "The last good configuration stays in use."
    return f"The last good configuration that was kept is in use: {instead}."


def _about_roots(seen: dict[str, Any]) -> list[dict[str, str]]:
    found = [
        _warning(
            in_words(root),
            "Nothing moves until it is back. Mount the share, or set the folder up again if it is new.",
            "error",
        )
        for root in seen["roots"]
        if root["fault"]
    ]
    if not seen["roots"]:
        found.append(_warning("No folder is set up yet.", "Set the folders up on the control page."))
    return found


def _about_work(seen: dict[str, Any]) -> list[dict[str, str]]:
    found = []
    if not seen["worker"]["alive"]:
        found.append(
            _warning(
                "No worker is running, so what is asked for here has to wait.",
                "Start it with ./scripts/restart.sh.",
                "error",
            )
        )
    found += _about_failed_batches(seen["failed_batches"])
    last = seen["last_run"]
    if last is not None and last["status"] == "failed":
        found.append(
            _warning(
                f"Run {last['id']} failed: {last['error'] or 'see its steps'}",
                "Mend the cause, then run again.",
                "error",
            )
        )
    return found


def _about_failed_batches(failed: list[dict[str, Any]]) -> list[dict[str, str]]:
    found = [
        _warning(f"Batch {b['name']} stopped: {b['error'] or 'see its journal'}", "Mend it, then retry.", "error")
        for b in failed[:NAMED_BATCHES]
    ]
    more = len(failed) - len(found)
    if more:
        what = "1 more batch has stopped." if more == 1 else f"{more:,} more batches have stopped."
        found.append(_warning(what, "GET /api/batches lists them all; mend each, then retry.", "error"))
    return found


def _about_files(seen: dict[str, Any]) -> list[dict[str, str]]:
    return [*(_about_left_out(entry) for entry in seen["left_out"]), *_about_failed(seen)]


def _about_left_out(entry: dict[str, Any]) -> dict[str, str]:
    return _warning(
        went_on_without(entry["step"], entry["files"], entry["path"], entry["reason"]),
        f"It stays where it is and is tried again by the next run. GET /api/runs/{entry['run_id']} lists them all.",
    )


def _about_failed(seen: dict[str, Any]) -> list[dict[str, str]]:
    count = next(line["files"] for line in seen["balance"]["lines"] if line["key"] == "failed")
    if not count:
        return []
    what = (
        "1 file has failed and stays where it is."
        if count == 1
        else f"{count:,} files have failed and stay where they are."
    )
    return [_warning(what, "The Failed line of the balance sheet leads to the reasons; then let them be tried again.")]
