"""Files that came before groups had the keys of now: their groups get these keys, and become one where they belong
together. And an index of content identifiers, by which the halves of Live Photos find each other.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import text

revision = "0018"
down_revision: str | None = "0017"
branch_labels: str | None = None
depends_on: str | None = None

#: Groups looked through at once.
SLICE = 5_000

NEW_KEYS = "CREATE TABLE new_keys (id INTEGER PRIMARY KEY, root_id INTEGER, folder BLOB, stem BLOB, becomes INTEGER)"
#: Each for one range of groups after the other, and for all ranges before the next: a statement remembers all that it
#: has changed.
STEPS = (
    # Into the group that has the key and keeps it; else the first of those that get the key has it from now on.
    "UPDATE new_keys SET becomes = COALESCE((SELECT g.id FROM groups AS g WHERE g.root_id = new_keys.root_id "
    "AND g.folder = new_keys.folder AND g.stem = new_keys.stem AND NOT EXISTS (SELECT 1 FROM new_keys AS n "
    "WHERE n.id = g.id)), (SELECT MIN(n.id) FROM new_keys AS n WHERE n.root_id = new_keys.root_id "
    "AND n.folder = new_keys.folder AND n.stem = new_keys.stem)) WHERE id > ? AND id <= ?",
    # Out of each other's way first: what one group is called now may be the key of another.
    "UPDATE groups SET stem = CAST(x'00' || id AS BLOB) "
    "WHERE id IN (SELECT id FROM new_keys WHERE id > ? AND id <= ?)",
    "UPDATE groups SET stem = (SELECT n.stem FROM new_keys AS n WHERE n.id = groups.id) "
    "WHERE id IN (SELECT id FROM new_keys WHERE becomes = id AND id > ? AND id <= ?)",
    # Those that wait get one date together, with those that were there before and after the others came.
    "UPDATE assets SET inspected_at = NULL WHERE status || '' = 'unique' AND batch_id + 0 IS NULL "
    "AND group_id IN (SELECT id FROM new_keys WHERE becomes <> id AND id > ? AND id <= ?)",
    "UPDATE assets SET inspected_at = NULL WHERE status || '' = 'unique' AND batch_id + 0 IS NULL "
    "AND group_id IN (SELECT becomes FROM new_keys WHERE becomes <> id AND id > ? AND id <= ?)",
    "UPDATE assets SET group_id = (SELECT n.becomes FROM new_keys AS n WHERE n.id = assets.group_id) "
    "WHERE group_id IN (SELECT id FROM new_keys WHERE becomes <> id AND id > ? AND id <= ?)",
    "DELETE FROM groups WHERE id IN (SELECT id FROM new_keys WHERE becomes <> id AND id > ? AND id <= ?)",
)


def upgrade() -> None:
    """Give every group its key, then make the index."""
    conn = op.get_bind()
    conn.exec_driver_sql(NEW_KEYS)
    last = _note_new_keys(conn)
    conn.exec_driver_sql("CREATE INDEX ix_new_keys ON new_keys (root_id, folder, stem)")
    for step in STEPS:
        for start in range(0, last, SLICE):
            conn.exec_driver_sql(step, (start, start + SLICE))
    conn.exec_driver_sql("DROP TABLE new_keys")
    known = text("content_identifier IS NOT NULL")
    op.create_index("ix_assets_content_identifier", "assets", ["content_identifier"], sqlite_where=known,
                    postgresql_where=known)


def _note_new_keys(conn: Any) -> int:
    """Write down which groups get another key; returns the highest id of all groups."""
    last = 0
    while slice_of_groups := conn.exec_driver_sql(
        "SELECT id, root_id, folder, stem FROM groups WHERE id > ? ORDER BY id LIMIT ?", (last, SLICE)
    ).all():
        changed = _changed(slice_of_groups)
        old = _are_of_before(conn, {row[0]: row[3] for row, _ in changed})
        rows = [(row[0], row[1], row[2], key) for row, key in changed if row[0] in old]
        if rows:
            conn.exec_driver_sql("INSERT INTO new_keys (id, root_id, folder, stem) VALUES (?, ?, ?, ?)", rows)
        last = slice_of_groups[-1][0]
    return last


def _changed(found: Sequence[Any]) -> list[tuple[Any, bytes]]:
    return [(row, key) for row in found if (key := key_of_stem(row[3])) != row[3]]


def _are_of_before(conn: Any, stems: dict[int, bytes]) -> set[int]:
    """Those groups that are called as the stem of a member: a key of now may look like a stem of before."""
    if not stems:
        return set()
    marks = ", ".join("?" * len(stems))
    query = f"SELECT group_id, COALESCE(origin_path, path) FROM assets WHERE group_id IN ({marks})"
    rows = conn.exec_driver_sql(query, tuple(stems))
    return {group_id for group_id, path in rows if stem_of(path.rpartition(b"/")[2]) == stems[group_id]}


# --- The rules of now, from app/files, written out here because a migration never changes again. When they change, the
# --- test that compares them fails: then groups need another migration.

SIDECARS = (b"xmp", b"aae", b"thm", b"lrv", b"srt")
MEDIA = frozenset(
    b"""
    360 3fr 3g2 3gp 3gpp apng ari arq arw asf avi avif avifs bay bmp braw cap cr2 cr3 crw dcr dcs dib divx
    dng drf dv eip erf f4v fff flv gif gpr heic heics heif heifs hif iiq insp insv j2k jfif jp2 jpe jpeg jpg
    jpx jxl k25 kdc m2t m2ts m2v m4v mdc mef mkv mod mos mov mp mp4 mpe mpeg mpg mpo mp~2 mrw mts mv mxf nef
    nrw ogm ogv orf ori pef png ptx pxn qt r3d raf raw rw2 rwl rwz sr2 srf srw tif tiff tod ts vob webm webp
    wmv x3f
    """.split()
)


def stem_of(name: bytes) -> bytes:
    """A name without its ending, and a sidecar's without its photo's."""
    stem, _, ending = name.rpartition(b".")
    if not stem:
        return name
    before, _, inner = stem.rpartition(b".")
    return before if ending.lower() in SIDECARS and before and inner.lower() in MEDIA else stem


#: What Google Photos writes behind the name of an edited photo, in the languages that it speaks.
EDITED_WORDS = (
    "edited", "bearbeitet", "bearb", "modifié", "modifie", "editado", "editada", "editat", "modificato", "modificata",
    "bewerkt", "edytowane", "edytowany", "redigeret", "redigert", "redigerad", "muokattu", "upraveno", "upravené",
    "szerkesztett", "düzenlendi", "изменено", "змінено", "επεξεργασμένο", "編集済み", "已修改", "已編輯", "已编辑",
    "수정됨", "đã chỉnh sửa", "diedit", "แก้ไขแล้ว",
)  # fmt: skip
#: Composed and decomposed: macOS writes names either way.
_SPELLED = {unicodedata.normalize(form, word) for word in EDITED_WORDS for form in ("NFC", "NFD")}
_WORDS = b"|".join(re.escape(word.encode()) for word in sorted(_SPELLED, key=lambda word: (-len(word), word)))

#: Google cuts names at so many characters, the word at their end as well: a long name may end in `-edi`.
CUT_CHARACTERS = 46
_BEGINNINGS = {b"-" + word.encode()[:n] for word in _SPELLED for n in range(1, len(word.encode()))}

#: The number that an archive puts behind a stem when its name is taken; it is kept, so that sorting again is no change.
_NUMBER = rb"(?P<number>\(\d{1,4}\)|_\d{1,3})?"
EDITED = re.compile(rb"(?P<stem>.+?)(?:[-_](?:" + _WORDS + rb")|~\d)" + _NUMBER, re.IGNORECASE | re.DOTALL)
CUT_WORD = re.compile(rb"(?P<stem>.+)(?P<word>-[^-(]+)" + _NUMBER, re.DOTALL)
PIXEL = re.compile(rb"(?P<stem>PXL_\d{8}_\d{6,9})(?:\.[A-Za-z]+(?:-\d+)?)+" + _NUMBER, re.DOTALL)
MOTION = re.compile(rb"(?P<stem>.+)(?:\.(?:MP|MV)|_HEVC)" + _NUMBER, re.DOTALL)
APPLE_EDITED = re.compile(rb"(?P<prefix>IMG_)[EO](?P<rest>\d{4,}.*)", re.DOTALL)
NAMED_BURST = re.compile(rb".*(?P<stem>BURST\d{8,})(?:_COVER)?" + _NUMBER, re.DOTALL)
NUMBERED_BURST = re.compile(rb"(?P<stem>.+)_BURST\d{1,4}(?:_COVER)?" + _NUMBER, re.DOTALL)
SAMSUNG_BURST = re.compile(rb"(?P<stem>\d{8}_\d{6})_\d{3}")
GOPRO = re.compile(rb"G[HLX](?P<rest>\d{6}.*)", re.DOTALL)
INSTA360 = re.compile(rb"(?:LRV|VID)_(?P<taken>\d{8}_\d{6})_\d\d_(?P<clip>\d{3}.*)", re.DOTALL)

#: In this order; each is tried on what the one before has left.
TAILS = (EDITED, PIXEL, MOTION, NAMED_BURST, NUMBERED_BURST)


def key_of_stem(stem: bytes) -> bytes:
    """The key of a group whose files had this stem."""
    stem = _without_cut_word(stem)
    for pattern in TAILS:
        match = pattern.fullmatch(stem)
        if match is not None:
            stem = match["stem"] + (match["number"] or b"")
    return _of_camera(stem)


def _without_cut_word(stem: bytes) -> bytes:
    if len(stem) < CUT_CHARACTERS or len(stem.decode("utf-8", "replace")) < CUT_CHARACTERS:
        return stem
    match = CUT_WORD.fullmatch(stem)
    is_cut = match is not None and match["word"] in _BEGINNINGS
    return match["stem"] + (match["number"] or b"") if match is not None and is_cut else stem


def _of_camera(stem: bytes) -> bytes:
    if match := APPLE_EDITED.fullmatch(stem):
        return match["prefix"] + match["rest"]
    if match := SAMSUNG_BURST.fullmatch(stem):
        return match["stem"]
    if match := GOPRO.fullmatch(stem):
        return b"GX" + match["rest"]
    if match := INSTA360.fullmatch(stem):
        return b"VID_%b_00_%b" % (match["taken"], match["clip"])
    return stem
