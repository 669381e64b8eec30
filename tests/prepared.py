"""An installation that has been through a lot, for questions about it: two archived batches, one that stopped, a
duplicate, files that failed, were set aside, left in place, spoiled or wait, a run that failed, settings that were
changed, a backup."""

from __future__ import annotations

import os
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

from app.cli import run
from app.db import assets, batches, journal, runs
from app.model import WORKFLOW_STAGES, Asset, AssetStatus, BatchStatus, RootKind, RunKind, RunStatus, Trigger
from app.services import Services
from tests.conftest import make_jpeg, write_tree
from tests.worker.installation import Installation

#: 2021-07-08 12:00 UTC
SCANNED_AT = 1_625_745_600


def call(config_path: Path, *arguments: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a command in this process."""
    out, err = TextIOWrapper(BytesIO(), "utf-8", write_through=True), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(["--config", str(config_path), *arguments])
    out.seek(0)
    return code, out.read(), err.getvalue()


class Prepared(Installation):
    """Files come from a camera and a phone; batches hold three files; a folder takes them."""

    def __init__(self, base: Path) -> None:
        super().__init__(
            base,
            batch={"selection_mode": "files", "max_files": 3},
            sync={"target": "folder", "folder_dir": str(base / "peer")},
        )
        self.ingest, self.archive = self.folder("ingest"), self.folder("archive")
        self._arrive()
        self.do("run")
        self.do("dates", "accept", "--file", str(self._came()[b"camera/IMG_0002.JPG"].id), "--yes")
        self._leave_things_undone(self.services)
        self.do("config", "set", "sorter.timezone=Europe/Berlin", "batch.allow_parallel=true")
        self.do("backup")
        self._spoil_the_archive()
        write_tree(self.ingest, {"late/IMG_20200202_020202.jpg": make_jpeg(seed=11)})

    def call(self, *arguments: str) -> tuple[int, str, str]:
        """(exit code, stdout, stderr) of a command in this process."""
        return call(self.config_path, *arguments)

    def do(self, *arguments: str) -> None:
        """A command that must succeed."""
        code, out, err = self.call(*arguments)
        assert code == 0, f"{arguments} ended with {code}\n{out}\n{err}"

    def _arrive(self) -> None:
        first = make_jpeg(taken="2024:05:06 07:08:09", seed=1)
        write_tree(
            self.ingest,
            {
                "camera/IMG_0001.JPG": first,
                "camera/IMG_0001.xmp": "<x:xmpmeta/>",
                "camera/IMG_0002.JPG": make_jpeg(taken="2023:01:02 03:04:05", seed=2),
                "camera/IMG_20220304_050607.jpg": make_jpeg(seed=3),
                "camera/scan.jpg": make_jpeg(seed=4),
                "phone/copy.jpg": first,
                "notes.txt": "no photo",
                "camera/IMG_0777.xmp": "<x:xmpmeta/>",
            },
        )
        os.utime(self.ingest / "camera/scan.jpg", (SCANNED_AT, SCANNED_AT))
        os.link(self.ingest / "camera/IMG_0002.JPG", self.ingest / "phone/second-name.jpg")

    def _leave_things_undone(self, services: Services) -> None:
        """A batch that stopped, a file that failed, a run that failed."""
        write_tree(self.ingest, {"late/IMG_0900.JPG": make_jpeg(taken="2024:09:09 09:09:09", seed=9)})
        self.do("dedup")
        self.do("batch", "create")
        write_tree(self.ingest, {"late/broken.jpg": make_jpeg(seed=10)})
        self.do("dedup")
        with services.db.transaction() as conn:
            batch = batches.list_recent(conn, 1)[0]
            batches.change(conn, batch, BatchStatus.ERROR, error="The peer's disk is full.", error_from="PENDING")
            broken = assets.find_at(conn, services.root(RootKind.INGEST).id, b"late/broken.jpg")
            assert broken is not None
            reason = "Could not read it: Input/output error."
            assets.mark(conn, [broken], AssetStatus.FAILED, reason=reason, attempts=3)
            journal.record(conn, "asset.failed", reason, level="warning", asset_id=broken.id)
            failed = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.SCHEDULE, WORKFLOW_STAGES)
            failed = runs.change(conn, failed, RunStatus.RUNNING)
            runs.change(conn, failed, RunStatus.FAILED, error="The archive folder was away.")

    def _spoil_the_archive(self) -> None:
        """One byte of one file is turned over; one file is not ours."""
        path = self.archive / "2021/07/08/scan.jpg"
        content = bytearray(path.read_bytes())
        seen = path.stat()
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        write_tree(self.archive, {"2024/05/06/stranger.jpg": make_jpeg(seed=99)})

    def _came(self) -> dict[bytes | None, Asset]:
        """Every asset by the path that it came with."""
        with self.services.db.reading() as conn:
            found = assets.list_page(conn, status=None, prefix=b"", batch_id=None, after_id=0, limit=100)
        return {asset.origin_path: asset for asset in found}

    def _last_preview(self) -> int:
        """The run of the newest preview, 0 before the first."""
        with self.services.db.reading() as conn:
            found = runs.find_last(conn, RunKind.PREVIEW)
        return found.id if found is not None else 0

    def placeholders(self) -> dict[str, Any]:
        """What stands for the names in braces of the table of questions."""
        place, known = self.archive / "2024/05/06/IMG_0001.JPG", self._came()
        photo = known[b"camera/IMG_0001.JPG"]
        return {
            "file": place,
            "ingest_path": self.ingest / "camera/IMG_0001.JPG",
            "duplicate_path": self.ingest / "phone/copy.jpg",
            "spoiled_path": self.archive / "2021/07/08/scan.jpg",
            "stray_path": self.ingest / "notes.txt",
            "lone_path": self.ingest / "camera/IMG_0777.xmp",
            "asset_id": photo.id,
            "duplicate_id": known[b"phone/copy.jpg"].id,
            "failed_id": known[b"late/broken.jpg"].id,
            "digest": str(photo.digest)[:16],
            "batch_id": photo.batch_id,
            "failed_batch_id": 3,
            "run_id": 1,
            "preview_id": self._last_preview(),
            "base": self.base,
        }
