"""In which part of the tree a file lies, and what that alone says about it."""

from __future__ import annotations

from enum import StrEnum

from app.model import RootKind
from app.pipeline.filing import REVIEW_FOLDER


class Area(StrEnum):
    """The parts of the tree that a rebuild tells apart."""

    ARCHIVE = "archive"
    REVIEW = "review"
    BATCH = "batch"
    STAGING = "staging"
    DUPLICATES = "duplicates"
    INGEST = "ingest"
    TRASH = "trash"
    TEMPORARY = "temporary"
    LEFT = "left"


#: Where files have come through the whole pipeline.
ARCHIVED = (Area.ARCHIVE, Area.REVIEW)
#: Where the files of a batch lie until it is sorted.
IN_BATCH = (Area.BATCH, Area.STAGING)
#: Files there are read; what is merely left in place is only listed.
READ = tuple(area for area in Area if area is not Area.LEFT)
#: A file there is somebody's, or safe; our trash and unfinished copies are neither.
LASTING = (*ARCHIVED, *IN_BATCH, Area.DUPLICATES, Area.INGEST)

OF_KIND = {
    RootKind.ARCHIVE: Area.ARCHIVE,
    RootKind.BATCH: Area.BATCH,
    RootKind.STAGING: Area.STAGING,
    RootKind.DUPLICATES: Area.DUPLICATES,
    RootKind.INGEST: Area.INGEST,
}


def area_of(kind: RootKind, path: bytes) -> Area:
    """The area of a file that is not ours for a while only."""
    area = OF_KIND[kind]
    if area is Area.ARCHIVE and path.startswith(REVIEW_FOLDER + b"/"):
        return Area.REVIEW
    return area
