"""Where files go that come to a group of which others are in the archive already: beside those, under their stem.

What is archived is not moved by a sort. If the late ones change the date of their group, or a pattern was changed
meanwhile, a refile takes the group as a whole to its new place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.db.connection import Connection
from app.db.members import list_archived_of_groups
from app.files.kinds import VIDEO_SUFFIXES, suffix
from app.files.walk import is_media
from app.model import Asset, AssetStatus, Batch, Root
from app.pipeline.filing import Filing, archive_name
from app.pipeline.naming import name_beside


def list_archived_before(
    conn: Connection, archive: Root, batch: Batch, groups: Sequence[Sequence[Asset]]
) -> dict[int, list[Asset]]:
    """By group, the members in the archive that came there with another batch."""
    group_ids = list({asset.group_id for group in groups for asset in group if asset.group_id is not None})
    found: dict[int, list[Asset]] = {}
    for asset in list_archived_of_groups(conn, group_ids, archive.id):
        if asset.batch_id != batch.id:
            found.setdefault(asset.group_id or 0, []).append(asset)
    return found


def beside_archived(filing: Filing, members: Sequence[Asset], archived: Mapping[int, Sequence[Asset]]) -> Filing:
    """The filing of members that come late; that of a group of which no photo or video is archived is as it was."""
    there = [asset for asset in archived.get(members[0].group_id or 0, ()) if is_media(archive_name(asset))]
    if not there:
        return filing
    lead = min(there, key=_rank)
    folder, _, name = lead.path.rpartition(b"/")
    names = tuple(name_beside(archive_name(lead), name, archive_name(member)) for member in members)
    return replace(filing, folder=folder, names=names, needs_review=lead.status is AssetStatus.SET_ASIDE)


def _rank(asset: Asset) -> tuple[bool, int, bytes]:
    name = archive_name(asset)
    return suffix(name) in VIDEO_SUFFIXES, len(name), name
