"""The place in the archive of group after group, with all that it depends on looked up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count

from app.config.filing_fields import FOLDER_FIELDS, NAME_FIELDS
from app.config.pattern_parts import read_pattern
from app.config.schema import Config, Sorter
from app.db import roots as root_rows
from app.db.capture_records import list_cameras
from app.db.connection import Connection, Database
from app.db.dated_groups import list_others, list_weak, list_with_stem
from app.files.roots import normal_path
from app.filing.choose import Filing, choose_filing
from app.filing.group_values import Circumstances
from app.filing.name_rules import name_rules
from app.filing.numbering import Numbers, group_key
from app.model import Asset, Root, RootKind

CAMERA_FIELDS = frozenset({"camera_make", "camera_model"})
#: All members of a group have these in common; others are those of its lead.
DATE_FIELDS = frozenset(
    {"year", "month", "day", "hour", "minute", "second", "week", "week_year", "month_name", "month_short"}
)


class Places:
    """Where groups go, by one configuration and on one day.

    `settings` stands in for the configured section when somebody asks what another pattern would do with everything.
    Then archived files are asked for a place like any other; without, they keep theirs, and no group gets the name
    of another one beside them.
    """

    def __init__(
        self, db: Database, archive: Root, config: Config, settings: Sorter | None = None, today: date | None = None
    ) -> None:
        self.settings = settings or config.sorter
        self._db, self._archive, self._keeps_archived = db, archive, settings is None
        used = read_pattern(self.settings.folder_pattern, FOLDER_FIELDS).fields
        used |= read_pattern(self.settings.name_pattern, NAME_FIELDS).fields
        self._needs_cameras = bool(used & CAMERA_FIELDS)
        self._needs_doubts = self.settings.weak_dates != "mtime"
        #: Whether the folder of a file follows from its own date alone, and it keeps its name.
        self.are_by_date = used <= DATE_FIELDS and not self.settings.name_pattern and not self._needs_doubts
        #: Whether names hold ranks among others, which change when others come or go.
        self.are_ranked = bool(self.settings.name_pattern)
        with db.reading() as conn:
            sources = source_labels(conn, config, self.settings.source_label)
        self.given = Circumstances(
            today or datetime.now(UTC).date(),
            config.zone,
            sources=sources,
            rules=name_rules(archive, self.settings.safe_names),
        )
        self._numbers = Numbers(self.settings, self.circumstances)

    def choose_all(
        self, groups: Sequence[Sequence[Asset]], undoubted: Collection[int] = frozenset()
    ) -> list[Filing]:
        """The filing of each group, `names` for the members that are given.

        Members that are elsewhere, in the archive already or in another batch, have their say as well. What was
        doubtful of these `undoubted` assets is not any more.
        """
        given = [asset for group in groups for asset in group]
        with self._db.reading() as conn:
            others = {} if self.are_by_date else list_others(conn, given)
            wholes = [[*group, *others.get(group_key(group[0]), ())] for group in groups]
            circumstances = self.circumstances(conn, [asset for whole in wholes for asset in whole])
            circumstances = replace(circumstances, weak_ids=set(circumstances.weak_ids).difference(undoubted))
            filings = [self._choose(conn, whole, circumstances) for whole in wholes]
        return [_only(filing, len(group)) for group, filing in zip(groups, filings, strict=True)]

    def choose(self, members: Sequence[Asset], undoubted: Collection[int] = frozenset()) -> Filing:
        """The filing of one group."""
        return self.choose_all([members], undoubted)[0]

    def _choose(self, conn: Connection, members: Sequence[Asset], given: Circumstances) -> Filing:
        number = self._numbers.of(conn, members, given)
        for again in count():
            filing = choose_filing(members, self.settings, given, number, again)
            if filing.stem is None or not self._keeps_archived or not self._is_taken(conn, filing, members[0]):
                return filing
        raise AssertionError("there is always another number")

    def _is_taken(self, conn: Connection, filing: Filing, member: Asset) -> bool:
        """Whether the archive holds files of another group under this name, whatever their endings."""
        stem = filing.folder + b"/" + (filing.stem or b"") if filing.folder else filing.stem or b""
        holders = list_with_stem(conn, self._archive.id, stem)
        return any(group_key(holder) != group_key(member) for holder in holders)

    def circumstances(self, conn: Connection, assets: Sequence[Asset]) -> Circumstances:
        """What the places of these depend on."""
        ids = [asset.id for asset in assets]
        cameras = list_cameras(conn, ids) if self._needs_cameras else {}
        weak_ids = list_weak(conn, ids) if self._needs_doubts else frozenset()
        return replace(self.given, cameras=cameras, weak_ids=weak_ids)


def source_labels(conn: Connection, config: Config, label: str) -> dict[int, str]:
    """What the ingest folders are called, those of former settings too: a label, else the folder's name."""
    found = [root for root in root_rows.list_all(conn) if root.kind is RootKind.INGEST]
    in_force = normal_path(config.paths.source_dir)
    labels = {root.id: root.label or _name_of(root.path) for root in found}
    return labels | {root.id: label for root in found if label and root.path == in_force}


def _name_of(path: bytes) -> str:
    return path.rstrip(b"/").rpartition(b"/")[2].decode("utf-8", "surrogateescape")


def _only(filing: Filing, members: int) -> Filing:
    return filing if len(filing.names) == members else replace(filing, names=filing.names[:members])
