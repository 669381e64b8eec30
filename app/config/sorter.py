"""Settings of the archive and of capture dates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.config.fields import Section, Text, TextList, TransferMode


class Sorter(Section):
    """How files are filed into the archive."""

    folder_pattern: Text = Field(
        default="{year}/{month:02d}/{day:02d}",
        description="Folders of the archive; year, month, camera_model, source and more can be used.",
    )
    name_pattern: Text = Field(
        default="",
        description="Names in the archive, as in {year}{month:02d}{day:02d}_{counter:03d}. Empty: their own.",
    )
    language: Text = Field(default="en", description="Language of month names in the patterns, as in de or pt.")
    source_label: Text = Field(
        default="", description="What {source} says of files from this ingest folder. Empty: the folder's name."
    )
    safe_names: Literal["auto", "portable", "native"] = Field(
        default="auto",
        description="Characters in names: portable = only what Windows takes too; auto = as the archive's disk needs.",
    )
    exif_fallback: bool = Field(
        default=True, description="Use the file's modification time when it holds no capture time."
    )
    transfer_mode: TransferMode = Field(
        default="move", description="move: files leave the batch folder; copy: they stay there as well."
    )
    timezone: Text = Field(
        default="", description="Zone that decides the day, as in Europe/Berlin. Empty: TZ, else UTC."
    )
    weak_dates: Literal["mtime", "review", "unknown_folder"] = Field(
        default="mtime",
        description="Files with a doubtful date: file by mtime, hold for review, or into unknown-date/.",
    )
    video_time: Literal["auto", "utc", "local"] = Field(
        default="auto",
        description="Time in a film's header: utc as the standard says, local, or auto = by maker and name.",
    )
    local_video_makes: TextList = Field(
        default=("Canon", "Casio", "DJI", "Fujifilm", "GoPro", "Nikon", "Olympus", "Panasonic", "Pentax"),
        description="Makers whose films tell local time there, under video_time: auto.",
    )
    date_sidecars: Literal["none", "decided"] = Field(
        default="none",
        description="XMP files beside archived files: none, or one with each date that a person decides from now on.",
    )
    filename_dates: TextList = Field(
        default=(),
        description="More dates in file names, as in Scan {day}.{month}.{year}; those of phones are known.",
    )
