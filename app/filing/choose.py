"""Where a group goes in the archive: its day's folder, or apart when its date is doubtful. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from app.config.filing_fields import FOLDER_FIELDS, NAME_FIELDS
from app.config.pattern_parts import Field, Pattern, read_pattern
from app.config.schema import Sorter
from app.files.belonging import is_edited
from app.files.capture_time.choose import BY_CAMERA, CONFIDENCE, WEAK_SOURCES
from app.filing.group_values import SIDECAR, UNKNOWN, Circumstances, Group, came_as, kind_rank, values_of
from app.filing.safe_names import NameRules, kept_name, made_name
from app.filing.stems import renamed
from app.model import Asset

#: Folders at the top of the archive for groups whose date is doubtful.
UNKNOWN_DATE_FOLDER = b"unknown-date"
REVIEW_FOLDER = b"review"
REVIEW_REASON = "Its date is doubtful and needs a review."
#: What a pattern may not fill with files of its own.
OUR_FOLDERS = (UNKNOWN_DATE_FOLDER.decode(), REVIEW_FOLDER.decode())
OUR_PREFIXES = (".mp-", ".media-pipeline")

#: No camera took a digital photo before; such dates are those of clocks that were never set.
EARLIEST_YEAR = 1990
#: Whoever says so may mean a time before there were such cameras; a sibling has the date of such a file.
AS_TOLD = frozenset(("mtime", "person", "sibling"))
#: A clock may be ahead by a time zone.
LATEST = timedelta(days=1)


@dataclass(frozen=True)
class Filing:
    """The folder for a whole group; `needs_review` when a person has to say the date first.

    `names` are those of the members, in their order; `stem` is what those share that a pattern has named, with
    the number that keeps it apart from others, and None where files keep their own names.
    """

    folder: bytes
    needs_review: bool = False
    names: tuple[bytes, ...] = ()
    stem: bytes | None = None


def is_weak(asset: Asset, today: date) -> bool:
    """Whether the asset's date is no more than a guess: the file's time, an unset clock, or the future."""
    if asset.taken_from == "person" and asset.taken_local is not None:
        return False
    return asset.taken_from is None or asset.taken_from in WEAK_SOURCES or not _can_be(asset, today)


def choose_filing(
    members: Sequence[Asset], settings: Sorter, given: Circumstances, number: int = 1, again: int = 0
) -> Filing:
    """One folder for the whole group, by its surest member: a sidecar or a video goes with its photo.

    `number` is the group's place among those that the name pattern would call the same (see numbering.py). It is
    {counter} where the pattern has one, else what follows the name of every such group but the first. `again` follows
    all of that when another group has the name already.
    """
    lead = choose_lead(members, given)
    kept = tuple(kept_name(came_as(member), given.rules) for member in members)
    if _is_doubtful(lead, given):
        no_date_inside = lead.taken_from in (None, "mtime")
        if settings.weak_dates == "review" or (no_date_inside and not settings.exif_fallback):
            return Filing(REVIEW_FOLDER, needs_review=True, names=kept)
        if settings.weak_dates == "unknown_folder":
            return Filing(UNKNOWN_DATE_FOLDER, names=kept)
    taken = _taken(lead, given)
    if taken is None:
        return Filing(UNKNOWN_DATE_FOLDER, names=kept)
    group = Group(members, lead, taken, settings.language, given)
    folder = _folder(settings.folder_pattern, group)
    if not settings.name_pattern:
        return Filing(folder, names=kept)
    stem = _stem(settings.name_pattern, group, number, again)
    names = renamed(kept, kept_name(came_as(lead), given.rules), stem, given.rules.limit_bytes)
    return Filing(folder, names=names, stem=stem)


def choose_lead(members: Sequence[Asset], given: Circumstances) -> Asset:
    """The member that says date, name and camera: a photo or video if there is any; of these what a person decided,
    else the surest, stills first, the camera's own before what was edited; the same whatever order they came in."""
    if len(members) == 1:
        return members[0]
    media = [member for member in members if kind_rank(came_as(member)) < SIDECAR]
    return min(media or members, key=lambda member: _rank(member, given))


def _rank(asset: Asset, given: Circumstances) -> tuple[object, ...]:
    """As dating.py ranks, by what was written of each."""
    name, source = came_as(asset), asset.taken_from or ""
    edited = is_edited(name)
    return (source != "person", _is_doubtful(asset, given), source == "sibling", kind_rank(name),
            source not in BY_CAMERA or edited, CONFIDENCE.get(source) != "sure", edited,
            not _is_of_other_place(asset, given.zone), asset.taken_local or "9", len(name), name, asset.id)  # fmt: skip


def _is_of_other_place(asset: Asset, zone: tzinfo) -> bool:
    """Whether its time was told with an offset that is not that of the configured zone."""
    if asset.taken_local is None or asset.taken_at is None:
        return False
    local = _instant(asset.taken_local).replace(tzinfo=None)
    return local.replace(tzinfo=zone) != _instant(asset.taken_at)


def _is_doubtful(asset: Asset, given: Circumstances) -> bool:
    return is_weak(asset, given.today) or (asset.id in given.weak_ids and asset.taken_from != "person")


def _can_be(asset: Asset, today: date) -> bool:
    """Whether the asset has a date on which a picture can have been taken."""
    if asset.taken_local is None:
        return False
    taken = _instant(asset.taken_local)
    return taken.year >= EARLIEST_YEAR and taken.date() <= today + LATEST


def _taken(lead: Asset, given: Circumstances) -> datetime | None:
    """The local time by which the group is filed: its own, or the file's as it was inspected when that cannot be."""
    if lead.taken_local is not None and (lead.taken_from in AS_TOLD or _can_be(lead, given.today)):
        return _instant(lead.taken_local)
    try:
        return datetime.fromtimestamp(lead.mtime_ns // 10**9, given.zone)
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache(maxsize=1_000)
def _instant(taken_local: str) -> datetime:
    return datetime.fromisoformat(taken_local)


# --- patterns


def _folder(pattern: str, group: Group) -> bytes:
    values = values_of(group, read_pattern(pattern, FOLDER_FIELDS).fields)
    return archive_folder(pattern, tuple(values.items()), group.given.rules)


@lru_cache(maxsize=10_000)
def archive_folder(pattern: str, values: tuple[tuple[str, int | str], ...], rules: NameRules) -> bytes:
    """The folder that a pattern names for these values; never climbs, never absolute, never ours."""
    filled = _filled(read_pattern(pattern, FOLDER_FIELDS), dict(values), within=("folder",))
    parts = [part.strip() for part in filled.split("/")]
    safe = [part for part in parts if part not in ("", ".", "..") and not part.startswith(OUR_PREFIXES)]
    names = [name for part in safe if (name := made_name(part, rules))]
    return b"/".join([_not_ours(names[0]), *names[1:]]) if names else b""


def _not_ours(top: bytes) -> bytes:
    is_ours = top.decode("utf-8", "surrogateescape").casefold() in OUR_FOLDERS
    return top + b"_" if is_ours else top


def _stem(pattern: str, group: Group, number: int, again: int) -> bytes:
    read, rules = read_pattern(pattern, NAME_FIELDS), group.given.rules
    values = {**values_of(group, read.fields - {"counter"}), "counter": number}
    suffix = b"" if "counter" in read.fields or number <= 1 else b"_%d" % (number - 1)
    suffix += b"_%d" % again if again else b""
    name = made_name(_filled(read, values, within=()), NameRules(rules.portable, rules.limit_bytes - len(suffix)))
    return (name.lstrip(b".") or b"_") + suffix


def _filled(pattern: Pattern, values: Mapping[str, int | str], within: Sequence[str]) -> str:
    """The pattern with its fields filled in; slashes stay only in the values of those that may be several folders."""
    return "".join(part if isinstance(part, str) else _text_of(part, values, within) for part in pattern.parts)


def _text_of(field: Field, values: Mapping[str, int | str], within: Sequence[str]) -> str:
    value = values.get(field.name, "")
    if isinstance(value, int):
        return format(value, f"{field.width}d")
    if not value:
        return field.instead if field.instead is not None else UNKNOWN.get(field.name, "")
    return value if field.name in within else value.replace("/", "_")
