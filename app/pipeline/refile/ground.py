"""The places of one folder of the archive, as filing anew finds them: what will leave is not in the way."""

from __future__ import annotations

from app.db.connection import Connection
from app.db.filed_files import FiledFile, FiledFiles
from app.db.members import list_names_in
from app.files.walk import list_names
from app.model import Root
from app.pipeline.naming import sameness_key
from app.pipeline.placing import GivenSuffixes, Target

#: Holds a place that none of the files which are filed anew can get.
SOMEBODY = 0


class FolderGround:
    """One folder; names are the same when letters differ in case alone, where names are to be `portable`."""

    def __init__(self, folder: bytes, limit_bytes: int, *, portable: bool) -> None:
        self.limit_bytes, self.given = limit_bytes, GivenSuffixes()
        self._folder, self._portable = folder, portable
        self._holders: dict[bytes | str, int] = {}

    def take_up(self, conn: Connection, archive: Root, filed: FiledFiles) -> None:
        """Look who holds places here for good: files that are not filed anew, and those of groups that stay."""
        going = filed.list_now_in(self._folder)
        there = set(list_names_in(conn, archive.id, self._folder)) | set(names_on_disk(archive, self._folder))
        for name in there - {path.rpartition(b"/")[2] for _, path, stays in going if not stays}:
            self._holders[self._key(name)] = SOMEBODY

    def key(self, file: FiledFile) -> int:
        """What tells files apart."""
        return file.asset_id

    def look(self, file: FiledFile, path: bytes) -> tuple[Target, int | None]:
        """What a file would meet at a path."""
        holder = self._holders.get(self._key(path.rpartition(b"/")[2]), file.asset_id)
        if holder != file.asset_id:
            return Target.OTHER, None
        return (Target.OWN if path == file.now_path else Target.FREE), None

    def claim(self, file: FiledFile, path: bytes, _target: Target) -> None:
        """The file gets this path."""
        self._holders[self._key(path.rpartition(b"/")[2])] = file.asset_id

    def _key(self, name: bytes) -> bytes | str:
        return sameness_key(name) if self._portable else name


def names_on_disk(archive: Root, folder: bytes) -> list[bytes]:
    """What cannot be looked at holds no place: the moves themselves find out, and replace nothing."""
    try:
        return list_names(archive, folder)
    except OSError:
        return []
