"""Sidecars that wait in the ingest folders for their photo or video: how many, since when, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.files.lone_sidecars import is_long, since_of
from app.model.counting import counted

#: Shows each of them.
LIST = "media-pipeline assets left --reason waits"


def waiting_of(by_reason: Mapping[str, int], today: date) -> dict[str, Any]:
    """Of reasons with their counts: how many of these sidecars there are, the day of the first, and how many wait for
    more than a week."""
    days = [(since, files) for reason, files in by_reason.items() if (since := since_of(reason)) is not None]
    return {
        "files": sum(files for _, files in days),
        "since": min(since for since, _ in days).isoformat() if days else None,
        "over_a_week": sum(files for since, files in days if is_long(since, today)),
    }


def in_words(waiting: Mapping[str, Any]) -> str:
    """`3 sidecars wait for their photo or video, the first since 2026-11-02`."""
    what = counted(
        waiting["files"], "sidecar waits for its photo or video,", "sidecars wait for their photo or video, the first"
    )
    return f"{what} since {waiting['since']}"


def way_on(archives: bool) -> str:
    """What becomes of them, and what a person can do."""
    taken_in = "A sidecar is taken in once its photo or video lies in the same folder"
    if archives:
        return f"{taken_in}, or after a week by itself."
    return (
        f"{taken_in}. If that will not come, delete the sidecar, or set scan.lone_sidecars to archive: then it is "
        "archived by itself after a week."
    )
