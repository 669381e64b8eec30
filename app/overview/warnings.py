"""What a person should know now, in words, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import printable
from app.model import GRAVE_FINDINGS, Run, RunStatus, went_on_without
from app.model.counting import counted
from app.overview.lone_sidecars import LIST
from app.overview.lone_sidecars import in_words as in_words_of_sidecars
from app.overview.roots import in_words

SILENCE_REMEDY = "`media-pipeline doctor` looks at the whole way to the peer; `pairing-test` sends a file along it."
LEVELS = ("error", "warning", "info")
#: So many stopped batches are named, the newest; the others are counted.
NAMED_BATCHES = 5
#: So many files that no row knows are named; the others are counted.
NAMED_LEFTOVERS = 5


@dataclass(frozen=True)
class Leftovers:
    """Files in staging and the batch folder that no row knows: how many, and the first with why they are there."""

    files: int
    first: Sequence[tuple[bytes, str]]


def collect_warnings(seen: dict[str, Any], leftovers: Leftovers, failed: Run | None) -> list[dict[str, str]]:
    """Warnings about an overview and the run that `failed`: level (one of LEVELS), a sentence, and what to do."""
    found = [*_about_state(seen), *_about_roots(seen), *_about_worker(seen)]
    found += [*_about_work(seen), *_about_run(failed), *_about_files(seen), *_about_leftovers(leftovers)]
    return sorted(found, key=lambda warning: LEVELS.index(warning["level"]))


def _warning(message: str, remedy: str, level: str = "warning") -> dict[str, str]:
    return {"level": level, "message": message, "remedy": remedy}


def _about_state(seen: dict[str, Any]) -> list[dict[str, str]]:
    found = []
    if seen.get("awaits_confirmation"):
        remedy = (
            "`media-pipeline rebuild --report`, and the page of the run, show what was found; confirm it there, or by "
            "`media-pipeline rebuild --confirm`, and files move again."
        )
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


def _about_worker(seen: dict[str, Any]) -> list[dict[str, str]]:
    """Only with work that waits for it a missing worker is an error: a command on the terminal brings its own."""
    if seen["worker"]["alive"]:
        return []
    if seen["running"]:
        what = f"Run {seen['run']['id']} waits, because no worker is running."
        return [_warning(what, "Start one with ./scripts/restart.sh.", "error")]
    if seen["run"] is not None and seen["run"]["status"] == RunStatus.WAITING:
        what = f"Run {seen['run']['id']} waits, and no worker is running to go on with it."
        return [_warning(what, "Start one with ./scripts/restart.sh.")]
    what = "No worker is running. A command on the terminal brings one for its run; pages and the API have to wait."
    return [_warning(what, "To have one all the time: ./scripts/restart.sh.", "info")]


def _about_work(seen: dict[str, Any]) -> list[dict[str, str]]:
    found = [dict(hindrance) for hindrance in seen["hindrances"]]
    found += [_warning(message, SILENCE_REMEDY) for message in seen["silences"]]
    found += _about_failed_batches(seen["failed_batches"])
    if seen["batches"]["by_status"]["UNDOING"] and seen["run"] is None:
        what = "A batch is being taken back, and that was stopped before its end. The next batch waits for it."
        found.append(_warning(what, "`media-pipeline batch list --status UNDOING` names it; undo it again."))
    return found


def _about_run(failed: Run | None) -> list[dict[str, str]]:
    if failed is None:
        return []
    what = f"Run {failed.id} failed: {failed.error or 'see its steps'}"
    return [_warning(what, "Mend the cause, then run again.", "error")]


def _about_failed_batches(failed: list[dict[str, Any]]) -> list[dict[str, str]]:
    found = [
        _warning(f"Batch {b['name']} stopped: {b['error'] or 'see its journal'}", "Mend it, then retry.", "error")
        for b in failed[:NAMED_BATCHES]
    ]
    more = len(failed) - len(found)
    if more:
        what = counted(more, "more batch has stopped.", "more batches have stopped.")
        remedy = "The page Batches, or `media-pipeline batch list --status ERROR`, lists them; mend each, then retry."
        found.append(_warning(what, remedy, "error"))
    return found


def _about_files(seen: dict[str, Any]) -> list[dict[str, str]]:
    left_out = [_about_left_out(entry) for entry in seen["left_out"]]
    return [*left_out, *_about_failed(seen), *_about_lone_sidecars(seen), *_about_findings(seen["findings"])]


def _about_leftovers(leftovers: Leftovers) -> list[dict[str, str]]:
    """What lies in the batch folder and no row knows: it may be the only copy of what a peer has changed."""
    remedy = "Look at it; take out what is yours. Nothing removes it."
    found = [_warning(f"{printable(path)} in the batch folder: {reason}.", remedy) for path, reason in leftovers.first]
    if leftovers.files > len(found):
        more = counted(leftovers.files - len(found), "more file", "more files")
        remedy = "`media-pipeline journal --kind orphan.found` names each."
        found.append(_warning(f"{more} known to no row in the batch folder.", remedy))
    return found


def _about_left_out(entry: dict[str, Any]) -> dict[str, str]:
    return _warning(
        went_on_without(entry["step"], entry["files"], entry["path"], entry["reason"]),
        "It stays where it is and is tried again by the next run. The page of that run, or "
        f"`media-pipeline runs show {entry['run_id']}`, lists them all.",
    )


def _about_failed(seen: dict[str, Any]) -> list[dict[str, str]]:
    count = next(line["files"] for line in seen["balance"]["lines"] if line["key"] == "failed")
    if not count:
        return []
    what = counted(count, "file has failed and stays where it is.", "files have failed and stay where they are.")
    return [_warning(what, "The Failed line of the balance sheet leads to the reasons; then let them be tried again.")]


def _about_lone_sidecars(seen: dict[str, Any]) -> list[dict[str, str]]:
    """Once one of them has waited for more than a week: before that its photo may well be on its way."""
    waiting = seen["left_in_place"]["lone_sidecars"]
    if not waiting["over_a_week"]:
        return []
    remedy = (
        f"`{LIST}` names each. Put the photos and videos beside them, delete what is of no use, or set "
        "scan.lone_sidecars to archive."
    )
    return [_warning(f"{in_words_of_sidecars(waiting)}.", remedy)]


def _about_findings(found: dict[str, int]) -> list[dict[str, str]]:
    """What the last verification found and nobody has settled: what may be lost first, then what lies wrong."""
    told = []
    grave = {kind.value: found[kind.value] for kind in GRAVE_FINDINGS if found[kind.value]}
    if grave:
        files = sum(grave.values())
        what = counted(files, "file is not as it was", "files are not as they were")
        counts = ", ".join(f"{count:,} {kind}" for kind, count in grave.items())
        remedy = (
            "The page Findings and `media-pipeline findings` list them. Put each back from your backup, and verify "
            "again; or accept what was done on purpose. `media-pipeline why FILE` tells where else a file is."
        )
        told.append(_warning(f"{what}, says the last verification: {counts}.", remedy, "error"))
    odd = {kind: found[kind] for kind in ("moved", "foreign") if found[kind]}
    if odd:
        words = {"moved": "moved or renamed by hand", "foreign": "known to no row"}
        counts = ", ".join(f"{count:,} {words[kind]}" for kind, count in odd.items())
        remedy = (
            "The page Findings and `media-pipeline findings` list them, each with what to do; accepting them settles "
            "it."
        )
        told.append(_warning(f"Files lie in our folders that we did not put there so: {counts}.", remedy))
    return told
