"""Which media file a JSON file of a Google Takeout export describes.

Google writes `<media name>.supplemental-metadata.json` (older exports `<media name>.json`), cuts what stands before
`.json` to 46 characters, and puts a copy's `(n)` behind the cut: IMG(1).jpg has IMG.jpg.supplemental-metadata(1).json.
Media names are cut as well, later, and each kind of name is numbered by itself when two are the same after the cut.
So a name that was not cut says by itself whose JSON it is. Of one that may have been cut, its "title" decides: the name
that the photo had before it was uploaded. A JSON that describes nothing here, as an album's metadata.json, is nobody's.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from itertools import islice, takewhile

from app.files.belonging import group_key
from app.files.kinds import MEDIA_SUFFIXES, suffix

CUT_CHARACTERS = 46
MARK = b".supplemental-metadata"
COPY_NUMBER = re.compile(rb"(.*)(\(\d{1,4}\))", re.DOTALL)
#: Google writes an underscore for what some file system does not allow in names.
REPLACED = re.compile(r"[&<>'\"*?/\\:|%#\x00-\x1f]")

#: `"title": "IMG_1.jpg"`; Google writes it first. Nothing is parsed but this one string.
TITLE = re.compile(rb'"title"\s*:\s*("(?:[^"\\]|\\.)*")')
#: So much of a JSON is read to find it.
HEAD_BYTES = 65_536

#: What a JSON file says is the title of its photo; None when it says nothing, or cannot be read.
Title = Callable[[], str | None]


class MediaNames:
    """The names of the media in one folder, to be asked by name, by beginning, by stem and by group."""

    def __init__(self, names: Iterable[bytes]) -> None:
        self._names = frozenset(names)

    def __contains__(self, name: bytes) -> bool:
        return name in self._names

    def of_group(self, key: bytes) -> list[bytes]:
        """Those whose group has this key."""
        return self._by_group.get(key, [])

    def of_stem(self, stem: bytes) -> list[bytes]:
        """Those that are called so but for their ending."""
        return self._by_stem.get(stem, [])

    def beginning(self, start: bytes) -> list[bytes]:
        """Those that begin so, their copy numbers left out."""
        first = bisect_left(self._unnumbered, (start, b""))
        found = takewhile(lambda pair: pair[0].startswith(start), islice(self._unnumbered, first, None))
        return [name for _, name in found]

    @cached_property
    def _sorted(self) -> list[bytes]:
        return sorted(self._names)

    @cached_property
    def _unnumbered(self) -> list[tuple[bytes, bytes]]:
        return sorted((_without_number(name), name) for name in self._names)

    @cached_property
    def _by_group(self) -> dict[bytes, list[bytes]]:
        return _index(self._sorted, group_key)

    @cached_property
    def _by_stem(self) -> dict[bytes, list[bytes]]:
        return _index(self._sorted, lambda name: name.rpartition(b".")[0])


def _index(names: Iterable[bytes], key: Callable[[bytes], bytes]) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for name in names:
        found.setdefault(key(name), []).append(name)
    return found


def takeout_partners(
    json_names: Iterable[bytes], media: MediaNames, title: Callable[[bytes], str | None]
) -> dict[bytes, bytes]:
    """The media file that each of these JSON files in one folder describes; those that describe none are left out.

    `title` tells the title in a JSON; it is asked only when names do not decide.
    """
    found: dict[bytes, bytes] = {}
    for name in sorted(json_names, key=lambda name: (len(name), name)):
        partner = takeout_partner(name, media, lambda: title(name), frozenset(found.values()))  # noqa: B023 - asked now
        if partner is not None:
            found[name] = partner
    return found


def takeout_partner(
    json_name: bytes,
    media_names: MediaNames | Collection[bytes],
    title: Title = lambda: None,
    taken: Collection[bytes] = (),
) -> bytes | None:
    """The media file beside it that this JSON describes, or None. `title` is asked only when names do not decide.

    `taken` have a JSON already: of several with one beginning and different endings, each is numbered by itself, and
    only their order tells which is meant.
    """
    media = media_names if isinstance(media_names, MediaNames) else MediaNames(media_names)
    stem = json_name[: -len(b".json")]
    exact = next((name for name in _spelled_out(stem) if name in media), None)
    if exact is not None:
        return exact
    fitting = _fitting(stem, media)
    if not fitting:
        return None
    said = title()
    if said is None:
        return _only_group(stem, fitting)
    return _titled(said, _split_number(stem)[1], fitting, taken)


def _titled(title: str, number: bytes, fitting: Sequence[bytes], taken: Collection[bytes]) -> bytes | None:
    """The one of this title: with its ending if there is one, with as much of the title as can be, with this number."""
    alike = [name for name in fitting if _is_title_of(title, name)]
    ending = suffix(title.encode("utf-8", "replace"))
    alike = [name for name in alike if suffix(name) == ending] or alike
    longest = max((len(_without_number(name)) for name in alike), default=0)
    alike = [name for name in alike if len(_without_number(name)) == longest]
    if len({suffix(name) for name in fitting}) > 1:
        free = [name for name in alike if name not in taken]
        return min(free or alike, key=lambda name: (len(name), name), default=None)
    return min(alike, key=lambda name: (_number_of(name) != number, len(name), name), default=None)


def title_of(head: bytes) -> str | None:
    """The title in the first bytes of a JSON file."""
    match = TITLE.search(head)
    try:
        return str(json.loads(match[1])) if match else None
    except ValueError:
        return None


def _spelled_out(stem: bytes) -> Iterable[bytes]:
    """The names that a JSON of this name describes if nothing of its media name was cut off."""
    yield _without_mark(stem)
    bare, number = _split_number(stem)
    if number:
        yield _numbered(_without_mark(bare), number)


def _fitting(stem: bytes, media: MediaNames) -> list[bytes]:
    """The media that a JSON of this name may describe: their names begin like its own, or are of the same photo."""
    bare, number = _split_number(stem)
    full = _without_mark(bare)
    found = media.beginning(full) if _may_be_cut(bare) else media.of_stem(stem)
    if suffix(full) in MEDIA_SUFFIXES:
        found = media.of_group(group_key(_numbered(full, number))) + found
    return sorted(set(found))


def _only_group(stem: bytes, fitting: list[bytes]) -> bytes | None:
    """Without a title: the fitting ones if all are of one photo, and if the name is one that Google writes."""
    is_google = _may_be_cut(stem) or any(suffix(name) in MEDIA_SUFFIXES for name in _spelled_out(stem))
    is_one = len({group_key(name) for name in fitting}) == 1
    return fitting[0] if is_google and is_one else None


def _split_number(stem: bytes) -> tuple[bytes, bytes]:
    """`IMG(1)` -> `IMG`, `(1)`."""
    numbered = COPY_NUMBER.fullmatch(stem)
    return (numbered[1], numbered[2]) if numbered else (stem, b"")


def _number_of(name: bytes) -> bytes:
    return _split_number(name.rpartition(b".")[0])[1]


def _without_number(name: bytes) -> bytes:
    stem, dot, ending = name.rpartition(b".")
    return _split_number(stem)[0] + dot + ending


def _is_title_of(title: str, name: bytes) -> bool:
    """Whether a photo of this title is exported under this name: cut, numbered, edited, or with another ending."""
    whole, named = _plain(title.encode("utf-8", "replace")), _plain(name)
    stem = named.rpartition(b".")[0] or named
    if suffix(whole) in MEDIA_SUFFIXES:
        whole = whole.rpartition(b".")[0]
    key = group_key(named)
    return any(_is_cut_of(one, whole) for one in {stem, _split_number(stem)[0], key, _split_number(key)[0]})


def _is_cut_of(stem: bytes, whole: bytes) -> bool:
    return stem in (whole, group_key(whole + b".jpg")) or (_may_be_cut(stem) and whole.startswith(stem))


def _plain(name: bytes) -> bytes:
    text = unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape"))
    return REPLACED.sub("_", text).upper().encode("utf-8", "surrogateescape")


def _may_be_cut(text: bytes) -> bool:
    """Whether a name is so long that Google may have cut it; some exports count as UTF-16 does, some in bytes."""
    decoded = text.decode("utf-8", "surrogateescape")
    lengths = (len(decoded), len(decoded.encode("utf-16-le", "surrogatepass")) // 2, len(text))
    return max(lengths) >= CUT_CHARACTERS


def _without_mark(title: bytes) -> bytes:
    """`IMG.jpg.supplemental-me` -> `IMG.jpg`: any beginning of the mark may be left of it."""
    name, dot, ending = title.rpartition(b".")
    if dot and name and MARK.startswith(dot + ending) and suffix(name) in MEDIA_SUFFIXES:
        return name
    return title


def _numbered(name: bytes, number: bytes) -> bytes:
    stem, dot, ending = name.rpartition(b".")
    return stem + number + dot + ending if dot else name + number
