"""Makes a sample library: every kind of file that an ingest folder meets, all generated, always the same bytes.

    demo_library.py FOLDER

A file that is there already is left alone; a file that the pipeline has taken away meanwhile is made again,
and then is a duplicate of what is archived.
"""

from __future__ import annotations

import base64
import io
import os
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from demo_video import video
from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import ImageFileDirectory_v2

MAKE, MODEL, MODIFIED = 0x010F, 0x0110, 0x0132
EXIF_IFD, TAKEN, TAKEN_OFFSET = 0x8769, 0x9003, 0x9011
DNG_VERSION, DNG_BACKWARD_VERSION, DNG_MODEL = 50706, 50707, 50708

#: A gradient of 64 x 48 pixels, encoded once by us; nothing here at run time can write HEIC.
HEIC_TAKEN = "2024:08:17 09:12:45"
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAb5tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRp"
    "bG9jAAAAAERAAAIAAQAAAAAB4gABAAAAAAAAAFAAAgAAAAACMgABAAAAAAAAAKwAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABo"
    "dmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA"
    "/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMD"
    "IAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAA"
    "AAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAABppcmVmAAAAAAAAAA5jZHNj"
    "AAIAAQABAAABBG1kYXQAAABMKAGvWOb/9E8BKsDdKI1pVbozQJ1x7f4sKajdQjZ7EH32B4sNFUB/SQwC63P34lKk7lXNFcvWfb353Dl5"
    "L+SzKvMDle6XGxOpzcfJLwAAAAZFeGlmAABNTQAqAAAACAAEAQ8AAgAAAA8AAAA+ARAAAgAAAAUAAABOATIAAgAAABQAAABUh2kABAAA"
    "AAEAAABoAAAAAE1lZGlhIFBpcGVsaW5lAABEZW1vAAAyMDI0OjA4OjE3IDA5OjEyOjQ1AAACkAMAAgAAABQAAACGkBEAAgAAAAcAAACa"
    "AAAAADIwMjQ6MDg6MTcgMDk6MTI6NDUAKzAyOjAwAAA="
)

SIDECAR = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/>
 </rdf:RDF>
</x:xmpmeta>
"""


def picture(label: str, colour: tuple[int, int, int]) -> Image.Image:
    """A picture that says what it is."""
    image = Image.linear_gradient("L").resize((640, 480)).convert("RGB")
    image = Image.blend(image, Image.new("RGB", image.size, colour), 0.5)
    ImageDraw.Draw(image).text((40, 200), label, fill="white", font_size=48)
    return image


def jpeg(label: str, taken: str = "", colour: tuple[int, int, int] = (40, 90, 160)) -> bytes:
    """A JPEG with EXIF; `taken` as EXIF writes it, or empty for a picture without a date."""
    exif = Image.Exif()
    exif[MAKE], exif[MODEL] = "Media Pipeline", "Demo"
    if taken:
        exif[MODIFIED] = taken
        exif.get_ifd(EXIF_IFD).update({TAKEN: taken, TAKEN_OFFSET: "+02:00"})
    out = io.BytesIO()
    picture(label, colour).save(out, "JPEG", quality=85, exif=exif)
    return out.getvalue()


def heic(taken: str) -> bytes:
    """The HEIC with another date in its EXIF."""
    return HEIC.replace(HEIC_TAKEN.encode(), taken.encode())


def raw(label: str, taken: str) -> bytes:
    """A DNG: a TIFF with the tags that make it one."""
    tags = ImageFileDirectory_v2()
    tags[MAKE], tags[MODEL], tags[DNG_MODEL] = "Media Pipeline", "Demo", "Media Pipeline Demo"
    tags[DNG_VERSION], tags[DNG_BACKWARD_VERSION] = b"\x01\x04\x00\x00", b"\x01\x01\x00\x00"
    tags[EXIF_IFD] = {TAKEN: taken, TAKEN_OFFSET: "+02:00"}
    out = io.BytesIO()
    picture(label, (160, 120, 40)).resize((160, 120)).save(out, "TIFF", tiffinfo=tags)
    return out.getvalue()


def library() -> dict[str, bytes]:
    """Name to content. What each file is there to show stands beside it."""
    beach = jpeg("beach", "2024:07:01 10:15:00")
    harbour = jpeg("harbour", "2024:07:02 18:30:00", (160, 120, 40))
    frames = [jpeg(f"frame {number}", colour=(30 * number, 80, 120)) for number in range(1, 6)]
    return {
        "camera/IMG_0001.JPG": beach,
        "camera/IMG_0002.JPG": jpeg("dunes", "2024:07:01 11:40:12", (180, 150, 90)),
        "camera/IMG_0003.JPG": jpeg("market", "2024:07:03 08:05:59", (140, 40, 60)),
        # RAW and JPEG of one shot, with a sidecar: they stay together
        "camera/DSC_0100.JPG": harbour,
        "camera/DSC_0100.DNG": raw("harbour", "2024:07:02 18:30:00"),
        "camera/DSC_0100.xmp": SIDECAR.encode(),
        # the same content under other names
        "phone/backup/beach copy.jpg": beach,
        "old disk/IMG_0001.JPG": beach,
        # the same name on the same day with other content
        "second camera/IMG_0002.JPG": jpeg("ferry", "2024:07:01 20:01:00", (60, 60, 60)),
        "phone/IMG_2001.HEIC": heic("2024:08:16 21:30:05"),
        # a Live Photo: still and film of one moment
        "phone/IMG_2002.HEIC": heic(HEIC_TAKEN),
        "phone/IMG_2002.MOV": video(frames[:3], "2024-08-17T07:12:45", brand=b"qt  "),
        "phone/VID_20240818_140000.mp4": video(frames, "2024-08-18T12:00:00", brand=b"isom"),
        # no date inside: the file's own time must do
        "scans/grandmother.jpg": jpeg("no date", colour=(90, 90, 90)),
        # cut off in the middle of a transfer
        "phone/IMG_2003.JPG": jpeg("broken", "2024:08:18 16:00:00", (200, 60, 60))[:9000],
        "phone/empty.jpg": b"",
        "camera/Fähre im Nebel ⛴.jpg": jpeg("fog", "2024:07:04 06:20:00", (120, 130, 140)),
        # not media: left in place and listed
        "camera/notes.txt": b"Bring the tripod next time.\n",
    }


#: A fixed time for files whose content has no date: 2023-05-06 12:00 UTC.
MODIFIED_AT = 1_683_374_400


def main() -> int:
    """Write what is missing."""
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    folder, made = Path(sys.argv[1]), 0
    for name, content in library().items():
        path = folder / name
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (MODIFIED_AT, MODIFIED_AT))
        made += 1
    print(f"Sample library: {made} files made in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
