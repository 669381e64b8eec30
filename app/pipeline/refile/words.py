"""What plans and runs that file the archive anew say of themselves, in words and in numbers. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.db.refile_entries import DONE, FAILED, PLANNED, STAYS, Counts
from app.model.counting import counted, size_in_words


def plan_in_words(counts: Mapping[str, Counts], dated: int) -> str:
    """A plan that was only looked at."""
    planned, stays = counts[PLANNED], counts[STAYS].files
    if not planned.files:
        words = "Every file in the archive that can move lies where it belongs." if stays else (
            "Every file in the archive lies where it belongs.")
    else:
        files, groups = counted(planned.files, "file", "files"), counted(planned.groups, "group", "groups")
        folders = counted(planned.folders, "folder", "folders")
        words = f"{files} in {groups}, {size_in_words(planned.size_bytes)}, would move to {folders} of the archive"
        words += f"; {planned.suffixed:,} would get a suffix, as their names are taken" if planned.suffixed else ""
        words += f"; {counted(dated, 'file has', 'files have')} another date by today's settings" if dated else ""
        words += "."
    return words + _stays(stays) + " Nothing was moved."


def end_in_words(counts: Mapping[str, Counts], dated: int, differing: int | None, *, undone_run_id: int | None) -> str:
    """A run that has moved files."""
    done, failed = counts[DONE], counts[FAILED].files
    files = counted(done.files, "file", "files")
    if undone_run_id is not None:
        are = "lies" if done.files == 1 else "lie"
        words = f"{files} {are} again where they lay before run {undone_run_id}."
    elif done.files:
        words = f"{files} in {counted(done.groups, 'group', 'groups')}, {size_in_words(done.size_bytes)}, filed anew."
    else:
        words = "Nothing had to move."
    words += f" {counted(dated, 'file has', 'files have')} another date by today's settings." if dated else ""
    words += f" {counted(failed, 'file', 'files')} could not be moved." if failed else ""
    words += _differing(differing)
    return words + _stays(counts[STAYS].files)


def _differing(differing: int | None) -> str:
    if not differing:
        return ""
    return f" Of {counted(differing, 'file', 'files')} the plan that was shown said otherwise: things changed since."


def _stays(files: int) -> str:
    if not files:
        return ""
    return f" {counted(files, 'file', 'files')} cannot move and {'stays' if files == 1 else 'stay'}."


def in_numbers(counts: Mapping[str, Counts], dated: int) -> dict[str, Any]:
    """Both of them, as JSON values."""
    going = [counts[state] for state in (PLANNED, DONE, FAILED)]
    return {
        "files": sum(one.files for one in going),
        "size_bytes": sum(one.size_bytes for one in going),
        "suffixed": sum(one.suffixed for one in going),
        "dated": dated,
        "moved": counts[DONE].files,
        "could_not_move": counts[FAILED].files,
        "stay": counts[STAYS].files,
    }
