"""Names: which ones a peer cannot carry, how a group is suffixed alike, how paths stay apart. Values in, values out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

from app.files.kinds import MEDIA_SUFFIXES, TAKEOUT_SUFFIX, group_stem, suffix
from app.files.media_names import MediaNames
from app.files.takeout import MARK, takeout_partner

#: The longest file name of the usual file systems, in bytes.
NAME_LIMIT_BYTES = 255

#: Syncthing takes names that begin so for its own temporary files: it skips them, and deletes them once they are old.
SYNCTHING_TEMPORARY = (b".syncthing.", b"~syncthing~")


#: What follows the stem of a name that was taken.
ARCHIVE_NUMBER = re.compile(rb"_(\d+)")
LONGEST_NUMBER = 9


def unsendable_reason(path: bytes) -> str | None:
    """Why Syncthing would not carry a file of this name, in words; None when it would."""
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return "Syncthing cannot send it: its name is not UTF-8; rename it in the ingest folder"
    for part in path.lower().split(b"/"):
        if part.startswith(SYNCTHING_TEMPORARY):
            return "Syncthing would skip or delete it: it takes the name for a temporary file of its own; rename it"
    return None


def composed(path: bytes) -> bytes:
    """The path with its characters composed (NFC), the only form that Syncthing sends; not UTF-8: unchanged."""
    try:
        return unicodedata.normalize("NFC", path.decode("utf-8")).encode("utf-8")
    except UnicodeDecodeError:
        return path


def sameness_key(path: bytes) -> str:
    """Equal for paths that some file system takes for the same: letter case and composition put aside."""
    if path.isascii():
        return path.lower().decode("ascii")
    text = unicodedata.normalize("NFC", path.decode("utf-8", "surrogateescape"))
    return unicodedata.normalize("NFC", text.casefold())


def suffixed(names: Sequence[bytes], number: int, limit: int = NAME_LIMIT_BYTES) -> list[bytes]:
    """The names of one group, all with the same `_<number>` after the stem that they share; 0 means no suffix.

    A name that would be longer than `limit` bytes loses the end of its stem, at a character border and for the whole
    group alike; what follows the stem (the extension) is kept.
    """
    if not number and all(len(name) <= limit for name in names):
        return list(names)
    suffix = b"_%d" % number if number else b""
    parts = _stems(names)
    room = min((limit - len(suffix) - len(rest) for _, rest in parts), default=limit)
    if room < 1:
        parts, room = [(name, b"") for name in names], limit - len(suffix)
    return [_cut(stem, room) + suffix + rest for stem, rest in parts]


def is_suffixed(names: Sequence[bytes], now: Sequence[bytes], limit: int = NAME_LIMIT_BYTES) -> bool:
    """Whether names of a group are these, all with the same suffix or none."""
    if len(set(names)) < len(names):
        return False
    numbers = {0, *(int(digits) for digits in ARCHIVE_NUMBER.findall(now[0]) if len(digits) <= LONGEST_NUMBER)}
    return any(suffixed(names, number, limit) == list(now) for number in numbers)


def name_beside(came_as: bytes, archived_as: bytes, late: bytes) -> bytes:
    """The name of a file that comes late to a group of which one member came under one name and is archived under
    another: with the stem that this one has now, or at least with the number that it got."""
    for end in reversed(_stem_lengths(came_as)):
        stem, ending = came_as[:end], came_as[end:]
        has_stem = late.startswith(stem) and late[end : end + 1] in (b".", b"")
        if has_stem and archived_as.endswith(ending) and len(archived_as) > len(ending):
            return archived_as[: len(archived_as) - len(ending)] + late[end:]
    before, after = group_stem(came_as), group_stem(archived_as)
    number = ARCHIVE_NUMBER.fullmatch(after.removeprefix(before)) if after.startswith(before) else None
    return suffixed([came_as, late], int(number[1]))[1] if number else late


def _stems(names: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """(stem, rest) of each name: the longest stem that all share, else each name's own, without its endings."""
    shared = set.intersection(*(set(_stem_lengths(name)) for name in names)) if names else set()
    fitting = [n for n in shared if len({name[:n] for name in names}) == 1]
    if fitting:
        return [(name[: max(fitting)], name[max(fitting) :]) for name in names]
    media = MediaNames(name for name in names if suffix(name) in MEDIA_SUFFIXES)
    return [_own_stem(name, media) for name in names]


def _own_stem(name: bytes, media: MediaNames) -> tuple[bytes, bytes]:
    """A JSON of Takeout's, whose own name may be cut, is called after its photo: so it still finds it."""
    photo = takeout_partner(name, media) or media.only if suffix(name) == TAKEOUT_SUFFIX else None
    if photo is not None:
        return group_stem(photo), photo[len(group_stem(photo)) :] + (MARK if MARK in name else b"") + b".json"
    return group_stem(name), name[len(group_stem(name)) :]


def _stem_lengths(name: bytes) -> list[int]:
    """Where a stem may end: before each dot but a leading one; the whole name when there is none."""
    return [i for i, byte in enumerate(name) if byte == ord(".") and i] or [len(name)]


def _cut(stem: bytes, limit: int) -> bytes:
    if len(stem) <= limit:
        return stem
    end = limit
    while end > 1 and stem[end] & 0xC0 == 0x80:
        end -= 1
    return stem[:end]


def plan_paths(
    groups: Iterable[Mapping[int, bytes]], taken: Collection[bytes], *, compose: bool, limit: int = NAME_LIMIT_BYTES
) -> dict[int, bytes]:
    """A path for every file, no two the same even where letter case and composition do not count.

    `groups` maps each file's key to the path that it would like; `taken` are paths already in use. Members of a
    group get the same suffix when one of them has to give way. `compose` writes the paths in NFC.
    """
    used = {sameness_key(path) for path in taken}
    planned: dict[int, bytes] = {}
    for group in groups:
        wanted = {key: composed(path) if compose else path for key, path in group.items()}
        paths = _first_free(wanted, used, limit)
        used.update(sameness_key(path) for path in paths.values())
        planned.update(paths)
    return planned


def _first_free(wanted: Mapping[int, bytes], used: Collection[str], limit: int) -> dict[int, bytes]:
    number = 0
    while True:
        paths = suffixed_paths(wanted, number, limit)
        keys = {sameness_key(path) for path in paths.values()}
        if len(keys) == len(paths) and keys.isdisjoint(used):
            return paths
        number += 1
        if number == 1 and len(keys) < len(paths):
            return _apart(paths, used, limit)


def _apart(paths: Mapping[int, bytes], used: Collection[str], limit: int) -> dict[int, bytes]:
    """Members that would collide with each other cannot be suffixed alike: each gets its own number."""
    mine = set(used)
    apart: dict[int, bytes] = {}
    for key, path in paths.items():
        apart.update(_first_free({key: path}, mine, limit))
        mine.add(sameness_key(apart[key]))
    return apart


def suffixed_paths(wanted: Mapping[int, bytes], number: int, limit: int = NAME_LIMIT_BYTES) -> dict[int, bytes]:
    """Each path with its file name suffixed as `suffixed` does for the whole group."""
    split = [path.rpartition(b"/") for path in wanted.values()]
    names = suffixed([name for _, _, name in split], number, limit)
    return {key: head + slash + name for key, (head, slash, _), name in zip(wanted, split, names, strict=True)}
