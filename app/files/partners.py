"""The media that the sidecars of one folder belong to: what lies beside them, and what has left the folder before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property

from app.files.belonging import group_key
from app.files.kinds import MEDIA_SUFFIXES, suffix
from app.files.media_names import MediaNames
from app.files.takeout import named_by_json, takeout_partners, title_of, titled_partners

#: A further version of a photo in darktable, IMG_1_01.CR2.xmp, and a language of subtitles, film.en.srt.
VERSION = re.compile(rb"(?P<stem>.+)_\d\d(?P<ending>\.[^.]+\.xmp)", re.DOTALL | re.IGNORECASE)
LANGUAGE = re.compile(rb"(?P<stem>.+)\.[a-z]{2,3}(?P<ending>\.srt)", re.DOTALL | re.IGNORECASE)
#: The small copy of a GoPro's film is called GL010001.LRV, whether that is GX010001.MP4 or GH010001.MP4.
GOPRO_SMALL = re.compile(rb"GL(?P<rest>\d{6}.*\.lrv)", re.DOTALL | re.IGNORECASE)


def _called_after(sidecar: bytes) -> list[bytes]:
    """What a sidecar would be called without its version or language, or after the other kind of film."""
    matches = (pattern.fullmatch(sidecar) for pattern in (VERSION, LANGUAGE))
    small = GOPRO_SMALL.fullmatch(sidecar)
    others = [b"GH" + small["rest"]] if small is not None else []
    return [match["stem"] + match["ending"] for match in matches if match is not None] + others


class Partners:
    """Of one folder. `known_names` tells what came into it and may have left; `head_of` the first bytes of a file."""

    def __init__(
        self, media_names: set[bytes], known_names: Callable[[], Iterable[bytes]], head_of: Callable[[bytes], bytes]
    ) -> None:
        self._here, self._known_names, self._head_of = MediaNames(media_names), known_names, head_of
        self._names_here = media_names
        self._titles: dict[bytes, str | None] = {}

    def of_json(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        """The media file that each of these JSON files describes; those that describe none are left out."""
        asked = list(names)
        found = takeout_partners(asked, self._here, self._title)
        if len(found) == len(asked):
            return found
        found = takeout_partners(asked, self._ever, self._title)
        rest = [name for name in asked if name not in found]
        return found | titled_partners(rest, self._ever, self._title, set(found.values()))

    def group_name_of(self, sidecar: bytes) -> bytes | None:
        """The name whose group a sidecar is in, its own or that of its media; None when there is no media, nor was."""
        for name in (sidecar, *_called_after(sidecar)):
            key = group_key(name)
            if self._here.of_group(key) or self._ever.of_group(key):
                return name
        return None

    def missing_of_json(self, name: bytes) -> bytes | None:
        """What the group is named after of a JSON that describes a photo or video which is not here: exports come in
        parts, and in folders of their own. None for any other JSON."""
        return named_by_json(name, lambda: self._title(name))

    @cached_property
    def _ever(self) -> MediaNames:
        gone_on = {name for name in self._known_names() if suffix(name) in MEDIA_SUFFIXES}
        return MediaNames(self._names_here | gone_on)

    def _title(self, name: bytes) -> str | None:
        if name not in self._titles:
            self._titles[name] = title_of(self._head_of(name))
        return self._titles[name]
