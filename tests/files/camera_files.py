"""A file of every format that is read, with the dates that a test asks for, as small as each format allows."""

from __future__ import annotations

import io
import struct
import subprocess
from datetime import datetime
from pathlib import Path

import pillow_heif
from PIL import Image, PngImagePlugin

from tests.files.media import box
from tests.files.tiff_data import BYTE, UNDEFINED, Shot, details_of, directory, tiff

EXIF_START = b"Exif\0\0"
CANON_ID = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")


def exif_segment(shot: Shot, order: str = "<") -> bytes:
    return EXIF_START + tiff(shot, order)


def picture(kind: str, exif: bytes = b"") -> bytes:
    """A small picture; `exif` begins as a segment of a JPEG does."""
    image, buffer = Image.new("RGB", (16, 16), (200, 100, 50)), io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(image).save(buffer, exif=exif or None, quality=10)
    else:
        image.save(buffer, kind, **({"exif": exif} if exif else {}))
    return buffer.getvalue()


def jpeg(shot: Shot, order: str = "<") -> bytes:
    """A JPEG with the XMP of the shot in a segment of its own."""
    content = picture("JPEG", exif_segment(Shot(**{**vars(shot), "xmp": b""}), order))
    if shot.xmp:
        segment = b"http://ns.adobe.com/xap/1.0/\0" + shot.xmp
        content = content[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + content[2:]
    return content


def png_with_text(shot: Shot, packed: bool = False) -> bytes:
    """A PNG that has its EXIF data as ImageMagick writes it: as hexadecimal text."""
    data = exif_segment(shot)
    text = f"\nexif\n{len(data):8d}\n{data.hex()}\n"
    texts, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    texts.add_text("Raw profile type exif", text, zip=packed)
    Image.new("RGB", (16, 16)).save(buffer, "PNG", pnginfo=texts)
    return buffer.getvalue()


def gif(xmp: bytes) -> bytes:
    """A GIF with XMP, or without any date."""
    buffer = io.BytesIO()
    Image.new("P", (16, 16)).save(buffer, "GIF")
    content = buffer.getvalue()
    tail = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    block = b"!\xff\x0bXMP DataXMP" + xmp + tail if xmp else b""
    return b"GIF89a" + content[6:-1] + block + b";"


def cr2(shot: Shot) -> bytes:
    return tiff(shot, header=b"CR\x02\0\0\0\0\0")


def dng(shot: Shot) -> bytes:
    return tiff(shot, extra={0xC612: (BYTE, b"\1\4\0\0")})


def rw2(shot: Shot) -> bytes:
    return tiff(shot, magic=b"IIU\0", header=bytes(16))


def rw2_with_jpeg(shot: Shot) -> bytes:
    """Panasonic's older way: all that is said is in the JPEG inside."""
    return tiff(Shot(make=shot.make), magic=b"IIU\0", header=bytes(16), extra={0x002E: (UNDEFINED, jpeg(shot))})


def orf(shot: Shot) -> bytes:
    return tiff(shot, magic=b"IIRO")


def raf(shot: Shot) -> bytes:
    """Fujifilm's raw file: a header that says where a JPEG lies."""
    inside = jpeg(shot)
    header = b"FUJIFILMCCD-RAW 0201FF383101X-T1".ljust(84, b"\0") + struct.pack(">II", 160, len(inside))
    return header.ljust(160, b"\0") + inside


def mrw(shot: Shot) -> bytes:
    """Minolta's raw file: blocks, one of them TIFF data."""
    inside = tiff(shot, ">")
    blocks = b"\0PRD" + struct.pack(">I", 24) + bytes(24) + b"\0TTW" + struct.pack(">I", len(inside)) + inside
    return b"\0MRM" + struct.pack(">I", len(blocks)) + blocks + bytes(64)


def x3f(shot: Shot) -> bytes:
    """Sigma's raw file: a JPEG and a list of what is in the file, at its end."""
    inside = jpeg(shot)
    part = (b"SECi\0\0\x02\0\x02\0\0\0\x12\0\0\0").ljust(28, b"\0") + inside
    return _x3f([(b"IMA2", part)])


def x3f_with_properties(taken_at: datetime, make: str) -> bytes:
    """Sigma's older way: names and values as text of two bytes a letter."""
    words, places, letters = ["TIME", str(int(taken_at.timestamp())), "CAMMANUF", make], [], b""
    for word in words:
        places.append(len(letters) // 2)
        letters += word.encode("utf-16-le") + b"\0\0"
    entries = b"".join(struct.pack("<I", place) for place in places)
    head = b"SECp" + struct.pack("<IIIII", 0x20000, len(words) // 2, 0, 0, len(letters) // 2)
    return _x3f([(b"PROP", head + entries + letters)])


def _x3f(parts: list[tuple[bytes, bytes]]) -> bytes:
    content = b"FOVb" + struct.pack("<HH", 0, 2) + bytes(252)
    table = b""
    for name, part in parts:
        table += struct.pack("<II", len(content), len(part)) + name
        content += part
    start = len(content)
    return content + b"SECd" + struct.pack("<II", 0x20000, len(parts)) + table + struct.pack("<I", start)


def cr3(shot: Shot) -> bytes:
    """Canon's newer raw file: boxes with TIFF data in them."""
    first = tiff(Shot(make=shot.make, model=shot.model, modified=shot.modified))
    details = b"II*\0" + struct.pack("<I", 8) + directory(details_of(shot), "<", 8)
    parts = box(b"CNCV", b"CanonCR3_001/00.09.00/00.00.00") + box(b"CMT1", first) + box(b"CMT2", details)
    moov = box(b"moov", box(b"uuid", CANON_ID, parts), box(b"mvhd", bytes(100)))
    return box(b"ftyp", b"crx \0\0\0\1crx isom") + moov + box(b"mdat", bytes(64))


def jxl(shot: Shot) -> bytes:
    """JPEG XL in boxes."""
    start = b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    return start + box(b"Exif", bytes(4), tiff(shot)) + box(b"jxlc", b"\xff\x0a" + bytes(16))


def heif(shot: Shot, brand: bytes = b"heic", version: int = 1, in_data: bool = False, xmp: bytes = b"") -> bytes:
    """HEIC or AVIF of its list of items alone: no picture, but all that is said of it; with the data in idat too."""
    exif = struct.pack(">I", 6) + EXIF_START + tiff(shot)
    items = [(1, b"Exif\0", exif)] + ([(2, b"mime\0application/rdf+xml\0", xmp)] if xmp else [])
    entries = b"".join(box(b"infe", b"\2\0\0\0", struct.pack(">HH", item, 0), kind) for item, kind, _ in items)
    iinf = box(b"iinf", bytes(4), struct.pack(">H", len(items)), entries)
    hdlr = box(b"hdlr", bytes(8), b"pict", bytes(13))
    ftyp = box(b"ftyp", brand, bytes(4), b"mif1", brand)
    data = b"".join(content for _, _, content in items)

    def meta(origin: int) -> bytes:
        places, at = b"", origin
        for item, _, content in items:
            method = struct.pack(">H", 1 if in_data else 0) if version else b""
            places += struct.pack(">H", item) + method + struct.pack(">HHII", 0, 1, at, len(content))
            at += len(content)
        iloc = box(b"iloc", bytes((version, 0, 0, 0, 0x44, 0)), struct.pack(">H", len(items)), places)
        return box(b"meta", bytes(4), hdlr, iinf, iloc, box(b"idat", data) if in_data else b"")

    return ftyp + meta(0 if in_data else len(ftyp) + len(meta(0)) + 8) + box(b"mdat", b"" if in_data else data)


def avi(written: str) -> bytes:
    """An AVI with the date of a camera, in whatever form it writes dates."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

    header = chunk(b"avih", bytes(56)) + chunk(b"IDIT", written.encode() + b"\n\0")
    content = chunk(b"LIST", b"hdrl" + header) + chunk(b"LIST", b"movi" + bytes(16))
    return chunk(b"RIFF", b"AVI " + content)


def film(folder: Path, name: str, created: datetime | None = None, *options: str | bytes) -> bytes:
    """A film that ffmpeg makes: MP4, MOV, M4V, 3GP, MKV, WebM or a transport stream, by its name."""
    source = ["-f", "lavfi", "-i", "color=size=176x144:rate=5:duration=0.4"]
    dated = ["-metadata", f"creation_time={created:%Y-%m-%dT%H:%M:%SZ}"] if created is not None else []
    path = folder / name
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", *source, *dated, *options, str(path)], check=True, stdin=subprocess.DEVNULL
    )
    return path.read_bytes()


def camcorder_film(folder: Path, name: str, taken: datetime, zone: int = 0x02) -> bytes:
    """A stream of a camcorder: the date is in the pictures, in digits of four bits. No part of it may be zero."""

    def digits(number: int) -> bytes:
        return bytes.fromhex(f"{number:02d}")

    date = bytes((0x18, zone)) + digits(taken.year // 100) + digits(taken.year % 100) + digits(taken.month)
    time = b"\x19" + b"".join(digits(part) for part in (taken.day, taken.hour, taken.minute, taken.second))
    pack = b"MDPM\x02" + date + time
    # The encoder's own notes go first: exiftool looks no further than the first ones.
    data = b"filter_units=remove_types=6,h264_metadata=sei_user_data=17ee8c60-f84d-11d9-8cd6-0800200c9a66+" + pack
    packets = ["-f", "mpegts", "-mpegts_m2ts_mode", "1" if name.endswith("m2ts") else "0"]
    return film(folder, name, None, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-bsf:v", data, *packets)


def xmp_packet(**properties: str) -> bytes:
    """XMP with these properties: exif_DateTimeOriginal="2024-05-06T07:08:09+02:00"."""
    spaces = {
        "exif": "http://ns.adobe.com/exif/1.0/", "xmp": "http://ns.adobe.com/xap/1.0/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/", "tiff": "http://ns.adobe.com/tiff/1.0/",
        "GCamera": "http://ns.google.com/photos/1.0/camera/",
    }  # fmt: skip
    names = "".join(f' xmlns:{short}="{name}"' for short, name in spaces.items())
    told = "".join(f' {name.replace("_", ":", 1)}="{value}"' for name, value in properties.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{names}{told}/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()
