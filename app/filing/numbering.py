"""Numbers that keep apart the groups which a name pattern would call the same.

A number is the group's rank among all groups of the library, archived or waiting, by capture time and then by content:
by its size first, for of files that have the size of no other one nothing else is known (app/db/unread.py). So it is
the same in whatever order, and in however many batches, they are sorted; what comes in later takes its rank among them,
and a name that is taken then is suffixed like any other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import islice

from app.config.filing_fields import FOLDER_FIELDS, NAME_FIELDS
from app.config.pattern_parts import read_pattern
from app.config.schema import Sorter
from app.db.connection import Connection
from app.db.dated_groups import list_taken
from app.filing.choose import EARLIEST_YEAR, LATEST, choose_filing, choose_lead
from app.filing.group_values import Circumstances
from app.model import Asset

#: Days, months or years whose numbers are remembered: files are sorted in the order in which they were taken.
REMEMBERED = 40
#: Groups looked at between two questions to the database.
AT_A_TIME = 500

#: What a date's text holds, and the fields that make two groups differ when it does.
PRECISIONS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (4, ("year",)),
    (7, ("month", "month_name", "month_short")),
    (10, ("day",)),
)

#: By what groups are ranked: time, size, head digest, digest, and the path of files that hold the same.
Rank = tuple[str, int, str, str, bytes]

#: The circumstances of these assets.
Circumstancing = Callable[[Connection, Sequence[Asset]], Circumstances]


def group_key(asset: Asset) -> int:
    """What tells groups apart: the group's id, or that of an asset that is in none."""
    return asset.group_id if asset.group_id is not None else -asset.id


def precision(settings: Sorter) -> int:
    """How many characters of a date's text two groups must share that could get the same place."""
    used = read_pattern(settings.folder_pattern, FOLDER_FIELDS).fields
    used |= read_pattern(settings.name_pattern, NAME_FIELDS).fields
    shared = 0
    for length, fields in PRECISIONS:
        if used.isdisjoint(fields):
            break
        shared = length
    return shared


class Numbers:
    """The numbers of groups, remembered for one sorting: the library does not change under it."""

    def __init__(self, settings: Sorter, circumstances: Circumstancing) -> None:
        self._settings, self._circumstances = settings, circumstances
        self._precision = precision(settings)
        self._known: OrderedDict[str, Mapping[int, int]] = OrderedDict()

    def of(self, conn: Connection, members: Sequence[Asset], given: Circumstances) -> int:
        """The number of a group from 1; 1 as well when names need none."""
        if not self._settings.name_pattern:
            return 1
        taken = choose_lead(members, given).taken_local
        if taken is None:
            return 1
        prefix = taken[: self._precision]
        if prefix not in self._known:
            self._known[prefix] = self._rank(conn, prefix, given)
        self._known.move_to_end(prefix)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return self._known[prefix].get(group_key(members[0]), 1)

    def _rank(self, conn: Connection, prefix: str, given: Circumstances) -> dict[int, int]:
        future_from = (given.today + LATEST + timedelta(days=1)).isoformat()
        alike: dict[tuple[bytes, bytes], list[tuple[Rank, int]]] = {}
        groups = list_taken(conn, prefix, str(EARLIEST_YEAR), future_from)
        while part := list(islice(groups, AT_A_TIME)):
            circumstances = self._circumstances(conn, [asset for group in part for asset in group])
            for group in part:
                filing = choose_filing(group, self._settings, circumstances, number=0)
                if filing.stem is not None:
                    place = (filing.folder.lower(), filing.stem.lower())
                    alike.setdefault(place, []).append(_ranked(group, circumstances))
        return {key: number for found in alike.values() for number, (_, key) in enumerate(sorted(found), start=1)}


def _ranked(group: Sequence[Asset], circumstances: Circumstances) -> tuple[Rank, int]:
    lead = choose_lead(group, circumstances)
    content = (lead.size_bytes, lead.head_digest or "", lead.digest or "")
    return (lead.taken_local or "", *content, lead.origin_path or lead.path), group_key(lead)
