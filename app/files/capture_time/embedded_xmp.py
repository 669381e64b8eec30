"""What the XMP inside a file says. Parsed by expat; a document type, and so any entity, is refused."""

from __future__ import annotations

from xml.parsers import expat

from app.files.capture_time.told import Odd, Told

#: Programs that write whole edit histories into it stay far below.
MAX_BYTES = 4 << 20
MAX_DEPTH = 100

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_EXIF, _TIFF, _XMP = "http://ns.adobe.com/exif/1.0/", "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/xap/1.0/"
_PHOTOSHOP, _GOOGLE = "http://ns.adobe.com/photoshop/1.0/", "http://ns.google.com/photos/1.0/camera/"

MAKE, MODEL = f"{_TIFF} Make", f"{_TIFF} Model"
#: The better one first. The date of the last change is not asked for.
DATES = (f"{_EXIF} DateTimeOriginal", f"{_PHOTOSHOP} DateCreated", f"{_EXIF} DateTimeDigitized", f"{_XMP} CreateDate")
MOTION = (f"{_GOOGLE} MotionPhoto", f"{_GOOGLE} MicroVideo")
WANTED = frozenset({MAKE, MODEL, *DATES, *MOTION})
LONGEST_VALUE = 200

#: Only here does a property speak of the photo itself; further in, of what it was made from.
OUTERMOST = [f"{_RDF} RDF", f"{_RDF} Description"]


class _Properties:
    """Collects the wanted properties, whether written as attributes or as elements."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > MAX_DEPTH:
            raise Odd("its XMP is nested too deeply")
        if self._path[-2:] == OUTERMOST:
            for key in WANTED & attributes.keys():
                self.found.setdefault(key, attributes[key][:LONGEST_VALUE])

    def letters(self, text: str) -> None:
        if self._path[-1] in WANTED and self._path[-3:-1] == OUTERMOST:
            name = self._path[-1]
            self.found[name] = (self.found.get(name, "") + text)[:LONGEST_VALUE]

    def end(self, _: str) -> None:
        self._path.pop()


def read(packet: bytes, told: Told) -> None:
    """The dates, the camera and the mark of a motion photo; raises Odd on what is no XMP, after telling the rest."""
    if len(packet) > MAX_BYTES:
        raise Odd("its XMP is too long")
    properties = _Properties()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = properties.start
    parser.EndElementHandler = properties.end
    parser.CharacterDataHandler = properties.letters
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(packet.strip(b"\0 \r\n\t"), True)
    except expat.ExpatError as error:
        raise Odd("its XMP is damaged") from error
    finally:
        _tell(properties.found, told)


def _refuse(*_: object) -> None:
    raise Odd("its XMP declares a document type")


def _tell(found: dict[str, str], told: Told) -> None:
    for name in DATES:
        if name in found:
            told.zoned_date("xmp", found[name])
    told.camera(found.get(MAKE, "").strip(), found.get(MODEL, "").strip())
    told.motion_photo |= any(found.get(name, "").strip() == "1" for name in MOTION)
