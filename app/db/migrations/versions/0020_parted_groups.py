"""Films of GoPro whose names differ in their codec, and photos whose `-e` is no cut `-edited`, were in one group with
others: they get groups of their own, together with their sidecars.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from alembic import op

revision = "0020"
down_revision: str | None = "0019"
branch_labels: str | None = None
depends_on: str | None = None

#: Files looked through at once, and groups taken apart at once.
SLICE = 5_000
GROUPS = 500

TABLES = (
    "CREATE TABLE mixed_groups (id INTEGER PRIMARY KEY)",
    "CREATE TABLE new_places (asset_id INTEGER PRIMARY KEY, group_id INTEGER, root_id INTEGER, folder BLOB, stem BLOB)",
)
FILES = (
    "SELECT id, group_id, COALESCE(origin_path, path) FROM assets "
    "WHERE id > ? AND group_id IS NOT NULL ORDER BY id LIMIT ?"
)
MEMBERS = (
    "SELECT group_id, id, COALESCE(origin_path, path), content_identifier FROM assets "
    "WHERE group_id > ? AND group_id <= ? AND group_id IN (SELECT id FROM mixed_groups) ORDER BY group_id, id"
)
PLACE = "INSERT INTO new_places SELECT ?, g.id, g.root_id, g.folder, ? FROM groups AS g WHERE g.id = ?"
MIXED = "SELECT m.id, g.stem FROM mixed_groups AS m JOIN groups AS g ON g.id = m.id WHERE m.id > ? ORDER BY 1 LIMIT ?"
WAITING = "UPDATE assets SET inspected_at = NULL WHERE status || '' = 'unique' AND batch_id + 0 IS NULL AND group_id IN"
#: Each for one range of files after the other, and for all ranges before the next: a statement remembers all that it
#: has changed. What waits gets a date of its own, whether it leaves its group or others do.
STEPS = (
    "INSERT INTO groups (root_id, folder, stem) SELECT DISTINCT root_id, folder, stem FROM new_places "
    "WHERE asset_id > ? AND asset_id <= ? ON CONFLICT DO NOTHING",
    f"{WAITING} (SELECT group_id FROM new_places WHERE asset_id > ? AND asset_id <= ?)",
    "UPDATE assets SET group_id = (SELECT g.id FROM new_places AS n JOIN groups AS g ON g.root_id = n.root_id "
    "AND g.folder = n.folder AND g.stem = n.stem WHERE n.asset_id = assets.id) "
    "WHERE id IN (SELECT asset_id FROM new_places WHERE asset_id > ? AND asset_id <= ?)",
    f"{WAITING} (SELECT a.group_id FROM new_places AS n JOIN assets AS a ON a.id = n.asset_id "
    "WHERE n.asset_id > ? AND n.asset_id <= ?)",
    "DELETE FROM groups WHERE id IN (SELECT group_id FROM new_places WHERE asset_id > ? AND asset_id <= ?) "
    "AND NOT EXISTS (SELECT 1 FROM assets WHERE assets.group_id = groups.id)",
)


class Member(NamedTuple):
    """A file of a group."""

    id: int
    name: bytes
    identifier: str | None


def upgrade() -> None:
    """Find the groups that hold what does not belong together, and take them apart."""
    conn = op.get_bind()
    for table in TABLES:
        conn.exec_driver_sql(table)
    last = _note_mixed_groups(conn)
    is_any = _note_new_places(conn)
    for step in STEPS if is_any else ():
        for start in range(0, last, SLICE):
            conn.exec_driver_sql(step, (start, start + SLICE))
    conn.exec_driver_sql("DROP TABLE new_places")
    conn.exec_driver_sql("DROP TABLE mixed_groups")


def _note_mixed_groups(conn: Any) -> int:
    """Write down the groups of files that have another key now; returns the highest id of all files in groups."""
    last = 0
    while files := conn.exec_driver_sql(FILES, (last, SLICE)).all():
        named = ((group_id, path.rpartition(b"/")[2]) for _, group_id, path in files)
        mixed = {group_id for group_id, name in named if _may_differ(name) and _differs(stem_of(name))}
        if mixed:
            conn.exec_driver_sql("INSERT INTO mixed_groups VALUES (?) ON CONFLICT DO NOTHING", [(i,) for i in mixed])
        last = files[-1][0]
    return last


def _note_new_places(conn: Any) -> bool:
    """Write down where the files go that leave these groups; whether there are any."""
    after, is_any = 0, False
    while found := conn.exec_driver_sql(MIXED, (after, GROUPS)).all():
        members: dict[int, list[Member]] = {}
        for group_id, asset_id, path, identifier in conn.exec_driver_sql(MEMBERS, (after, found[-1][0])):
            members.setdefault(group_id, []).append(Member(asset_id, path.rpartition(b"/")[2], identifier))
        places = [(file, new, group_id) for group_id, stem in found
                  for file, new in stems_of(stem, members.get(group_id, ())).items()]  # fmt: skip
        if places:
            conn.exec_driver_sql(PLACE, places)
        after, is_any = found[-1][0], is_any or bool(places)
    return is_any


def stems_of(stem: bytes, members: Sequence[Member]) -> dict[int, bytes]:
    """By file, the stem of the group that it goes to; those that stay are left out.

    Files that are here for another reason than their names stay with the photo whose other half they are, else with
    that which is called most like them. What follows a NUL in the stem tells groups of one key apart, and is kept.
    """
    key, mark, told = stem.partition(b"\0")
    media = {m: key_of_stem(stem_of(m.name)) for m in members if _is_media(m.name) and _old_key(m.name) == key}
    keys = set(media.values())
    if keys <= {key}:
        return {}
    found = {m.id: media[m] if m in media else _key_beside(m, key, keys, media) for m in members}
    return {asset_id: new + mark + told for asset_id, new in found.items() if new != key}


def _key_beside(member: Member, key: bytes, keys: set[bytes], media: dict[Member, bytes]) -> bytes:
    if _old_key(member.name) == key:
        names = (member.name, b"GH" + member.name[2:]) if member.name.startswith(b"GL") else (member.name,)
        for own in (key_of_stem(stem_of(name)) for name in names):
            if own in keys:
                return own
    half = [m for m in media if m.identifier is not None and m.identifier == member.identifier]
    return media[min(half or media, key=lambda m: (-_shared(m.name, member.name), media[m] != key, m.name))]


def _shared(one: bytes, other: bytes) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


# --- The rules of now, from app/files, written out here where they are other than those of 0018, which never changes
# --- again either. When they change, the test that compares them fails: then groups need another migration.

BEFORE = importlib.import_module("app.db.migrations.versions.0018_group_keys")

CUT_STEM_UNITS = (46, 47)
CUT_WORD = re.compile(rb"(?P<stem>.+)(?P<word>-[^-(_]+)(?P<number>\(\d{1,4}\)|_\d{1,3})?", re.DOTALL)
GOPRO = re.compile(rb"G[HLX](?P<rest>\d{6}.*)", re.DOTALL)


def stem_of(name: bytes) -> bytes:
    """A name without its ending, and a sidecar's without its photo's."""
    stem: bytes = BEFORE.stem_of(name)
    return stem


def key_of_stem(stem: bytes) -> bytes:
    """The key of the group of files that have this stem."""
    stem = _without_cut_word(stem)
    for pattern in BEFORE.TAILS:
        match = pattern.fullmatch(stem)
        if match is not None:
            stem = match["stem"] + (match["number"] or b"")
    if match := GOPRO.fullmatch(stem):
        return b"GX" + match["rest"] if stem.startswith(b"GL") else stem
    key: bytes = BEFORE._of_camera(stem)
    return key


def _without_cut_word(stem: bytes) -> bytes:
    match = CUT_WORD.fullmatch(stem) if len(stem) >= BEFORE.CUT_CHARACTERS else None
    if match is None or match["word"] not in BEFORE._BEGINNINGS:
        return stem
    units = len((match["stem"] + match["word"]).decode("utf-8", "replace").encode("utf-16-le")) // 2
    return match["stem"] + (match["number"] or b"") if units in CUT_STEM_UNITS else stem


def _old_key(name: bytes) -> bytes:
    key: bytes = BEFORE.key_of_stem(stem_of(name))
    return key


def _differs(stem: bytes) -> bool:
    return bool(BEFORE.key_of_stem(stem) != key_of_stem(stem))


def _may_differ(name: bytes) -> bool:
    """Whether a name is worth a closer look; most are not."""
    return name.startswith(b"GH") or (len(name) > BEFORE.CUT_CHARACTERS and b"-" in name)


def _is_media(name: bytes) -> bool:
    return name.rpartition(b".")[2].lower() in BEFORE.MEDIA
