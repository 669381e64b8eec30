"""Dates in XMP, in a photo or in a file beside it. The bytes are hostile: nothing but plain elements is allowed."""

from __future__ import annotations

import re
from xml.parsers import expat

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
EXIF = "http://ns.adobe.com/exif/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
XMP = "http://ns.adobe.com/xap/1.0/"
#: The better one first; ModifyDate and MetadataDate tell when a program wrote the file.
DATES = (
    f"{EXIF} DateTimeOriginal",
    f"{PHOTOSHOP} DateCreated",
    f"{EXIF} DateTimeDigitized",
    f"{XMP} CreateDate",
)
ZONE_AT_END = re.compile(r"[T ]\d{1,2}:.*?(?P<zone>[+-]\d{2}:?\d{2}|Z)$")
MAX_TEXT = 100
MAX_DEPTH = 100


class NotAllowed(ValueError):
    """XML with a document type, entities, or deeper than any XMP."""


def dates_in(packet: bytes) -> list[tuple[str, str]]:
    """(text, zone) of each date of the photo itself, the better one first, equal ones once.

    Raises ValueError when it is no XML, or not of the plain kind that XMP is.
    """
    reading = _Reading()
    try:
        reading.parser.Parse(packet.strip(b"\0"), True)
    except expat.ExpatError as error:
        raise ValueError(f"it is not XML: {error}") from error
    told = (_with_zone(reading.found[name]) for name in DATES if reading.found.get(name))
    return list(dict.fromkeys(told))


class _Reading:
    """What stands in the outermost descriptions: as attributes, or as elements."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.EntityDeclHandler = _refuse

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > MAX_DEPTH:
            raise NotAllowed("it is nested too deeply")
        if self._path[-2:] == [f"{RDF} RDF", f"{RDF} Description"]:
            for date in DATES:
                if attributes.get(date):
                    self.found.setdefault(date, attributes[date][:MAX_TEXT])

    def _end(self, name: str) -> None:
        self._path.pop()

    def _text(self, text: str) -> None:
        # What was made of other photos tells their dates further in.
        if self._path[-3:-1] == [f"{RDF} RDF", f"{RDF} Description"] and self._path[-1] in DATES:
            self.found[self._path[-1]] = (self.found.get(self._path[-1], "") + text)[:MAX_TEXT]


def _refuse(*_details: object) -> None:
    raise NotAllowed("it defines a document type or entities")


def _with_zone(text: str) -> tuple[str, str]:
    bare = text.strip()
    match = ZONE_AT_END.search(bare)
    if match is None:
        return bare, "local"
    return bare[: match.start("zone")], "utc" if match["zone"] == "Z" else match["zone"]
