"""Sidecars with decided dates: written beside archived files, replaced when another date is decided, taken away when
none is decided any more or the file has left the archive."""

from app.pipeline.sidecars.run import run, take_away_of_returned

__all__ = ["run", "take_away_of_returned"]
