"""Where files go in the archive, for the stages: what app/filing decides, asked with what a stage has at hand."""

from __future__ import annotations

from app.filing.choose import (
    REVIEW_FOLDER,
    REVIEW_REASON,
    UNKNOWN_DATE_FOLDER,
    Filing,
    choose_filing,
    is_weak,
)
from app.filing.group_values import Circumstances
from app.filing.group_values import came_as as archive_name
from app.filing.places import Places
from app.model import RootKind
from app.services import Services

__all__ = [
    "REVIEW_FOLDER",
    "REVIEW_REASON",
    "UNKNOWN_DATE_FOLDER",
    "Circumstances",
    "Filing",
    "Places",
    "archive_name",
    "choose_filing",
    "is_weak",
    "places_of",
]


def places_of(services: Services) -> Places:
    """Places in the archive by the configuration in force."""
    return Places(services.db, services.root(RootKind.ARCHIVE), services.config)
