"""What the fields of a pattern stand for, for one group. Values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from app.config.months import month_name
from app.files.kinds import VIDEO_SUFFIXES, suffix
from app.files.walk import is_media
from app.filing.safe_names import NATIVE, NameRules
from app.filing.stems import own_stem, shared_stem
from app.model import Asset

#: What stands in a name or a folder for a text that is not known, where the pattern names nothing else.
UNKNOWN = {
    "camera_make": "unknown-camera",
    "camera_model": "unknown-camera",
    "source": "unknown-source",
    "folder": "",
}


@dataclass(frozen=True)
class Circumstances:
    """What a place in the archive depends on beside the group itself and the settings: all of it given, nothing asked.

    `cameras` are make and model by asset id, `sources` the labels of ingest folders by root id; `weak_ids` are assets
    of whose dates something more is doubtful than their source tells.
    """

    today: date
    zone: tzinfo
    cameras: Mapping[int, tuple[str | None, str | None]] = field(default_factory=dict)
    sources: Mapping[int, str] = field(default_factory=dict)
    weak_ids: Collection[int] = frozenset()
    rules: NameRules = NATIVE


def came_as(asset: Asset) -> bytes:
    """The file name that the asset came with."""
    return (asset.origin_path or asset.path).rpartition(b"/")[2]


#: How sidecars rank among the kinds of files: after photos and films.
SIDECAR = 2


def kind_rank(path: bytes) -> int:
    """Stills before videos before what only belongs to them."""
    if not is_media(path):
        return SIDECAR
    return 1 if suffix(path) in VIDEO_SUFFIXES else 0


@dataclass(frozen=True)
class Group:
    """A group as the fields of a pattern see it: its files, the one that says its date and name, and when that was."""

    members: Sequence[Asset]
    lead: Asset
    taken: datetime
    language: str
    given: Circumstances

    @property
    def names(self) -> list[bytes]:
        """The names that its files came with."""
        return [came_as(member) for member in self.members]


def values_of(group: Group, fields: Iterable[str]) -> dict[str, int | str]:
    """What each of these fields says of a group; a text that is not known is empty. {counter} is not among them."""
    return {name: VALUES[name](group) for name in sorted(fields)}


def _camera(group: Group) -> tuple[str | None, str | None]:
    """That of the lead, else of the first by name that has one."""
    for member in (group.lead, *sorted(group.members, key=lambda member: (came_as(member), member.id))):
        if (found := group.given.cameras.get(member.id)) is not None:
            return found
    return None, None


def _source(group: Group) -> str:
    lead = group.lead
    return group.given.sources.get(lead.origin_root_id if lead.origin_root_id is not None else lead.root_id, "")


def _folder(group: Group) -> str:
    """Below the ingest folder; a file that was found elsewhere did not lie in one that anybody gave a name to."""
    lead = group.lead
    if lead.origin_path is None and lead.root_id not in group.given.sources:
        return ""
    return _text((lead.origin_path or lead.path).rpartition(b"/")[0])


def _type(group: Group) -> str:
    return ("photo", "video", "other")[min(map(kind_rank, group.names))]


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


VALUES: Mapping[str, Callable[[Group], int | str]] = {
    "year": lambda group: group.taken.year,
    "month": lambda group: group.taken.month,
    "day": lambda group: group.taken.day,
    "hour": lambda group: group.taken.hour,
    "minute": lambda group: group.taken.minute,
    "second": lambda group: group.taken.second,
    "week": lambda group: group.taken.isocalendar().week,
    "week_year": lambda group: group.taken.isocalendar().year,
    "month_name": lambda group: month_name(group.taken.month, group.language, short=False),
    "month_short": lambda group: month_name(group.taken.month, group.language, short=True),
    "camera_make": lambda group: _camera(group)[0] or "",
    "camera_model": lambda group: _camera(group)[1] or "",
    "source": _source,
    "type": _type,
    "group": lambda group: _text(shared_stem(group.names, came_as(group.lead))),
    "folder": _folder,
    "top_folder": lambda group: _folder(group).partition("/")[0],
    "name": lambda group: _text(own_stem(came_as(group.lead))),
}
