"""What a rebuild says of trash that it cannot read, and of several copies of one photo that were cut off."""

from __future__ import annotations

from app.db import moves, rebuild_files
from app.model import RootKind, Signature, Stage
from app.pipeline.rebuild.unread import settle_unread
from app.services import Services
from tests.conftest import write_tree
from tests.pipeline.library import a_step
from tests.pipeline.test_rebuild import PHOTO, Site, make_site, site

__all__ = ["make_site", "site"]


def test_trash_that_cannot_be_read_is_nobodys_file(services: Services) -> None:
    ingest = services.root(RootKind.INGEST).id
    with services.db.transaction() as conn:
        found = [(b"a.jpg", "ingest"), (b".mp-trash/1", "trash")]
        rebuild_files.note(
            conn, [(ingest, path, area, b"", Signature(1, n, 3, 4, 5), None) for n, (path, area) in enumerate(found)], 1
        )
    assert len(settle_unread(services, a_step(services, Stage.REBUILD))) == 2
    with services.db.reading() as conn:
        owners = [tuple(row) for row in conn.exec_driver_sql("SELECT path, asset_id FROM rebuild_files ORDER BY id")]
    assert owners == [(b"a.jpg", 1), (b".mp-trash/1", None)]


def test_only_one_copy_of_a_photo_that_was_cut_off_is_called_removable_at_a_time(site: Site) -> None:
    write_tree(site.config.paths.source_dir, {"a.jpg": PHOTO})
    for n in (1, 2):
        begun = PHOTO[: 40 * n].ljust(len(PHOTO), b"\0")
        (site.root(RootKind.ARCHIVE) / f".mp-{str(n) * 32}.part").write_bytes(begun)
    site.lost_and_rebuilt()
    for _ in range(2):
        assert len(site.found("begun_copy")) == len(site.found("unfinished_copy")) == 1
        with site.services.db.reading() as conn:
            assert len(moves.list_open(conn)) == 1
        site.rebuild()
