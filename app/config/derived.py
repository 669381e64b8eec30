"""Values that follow from others: folders that may be left empty, and the names of time zones."""

from __future__ import annotations

import os
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

DEFAULT_DB_PATH = "/var/lib/media-pipeline/db.sqlite"


def is_zone(name: str) -> bool:
    """Whether the time zone database knows this name."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def derive_folders(data: Any) -> Any:
    """Fill in the folders that may be left empty from those that are set; other data is returned as it is."""
    if not isinstance(data, dict):
        return data
    paths, system = _plain(data.get("paths")), _plain(data.get("system", {}))
    if not isinstance(paths, dict) or not isinstance(system, dict):
        return data
    db_path = system.get("db_path", DEFAULT_DB_PATH)
    folders = {"duplicates_dir": _beside(paths.get("sorted_dir"), "duplicates")}
    logs = {"log_dir": _beside(db_path, "logs")}
    return {**data, "paths": _filled(paths, folders), "system": _filled(system, logs)}


def _plain(section: Any) -> Any:
    return section.model_dump() if isinstance(section, BaseModel) else section


def _beside(path: Any, name: str) -> str:
    return os.path.join(os.path.dirname(path.rstrip("/")), name) if isinstance(path, str) and path else ""


def _filled(section: dict[str, Any], derived: dict[str, str]) -> dict[str, Any]:
    empty = {key: value for key, value in derived.items() if section.get(key, "") == ""}
    return {**section, **empty}
