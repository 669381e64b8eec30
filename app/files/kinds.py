"""What a file name alone says: media, sidecar, or something that is left in place and why; and which group it is in.

Names are bytes; suffixes and reserved names are compared without regard to case.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase, translate
from typing import Literal

Kind = Literal["media", "sidecar", "left"]

STILL_SUFFIXES = frozenset(
    b"jpg jpeg jpe jfif jxl heic heif hif heics heifs avif avifs png apng gif webp bmp dib tif tiff jp2 j2k jpx mpo "
    b"insp".split()
)
RAW_SUFFIXES = frozenset(
    b"3fr ari arq arw bay braw cap cr2 cr3 crw dcr dcs dng drf eip erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf "
    b"ori pef ptx pxn r3d raf raw rw2 rwl rwz sr2 srf srw x3f".split()
)
VIDEO_SUFFIXES = frozenset(
    b"3g2 3gp 3gpp 360 asf avi divx dv f4v flv insv m2t m2ts m2v m4v mkv mod mov mp mp~2 mp4 mpe mpeg mpg mts mv mxf "
    b"ogm ogv qt tod ts vob webm wmv".split()
)
MEDIA_SUFFIXES = STILL_SUFFIXES | RAW_SUFFIXES | VIDEO_SUFFIXES
#: Files that describe or belong to a media file of the same stem.
SIDECAR_SUFFIXES = frozenset(b"xmp aae thm lrv srt".split())
#: A sidecar only beside the media file that it describes; any other JSON file is not ours.
TAKEOUT_SUFFIX = b"json"

#: Our own names: the root marker, trash, temps and manifests. Not media, and nothing to tell a person about.
OWN_PREFIXES = (b".mp-", b".media-pipeline")

LEFT_FOLDERS = {
    b"@eadir": "thumbnails of a Synology NAS",
    b"@__thumb": "thumbnails of a QNAP NAS",
    b"@recycle": "recycle bin of a QNAP NAS",
    b"@recently-snapshot": "snapshots of a QNAP NAS",
    b"@tmp": "working folder of a NAS",
    b"@snapshot": "snapshots of a NAS",
    b"#recycle": "recycle bin of a Synology NAS",
    b"#snapshot": "snapshots of a Synology NAS",
    b"$recycle.bin": "recycle bin of Windows",
    b"recycler": "recycle bin of Windows",
    b"system volume information": "system folder of Windows",
    b"lost+found": "system folder of Linux",
    b"__macosx": "leftovers of macOS archives",
    b"network trash folder": "trash of macOS",
    b"temporary items": "working folder of macOS",
}
LEFT_FILES = {
    b".ds_store": "folder settings of macOS",
    b"thumbs.db": "thumbnails of Windows",
    b"ehthumbs.db": "thumbnails of Windows",
    b"ehthumbs_vista.db": "thumbnails of Windows",
    b"desktop.ini": "folder settings of Windows",
    b"zbthumbnail.info": "thumbnails of a camera program",
    b"picasa.ini": "settings of Picasa",
    b".picasa.ini": "settings of Picasa",
    b".nomedia": "marker of Android",
    b".stignore": "settings of Syncthing",
    b"icon\r": "folder icon of macOS",
}
LEFT_PATTERNS: tuple[tuple[bytes, str], ...] = (
    (b".syncthing.*", "temporary file of Syncthing"),
    (b"~syncthing~*", "temporary file of Syncthing"),
    (b"*.sync-conflict-*.tmp", "temporary file of Syncthing"),
    (b"synofile_thumb*", "thumbnail of a Synology NAS"),
    (b"._*", "resource file of macOS"),
    (b".trashed-*", "in the trash of an Android phone"),
    (b".pending-*", "still being written by an Android phone"),
    (b".fuse_hidden*", "deleted file still held open"),
    (b".nfs[0-9a-f]*", "deleted file still held open"),
    (b".smbdelete*", "deleted file still held open"),
    (b".goutputstream-*", "temporary file"),
    (b".~tmp~*", "temporary file"),
    (b"~$*", "lock file"),
    (b".~lock.*", "lock file"),
    (b"*.icloud", "placeholder of iCloud: the file itself is not on this disk"),
)
#: All of LEFT_PATTERNS in one: a name is tried once, and only a name that fits is asked which pattern it was.
ANY_LEFT_PATTERN = re.compile("|".join(translate(p.decode()) for p, _ in LEFT_PATTERNS).encode())
#: A name that ends as photos and videos do is one of the above only if it begins with one of these.
LEFT_BEGINNINGS = frozenset((b".", b"~", b"s", b"S"))
#: How most names of photos and videos end, in four or five bytes, as cameras write them.
PLAIN_ENDINGS = frozenset(
    b"." + ending for known in MEDIA_SUFFIXES if len(known) in (3, 4) for ending in (known, known.upper())
)
#: Downloads and uploads that have not ended: browsers, rsync, rclone, phones, torrent and sync programs.
UNFINISHED_SUFFIXES = frozenset(
    b"part partial crdownload download opdownload tmp temp filepart aria2 !ut !qb bc! unfinished incomplete "
    b"uploading upload rsync-tmp rclonepart ocpart swp lock".split()
)
#: The reason for a file of which nothing is known but that it is something else; all other reasons are for litter.
NO_MEDIA = "not a photo or video"
#: `rsync` writes `.IMG_1.JPG.a1B2c3` beside the target.
RSYNC_TEMPORARY = re.compile(rb"\..+\.[A-Za-z0-9]{6}", re.DOTALL)


def suffix(name: bytes) -> bytes:
    """The part after the last dot in lower case, or nothing: b"IMG.JPG" -> b"jpg"."""
    stem, dot, ending = name.rpartition(b".")
    return ending.lower() if dot and stem else b""


def is_own(name: bytes) -> bool:
    """True for what this program itself puts into a folder."""
    return name.startswith(OWN_PREFIXES)


def folder_reason(name: bytes) -> str | None:
    """Why a folder of this name is left in place, or None when it is to be entered."""
    reason = LEFT_FOLDERS.get(name.lower()) or _pattern_reason(name.lower())
    if reason is None and name.startswith(b"."):
        return "hidden folder"
    return reason


def plain_ending(name: bytes) -> int:
    """How long the ending of a name is that is a photo's or video's at first sight; 0 where `file_kind` has to tell."""
    if name[:1] in LEFT_BEGINNINGS:
        return 0
    return 4 if name[-4:] in PLAIN_ENDINGS else 5 if name[-5:] in PLAIN_ENDINGS else 0


def file_kind(name: bytes) -> tuple[Kind, str]:
    """What a regular file is by its name, with the reason when it is left in place.

    A `.json` is left here; `takeout_partner` tells whether it belongs to a media file beside it.
    """
    ending = suffix(name)
    if ending in MEDIA_SUFFIXES and name[:1] not in LEFT_BEGINNINGS:
        return "media", ""
    lowered = name.lower()
    reason = LEFT_FILES.get(lowered) or _pattern_reason(lowered)
    if reason is not None:
        return "left", reason
    if ending in MEDIA_SUFFIXES:
        return "media", ""
    if ending in SIDECAR_SUFFIXES:
        return "sidecar", ""
    return "left", _unsupported_reason(name, ending)


def ignored_by(name: bytes, path: bytes, patterns: tuple[bytes, ...]) -> str | None:
    """The reason when one of the configured globs fits the name or the relative path, else None."""
    for pattern in patterns:
        if fnmatchcase(name, pattern) or fnmatchcase(path, pattern):
            return f"matches the ignore pattern {pattern.decode('utf-8', 'backslashreplace')}"
    return None


def group_stem(name: bytes) -> bytes:
    """The name without its ending, and a sidecar's without its photo's: IMG_1.HEIC, IMG_1.xmp and IMG_1.HEIC.xmp all
    give IMG_1. Which files are one group, belonging.py tells."""
    stem, _, ending = name.rpartition(b".")
    if not stem:
        return name
    if ending.lower() in SIDECAR_SUFFIXES and suffix(stem) in MEDIA_SUFFIXES:
        return stem.rpartition(b".")[0]
    return stem


def _pattern_reason(lowered: bytes) -> str | None:
    if not ANY_LEFT_PATTERN.match(lowered):
        return None
    return next(reason for pattern, reason in LEFT_PATTERNS if fnmatchcase(lowered, pattern))


def _unsupported_reason(name: bytes, ending: bytes) -> str:
    if ending in UNFINISHED_SUFFIXES:
        return "unfinished download or upload"
    if RSYNC_TEMPORARY.fullmatch(name) and suffix(name.rpartition(b".")[0]) in MEDIA_SUFFIXES:
        return "temporary file of rsync"
    shown = ending[:20].decode("utf-8", "backslashreplace")
    return f"{NO_MEDIA} (.{shown})" if ending else NO_MEDIA
