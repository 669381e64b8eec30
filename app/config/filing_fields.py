"""The fields that the patterns of the archive know, and what each of them says."""

from __future__ import annotations

#: What can stand in both patterns, and what it is, for people.
SHARED = {
    "year": "year of the day on which it was taken",
    "month": "month as a number",
    "day": "day of the month",
    "hour": "hour on the clock where it was taken",
    "minute": "minute",
    "second": "second",
    "week": "week of the year by ISO 8601",
    "week_year": "year that this week belongs to, which differs around New Year",
    "month_name": "name of the month in sorter.language",
    "month_short": "short name of the month in sorter.language",
    "camera_make": "maker of the camera",
    "camera_model": "model of the camera",
    "source": "sorter.source_label, or the name of the ingest folder that it came from",
    "type": "photo or video; that of the photo for a Live Photo",
    "group": "name that the files of its group share",
    "folder": "folder below the ingest folder in which it lay",
    "top_folder": "first level of that folder",
}
FOLDER_FIELDS = tuple(SHARED)
#: A name can also be numbered, and carry on the name that the file came with.
NAME_FIELDS = (*SHARED, "name", "counter")
