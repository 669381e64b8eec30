"""Which media file a JSON file of a Google Takeout export describes.

Google writes `<media name>.supplemental-metadata.json` (older exports `<media name>.json`), cuts what stands before
`.json` to 46 characters, and puts a copy's `(n)` behind the cut: IMG(1).jpg has IMG.jpg.supplemental-metadata(1).json.
Media names are cut as well, later, and each kind of name is numbered by itself when two are the same after the cut.
So a name that was not cut says by itself whose JSON it is. Of one that may have been cut, its "title" decides: the name
that the photo had before it was uploaded. Last, a photo may have kept in its name what Google replaces in that of its
JSON (a&b.jpg and a_b.jpg.json): when no name fits, a JSON belongs to the one photo without a JSON that its title names.
A JSON that describes nothing here, as an album's metadata.json, is nobody's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator

from app.files.belonging import group_key
from app.files.kinds import MEDIA_SUFFIXES, suffix
from app.files.media_names import (
    Alike,
    MediaNames,
    Ranked,
    exported,
    may_be_cut,
    numbered,
    split_number,
    without_number,
)

MARK = b".supplemental-metadata"

#: `"title": "IMG_1.jpg"`; Google writes it first. Nothing is parsed but this one string.
TITLE = re.compile(rb'"title"\s*:\s*("(?:[^"\\]|\\.)*")')
#: So much of a JSON is read to find it.
HEAD_BYTES = 65_536

#: What a JSON file says is the title of its photo; None when it says nothing, or cannot be read.
Title = Callable[[], str | None]


class Taken:
    """Media that have a JSON already. Of several with one beginning and different endings, each is numbered by itself,
    and only their order tells which is meant."""

    def __init__(self) -> None:
        self._names: set[bytes] = set()
        self._passed: dict[Ranked, int] = {}

    def add(self, name: bytes) -> None:
        """This one has its JSON."""
        self._names.add(name)

    def first_free(self, ranked: Ranked) -> bytes | None:
        """The first that has none, else the first of all. What is taken stays so: it is passed over once."""
        found, self._passed[ranked] = ranked.first_free(self._names, self._passed.get(ranked, 0))
        return found


def takeout_partners(
    json_names: Iterable[bytes], media: MediaNames, title: Callable[[bytes], str | None]
) -> dict[bytes, bytes]:
    """The media file that each of these JSON files in one folder describes; those that describe none are left out.

    `title` tells the title in a JSON; it is asked only when names do not decide.
    """
    found: dict[bytes, bytes] = {}
    taken = Taken()
    for name in sorted(json_names, key=lambda name: (len(name), name)):
        partner = takeout_partner(name, media, lambda: title(name), taken)  # noqa: B023 - asked now
        if partner is not None:
            found[name] = partner
            taken.add(partner)
    return found


def titled_partners(
    json_names: Iterable[bytes], media: MediaNames, title: Callable[[bytes], str | None], taken: Collection[bytes]
) -> dict[bytes, bytes]:
    """Of JSON files that no name fits, those whose title names one photo here, and only one, that is not `taken`."""
    found: dict[bytes, bytes] = {}
    if len(taken) == len(media):
        return found
    for name in json_names:
        stem = name[: -len(b".json")]
        said = title(name) if _is_googles(stem) else None
        called = media.titled(said, _number_beside(said, stem)) if said is not None else []
        free = [photo for photo in called if photo not in taken]
        if len({group_key(photo) for photo in free}) == 1:
            found[name] = free[0]
    return found


def takeout_partner(
    json_name: bytes,
    media_names: MediaNames | Iterable[bytes],
    title: Title = lambda: None,
    taken: Taken | None = None,
) -> bytes | None:
    """The media file beside it that this JSON describes, or None. `title` is asked only when names do not decide."""
    media = media_names if isinstance(media_names, MediaNames) else MediaNames(media_names)
    stem = json_name[: -len(b".json")]
    exact = next((name for name in _spelled_out(stem) if name in media), None) or _with_one_more_ending(stem, media)
    if exact is not None:
        return exact
    replaced = _as_exported(stem, media, title)
    if replaced is not None:
        return replaced
    fitting = _fitting(stem, media)
    if not fitting.names:
        return None
    said = title()
    if said is None:
        return _only_group(stem, fitting)
    ranked = fitting.of_title(said)
    if len(fitting.endings) > 1:
        return (taken or Taken()).first_free(ranked)
    return ranked.of_number(split_number(stem)[1])


def named_by_json(json_name: bytes, title: Title = lambda: None) -> bytes | None:
    """The photo or video that a JSON must be about by its name; of one whose name may have been cut, `title` tells
    whether it is about any, and its own name is given. None for the JSON of an album or of another program."""
    stem = json_name[: -len(b".json")]
    named = next((name for name in _spelled_out(stem) if suffix(name) in MEDIA_SUFFIXES), None)
    if named is None and may_be_cut(split_number(stem)[0]):
        said = title()
        return json_name if said is not None and suffix(said.encode("utf-8", "replace")) in MEDIA_SUFFIXES else None
    return named


def title_of(head: bytes) -> str | None:
    """The title in the first bytes of a JSON file."""
    match = TITLE.search(head)
    try:
        return str(json.loads(match[1])) if match else None
    except ValueError:
        return None


def _spelled_out(stem: bytes) -> Iterator[bytes]:
    """The names that a JSON of this name describes if nothing of its media name was cut off."""
    yield _without_mark(stem)
    bare, number = split_number(stem)
    if number:
        yield numbered(_without_mark(bare), number)


def _with_one_more_ending(stem: bytes, media: MediaNames) -> bytes | None:
    whole = (name for name in _spelled_out(stem) if suffix(name) in MEDIA_SUFFIXES)
    return next((longer for name in whole for longer in media.of_stem(name)), None)


def _as_exported(stem: bytes, media: MediaNames, title: Title) -> bytes | None:
    """The one photo whose name Google would write so, if the title is not another one's."""
    for name in _spelled_out(stem):
        alike = media.of_export(name) if suffix(name) in MEDIA_SUFFIXES else ()
        if len({group_key(photo) for photo in alike}) == 1:
            said = title()
            if said is None or without_number(exported(said.encode("utf-8", "replace"))) == without_number(name):
                return alike[0]
    return None


def _fitting(stem: bytes, media: MediaNames) -> Alike:
    """The media that a JSON of this name may describe: their names begin like its own, or are of the same photo."""
    bare, number = split_number(stem)
    full = _without_mark(bare)
    group = group_key(numbered(full, number)) if suffix(full) in MEDIA_SUFFIXES else None
    if may_be_cut(bare):
        return media.alike(beginning=full, group=group)
    return media.alike(stem=stem, group=group)


def _only_group(stem: bytes, fitting: Alike) -> bytes | None:
    """Without a title: the fitting ones if all are of one photo, and if the name is one that Google writes."""
    return fitting.names[0] if fitting.is_one_group and _is_googles(stem) else None


def _is_googles(stem: bytes) -> bool:
    """Whether Google writes JSON files of such names."""
    return may_be_cut(stem) or any(suffix(name) in MEDIA_SUFFIXES for name in _spelled_out(stem))


def _number_beside(title: str, stem: bytes) -> bytes:
    """The copy number that a JSON's name has and the title in it has not."""
    bare, number = split_number(stem)
    inner = split_number(_without_mark(bare).rpartition(b".")[0])[1]
    own = split_number(title.encode("utf-8", "replace").rpartition(b".")[0])[1]
    return number or (inner if inner != own else b"")


def _without_mark(title: bytes) -> bytes:
    """`IMG.jpg.supplemental-me` -> `IMG.jpg`: any beginning of the mark may be left of it."""
    name, dot, ending = title.rpartition(b".")
    if dot and name and MARK.startswith(dot + ending) and suffix(name) in MEDIA_SUFFIXES:
        return name
    return title
