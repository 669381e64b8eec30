"""What EXIF data says: dates with fraction and offset, the time of the satellites, the camera, Apple's identifier."""

from __future__ import annotations

from app.files.capture_time import embedded_xmp
from app.files.capture_time.tiff import Entry, Tiff
from app.files.capture_time.told import Faults, Told
from app.files.capture_time.window import MAX_PART_BYTES, Window

#: Source, then the tags of its date, of the fraction of its second and of its offset.
DATES = (
    ("exif", 0x9003, 0x9291, 0x9011),
    ("exif_digitized", 0x9004, 0x9292, 0x9012),
    ("exif_modified", 0x0132, 0x9290, 0x9010),
)
MAKE, MODEL, XMP, DETAILS, GPS, MAKER_NOTE = 0x010F, 0x0110, 0x02BC, 0x8769, 0x8825, 0x927C
GPS_DATE, GPS_TIME = 0x001D, 0x0007
FIELDS = frozenset({MAKE, MODEL, XMP, DETAILS, GPS, MAKER_NOTE, *(tag for _, *tags in DATES for tag in tags)})
GPS_FIELDS = frozenset({GPS_DATE, GPS_TIME})

APPLE = b"Apple iOS\0\0\x01MM"
APPLE_FIRST, APPLE_CONTENT_IDENTIFIER = 14, 0x0011

Fields = dict[int, Entry]


def read(window: Window, told: Told) -> None:
    """Everything in TIFF data; raises Odd when it is damaged, after what could be read was told."""
    tiff = Tiff(window)
    fields = tiff.directory(tiff.first, FIELDS)
    faults = Faults()
    faults.attempt(_tell_camera, fields, told)
    details = fields.get(DETAILS)
    gps = fields.get(GPS)
    if details is not None and details.number():
        faults.attempt(_add_details, tiff, details.number(), fields)
    faults.attempt(tell_dates, fields, told)
    faults.attempt(_tell_maker_note, fields, told)
    if gps is not None and gps.number():
        faults.attempt(tell_gps, tiff, gps.number(), told)
    if XMP in fields:
        faults.attempt(_tell_xmp, fields[XMP], told)
    faults.raise_first()


def read_details(window: Window, told: Told) -> None:
    """TIFF data whose first directory is that of the details, as in Canon's CR3."""
    tiff = Tiff(window)
    fields = tiff.directory(tiff.first, FIELDS)
    tell_dates(fields, told)


def read_gps(window: Window, told: Told) -> None:
    """TIFF data whose first directory is that of the satellites, as in Canon's CR3."""
    tiff = Tiff(window)
    tell_gps(tiff, tiff.first, told)


def tell_dates(fields: Fields, told: Told) -> None:
    """The three dates among these fields."""
    for source, date, fraction, offset in DATES:
        if date in fields and (text := fields[date].text()):
            digits = fields[fraction].text() if fraction in fields else ""
            zone = fields[offset].text() if offset in fields else ""
            told.date(source, f"{text}.{digits}" if digits.isdecimal() else text, zone or "local")


def tell_gps(tiff: Tiff, start: int, told: Told) -> None:
    """The satellites' time, which is UTC."""
    fields = tiff.directory(start, GPS_FIELDS)
    if GPS_DATE not in fields or GPS_TIME not in fields:
        return
    date, time = fields[GPS_DATE].text(), fields[GPS_TIME].rationals()
    if date and len(time) == 3:
        seconds, rest = divmod(round((time[0] * 3600 + time[1] * 60 + time[2]) * 1000), 1000)
        fraction = f".{rest:03d}" if rest else ""
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        told.date("gps", f"{date} {clock}{fraction}", "utc")


def _tell_camera(fields: Fields, told: Told) -> None:
    make, model = (fields[tag].text() if tag in fields else "" for tag in (MAKE, MODEL))
    told.camera(make, model)


def _add_details(tiff: Tiff, start: int, fields: Fields) -> None:
    fields.update(tiff.directory(start, FIELDS))


def _tell_maker_note(fields: Fields, told: Told) -> None:
    note = fields.get(MAKER_NOTE)
    if note is None or told.content_identifier or note.size <= len(APPLE) or note.raw(len(APPLE)) != APPLE:
        return
    tiff = Tiff(Window.of_bytes(note.raw(MAX_PART_BYTES)), ">", APPLE_FIRST)
    found = tiff.directory(APPLE_FIRST, frozenset({APPLE_CONTENT_IDENTIFIER}))
    if APPLE_CONTENT_IDENTIFIER in found:
        told.content_identifier = found[APPLE_CONTENT_IDENTIFIER].text() or None


def _tell_xmp(entry: Entry, told: Told) -> None:
    embedded_xmp.read(entry.raw(embedded_xmp.MAX_BYTES + 1), told)
