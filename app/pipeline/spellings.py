"""Names that differ only in letter case or composition: the same to Windows, macOS and SD cards.

Where names are to be portable, a file whose name somebody else's differs from no more than so gets a suffix, on file
systems too that could tell the two apart: the archive can then be copied, or looked at through a share, as it is.
"""

from __future__ import annotations

from app.db.members import list_names_in
from app.files.walk import list_names
from app.model import Asset, Root
from app.pipeline.naming import sameness_key
from app.services import Services


class Spellings:
    """The names in the folders of an archive, on disk and by their rows, with what is added while a batch is sorted."""

    def __init__(self, services: Services, archive: Root, *, portable: bool) -> None:
        self._services, self._archive, self._portable = services, archive, portable
        self._names: dict[bytes, dict[str, set[bytes]]] = {}

    def is_taken(self, asset: Asset, path: bytes) -> bool:
        """Whether another file has this name but for its spelling."""
        if not self._portable:
            return False
        folder, _, name = path.rpartition(b"/")
        others = self._in(folder).get(sameness_key(name), set()) - {name}
        if asset.root_id == self._archive.id and asset.path.rpartition(b"/")[0] == folder:
            others.discard(asset.path.rpartition(b"/")[2])
        return bool(others)

    def add(self, path: bytes) -> None:
        """A file gets this path."""
        folder, _, name = path.rpartition(b"/")
        if self._portable:
            self._in(folder).setdefault(sameness_key(name), set()).add(name)

    def _in(self, folder: bytes) -> dict[str, set[bytes]]:
        if folder not in self._names:
            with self._services.db.reading() as conn:
                known = list_names_in(conn, self._archive.id, folder)
            found: dict[str, set[bytes]] = {}
            for name in (*known, *list_names(self._archive, folder)):
                found.setdefault(sameness_key(name), set()).add(name)
            self._names[folder] = found
        return self._names[folder]
