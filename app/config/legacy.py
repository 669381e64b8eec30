"""Settings of earlier versions: still understood, each with a warning that says what it means now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.config.settings import get_path, with_path, without_path
from app.errors import Problem

#: Keys that are no longer settings, and what to write instead.
RETIRED = {
    "paths.temp_dir": "nothing: a file that is being written lies beside its target, under a name of its own",
    "dedup.move_duplicates": "dedup.duplicate_policy: true is quarantine, false is label",
    "system.max_parallel_fs_ops": "nothing: files are moved one group after the other; dedup.threads bounds reading",
}

OLD_DIGESTS = ("md5", "sha1")


def carry_over(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The values in today's words, and one warning for each that was said in yesterday's."""
    carried, warnings = dict(values), list[Problem]()
    for step in (_temporary_folder, _move_duplicates, _file_operations, _digest, _selection, _api_url):
        carried = step(carried, warnings)
    return carried, warnings


def _temporary_folder(values: dict[str, Any], warnings: list[Problem]) -> dict[str, Any]:
    path = "paths.temp_dir"
    paths = values.get("paths")
    if not isinstance(paths, Mapping) or "temp_dir" not in paths:
        return values
    if paths["temp_dir"]:
        warnings.append(Problem(path, "is retired and ignored; a file that is being written lies beside its target"))
    return without_path(values, path)


def _move_duplicates(values: dict[str, Any], warnings: list[Problem]) -> dict[str, Any]:
    path = "dedup.move_duplicates"
    old = get_path(values, path)
    if not isinstance(old, bool):
        return values
    rest = without_path(values, path)
    policy = "quarantine" if old else "label"
    if get_path(values, "dedup.duplicate_policy") is not None:
        warnings.append(Problem(path, "is retired and ignored; dedup.duplicate_policy is set"))
        return rest
    warnings.append(Problem(path, f"is retired; write dedup.duplicate_policy: {policy}"))
    return with_path(rest, "dedup.duplicate_policy", policy)


def _file_operations(values: dict[str, Any], warnings: list[Problem]) -> dict[str, Any]:
    path = "system.max_parallel_fs_ops"
    if get_path(values, path) is None:
        return values
    warnings.append(Problem(path, "is retired and ignored; dedup.threads bounds how many files are read at once"))
    return without_path(values, path)


def _digest(values: dict[str, Any], warnings: list[Problem]) -> dict[str, Any]:
    path = "dedup.hash_algorithm"
    old = get_path(values, path)
    if old not in OLD_DIGESTS:
        return values
    warnings.append(Problem(path, f"{old} can be forged; sha256 is used instead"))
    return with_path(values, path, "sha256")


def _selection(values: dict[str, Any], warnings: list[Problem]) -> dict[str, Any]:
    path = "batch.selection_mode"
    if get_path(values, path) != "count":
        return values
    warnings.append(Problem(path, "count is called files now"))
    return with_path(values, path, "files")


def _api_url(values: dict[str, Any], warnings: list[Problem]) -> dict[str, Any]:
    path = "syncthing.api_url"
    url = get_path(values, path)
    if not isinstance(url, str):
        return values
    bare = url.rstrip("/")
    if bare.endswith("/rest"):
        bare = bare.removesuffix("/rest").rstrip("/")
        warnings.append(Problem(path, "is written without /rest now"))
    return with_path(values, path, bare)
