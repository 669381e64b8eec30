"""The names of the media in one folder, indexed: a folder may hold tens of thousands that begin alike."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Sequence
from functools import cached_property
from itertools import islice, takewhile

from app.files.belonging import CUT_CHARACTERS, group_key
from app.files.kinds import MEDIA_SUFFIXES, suffix

COPY_NUMBER = re.compile(rb"(.*)(\(\d{1,4}\))", re.DOTALL)
#: Google writes an underscore for what some file system does not allow in names.
REPLACED = re.compile(rb"[&<>'\"*?/\\:|%#\x00-\x1f]")


def split_number(stem: bytes) -> tuple[bytes, bytes]:
    """`IMG(1)` -> `IMG`, `(1)`."""
    numbered = COPY_NUMBER.fullmatch(stem)
    return (numbered[1], numbered[2]) if numbered else (stem, b"")


def without_number(name: bytes) -> bytes:
    """`IMG(1).jpg` -> `IMG.jpg`."""
    stem, dot, ending = name.rpartition(b".")
    return split_number(stem)[0] + dot + ending


def numbered(name: bytes, number: bytes) -> bytes:
    """`IMG.jpg`, `(1)` -> `IMG(1).jpg`."""
    stem, dot, ending = name.rpartition(b".")
    return stem + number + dot + ending if dot else name + number


def may_be_cut(text: bytes) -> bool:
    """Whether a name is so long that Google may have cut it: exports count characters, or bytes, which are never
    fewer."""
    return len(text) >= CUT_CHARACTERS


class Ranked:
    """Names in the order in which Google numbers them: the shortest first."""

    def __init__(self, names: Iterable[bytes]) -> None:
        self._names = sorted(names, key=_rank)
        self._of_number: dict[bytes, bytes] = {}
        for name in self._names:
            self._of_number.setdefault(_number_of(name), name)

    def of_number(self, number: bytes) -> bytes | None:
        """The first with this copy number, else the first of all."""
        return self._of_number.get(number, self._names[0] if self._names else None)

    def first_free(self, taken: Container[bytes], start: int) -> tuple[bytes | None, int]:
        """The first from `start` on that is not taken, else the first of all; and where it stands."""
        while start < len(self._names) and self._names[start] in taken:
            start += 1
        if start < len(self._names):
            return self._names[start], start
        return (self._names[0] if self._names else None), start


class Alike:
    """Names among which a title decides."""

    def __init__(self, names: Iterable[bytes]) -> None:
        self.names = sorted(set(names))
        self._ranked: dict[tuple[bytes, ...], Ranked] = {}

    @cached_property
    def endings(self) -> frozenset[bytes]:
        """The endings that these have."""
        return frozenset(suffix(name) for name in self.names)

    @cached_property
    def is_one_group(self) -> bool:
        """Whether all are of one photo."""
        return len({group_key(name) for name in self.names}) == 1

    def of_title(self, title: str) -> Ranked:
        """Those under which a photo of this title is exported: with its ending if there is one, with as much of the
        title as can be."""
        whole = plain(title.encode("utf-8", "replace"))
        if suffix(whole) in MEDIA_SUFFIXES:
            whole = whole.rpartition(b".")[0]
        spelled = dict.fromkeys((whole, group_key(whole + b".jpg"), *_beginnings(whole, self._longest)))
        forms = tuple(form for form in spelled if form in self._by_form)
        key = (suffix(title.encode("utf-8", "replace")), *forms)
        if key not in self._ranked:
            self._ranked[key] = self._rank(*key)
        return self._ranked[key]

    def _rank(self, ending: bytes, *forms: bytes) -> Ranked:
        alike = {name for form in forms for name in self._by_form[form]}
        alike = {name for name in alike if suffix(name) == ending} or alike
        longest = max((len(without_number(name)) for name in alike), default=0)
        return Ranked(name for name in alike if len(without_number(name)) == longest)

    @cached_property
    def _by_form(self) -> dict[bytes, list[bytes]]:
        """What a title may have become in each name: cut, numbered, edited, or with another ending."""
        found: dict[bytes, list[bytes]] = {}
        for name in self.names:
            named = plain(name)
            stem, key = named.rpartition(b".")[0] or named, group_key(named)
            for form in {stem, split_number(stem)[0], key, split_number(key)[0]}:
                found.setdefault(form, []).append(name)
        return found

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._by_form), default=0)


class MediaNames:
    """The names of the media in one folder, to be asked by name, by beginning, by stem and by group."""

    def __init__(self, names: Iterable[bytes]) -> None:
        self._names = frozenset(names)
        self._alike: dict[tuple[bytes | None, bytes | None, bytes | None], Alike] = {}

    def __contains__(self, name: bytes) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._names)

    @property
    def only(self) -> bytes | None:
        """The one there is, None when there are several or none."""
        return self._sorted[0] if len(self._sorted) == 1 else None

    def of_group(self, key: bytes) -> Sequence[bytes]:
        """Those whose group has this key."""
        return self._by_group.get(key, ())

    def of_stem(self, stem: bytes) -> Sequence[bytes]:
        """Those that are called so but for their ending."""
        return self._by_stem.get(stem, ())

    def of_export(self, name: bytes) -> Sequence[bytes]:
        """Those whose names Google would write so."""
        return self._by_export.get(name, ())

    def alike(self, *, beginning: bytes | None = None, stem: bytes | None = None, group: bytes | None = None) -> Alike:
        """Those that begin so, their copy numbers left out; that are called so but for their ending; or are in this
        group."""
        known_stem = stem if stem is not None and stem in self._by_stem else None
        known_group = group if group is not None and group in self._by_group else None
        wanted = (beginning, known_stem, known_group)
        if wanted not in self._alike:
            self._alike[wanted] = self._find(*wanted)
        return self._alike[wanted]

    def titled(self, title: str, number: bytes) -> list[bytes]:
        """Those that a photo of this title and copy number may be called, some with one more ending."""
        name = numbered(exported(title.encode("utf-8", "replace")), number)
        return self._by_export.get(name) or self._by_exported_stem.get(name, [])

    def _find(self, beginning: bytes | None, stem: bytes | None, group: bytes | None) -> Alike:
        begins = self._beginning(beginning) if beginning is not None else []
        called = self._by_stem[stem] if stem is not None else []
        belongs = self._by_group[group] if group is not None else []
        if beginning is not None and group is not None and set(belongs) <= set(begins):
            return self.alike(beginning=beginning)
        return Alike([*begins, *called, *belongs])

    def _beginning(self, start: bytes) -> list[bytes]:
        start = REPLACED.sub(b"_", start)
        first = bisect_left(self._unnumbered, (start, b""))
        found = takewhile(lambda pair: pair[0].startswith(start), islice(self._unnumbered, first, None))
        return [name for _, name in found]

    @cached_property
    def _sorted(self) -> list[bytes]:
        return sorted(self._names)

    @cached_property
    def _unnumbered(self) -> list[tuple[bytes, bytes]]:
        return sorted((REPLACED.sub(b"_", without_number(name)), name) for name in self._names)

    @cached_property
    def _by_group(self) -> dict[bytes, list[bytes]]:
        return _index(self._sorted, group_key)

    @cached_property
    def _by_export(self) -> dict[bytes, list[bytes]]:
        return _index(self._sorted, exported)

    @cached_property
    def _by_exported_stem(self) -> dict[bytes, list[bytes]]:
        return _index(self._sorted, lambda name: exported(name.rpartition(b".")[0]))

    @cached_property
    def _by_stem(self) -> dict[bytes, list[bytes]]:
        return _index(self._sorted, lambda name: name.rpartition(b".")[0])


def exported(name: bytes) -> bytes:
    """A name or title as Google writes it: composed, without what it replaces."""
    return _exported(name).encode("utf-8", "surrogateescape")


def plain(name: bytes) -> bytes:
    """A name or title as names are compared: as Google writes it, and in upper case."""
    return _exported(name).upper().encode("utf-8", "surrogateescape")


def _exported(name: bytes) -> str:
    return unicodedata.normalize("NFC", REPLACED.sub(b"_", name).decode("utf-8", "surrogateescape"))


def _beginnings(whole: bytes, longest: int) -> Iterable[bytes]:
    """What Google may have left of a title that it has cut."""
    return (whole[:end] for end in range(CUT_CHARACTERS, min(len(whole), longest) + 1))


def _index(names: Iterable[bytes], key: Callable[[bytes], bytes]) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for name in names:
        found.setdefault(key(name), []).append(name)
    return found


def _rank(name: bytes) -> tuple[int, bytes]:
    return len(name), name


def _number_of(name: bytes) -> bytes:
    return split_number(name.rpartition(b".")[0])[1]
