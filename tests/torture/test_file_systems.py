"""The whole pipeline over many file systems: what comes from one lies in the archive on another, and goes back."""

from __future__ import annotations

import itertools
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.files.prune import remove_empty_folders
from app.model import AssetStatus, Place, RunStatus
from app.services import Services
from tests.files.library import Library
from tests.torture import whole
from tests.torture.filesystems import GARBLING, KINDS, Mounter, mounted

PAIRS = list(itertools.product(KINDS, KINDS))
#: Without the `torture` marker so many of them are tried, other ones each day.
TRIED_A_DAY = 2
#: These refuse names that others have.
CHOOSY = ("exfat", "ntfs", "a share without links and case")
#: What may have become of a file that came.
SETTLED = {AssetStatus.ARCHIVED, AssetStatus.DUPLICATE, AssetStatus.SET_ASIDE}


def there_and_back(services: Services) -> None:
    """Everything goes through to the end, a second run finds nothing to do, and an undo brings everything back."""
    before, came = whole.census(services), whole.names_in(services.config.paths.source_dir)
    archive = whole.names_in(services.config.paths.sorted_dir)
    assert len(came) > 10 and len(archive) == len(whole.FOREIGN)
    for _ in range(2):
        run = whole.run_through(services)
        assert run.status is RunStatus.DONE, run.error
        whole.check_nothing_lost(services, before)
        found = whole.statuses(services)
        assert len(found) == len(came) and set(found.values()) <= SETTLED, found
    _check_delivered(services, came)
    whole.take_back(services)
    whole.check_nothing_lost(services, before)
    assert whole.names_in(services.config.paths.source_dir) == came
    assert whole.names_in(services.config.paths.sorted_dir) == archive
    assert whole.in_use(whole.census(services)) == whole.in_use(before)


def _check_delivered(services: Services, came: dict[str, bytes]) -> None:
    if services.config.sync_target == "folder":
        arrived = set(whole.names_in(services.config.sync.folder_dir).values())
        assert set(came.values()) <= arrived


def take_pair_through(base: Path, source_kind: str, archive_kind: str, *, target: str = "folder") -> None:
    """A library on one kind of file system, its archive and its deliveries on another."""
    with mounted(KINDS[source_kind], base / "source") as source, mounted(KINDS[archive_kind], base / "other") as other:
        services = whole.open_site(base / "state", source, other, target=target)
        whole.put_library(source, other, holdable_there=target == "folder")
        try:
            there_and_back(services)
        finally:
            services.close()


def test_the_pairs_of_the_day_lose_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = datetime.now(UTC).date().toordinal() * TRIED_A_DAY
    for number in range(TRIED_A_DAY):
        # 37 shares no divisor with the number of pairs: neighbours differ on both sides, and each gets its day.
        pair = PAIRS[(first + number) * 37 % len(PAIRS)]
        with capsys.disabled():
            print(f"\nfile systems: {pair[0]} to {pair[1]}", end=" ", flush=True)
        take_pair_through(tmp_path / str(number), *pair)


@pytest.mark.torture
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("source", "archive"), PAIRS)
def test_no_pair_of_file_systems_loses_anything(tmp_path: Path, source: str, archive: str) -> None:
    take_pair_through(tmp_path, source, archive)


@pytest.mark.torture
@pytest.mark.timeout(300)
@pytest.mark.parametrize("archive", CHOOSY)
def test_an_archive_that_cannot_have_some_names_gets_the_files_under_others(tmp_path: Path, archive: str) -> None:
    take_pair_through(tmp_path, "ext4", archive, target="none")


@pytest.mark.torture
@pytest.mark.parametrize("archive", CHOOSY)
def test_a_delivery_that_cannot_have_some_names_stops_with_words_and_everything_goes_back(
    tmp_path: Path, archive: str
) -> None:
    with mounted(KINDS["tmpfs"], tmp_path / "source") as source, mounted(KINDS[archive], tmp_path / "other") as other:
        services = whole.open_site(tmp_path / "state", source, other)
        whole.put_library(source, other, holdable_there=False)
        before, came = whole.census(services), whole.names_in(services.config.paths.source_dir)
        run = whole.run_through(services)
        assert run.status is RunStatus.FAILED and "the name" in str(run.error)
        assert not any("no longer there" in reason for reason in whole.reasons(services))
        whole.check_nothing_lost(services, before)
        whole.take_back(services)
        whole.check_nothing_lost(services, before)
        assert whole.names_in(services.config.paths.source_dir) == came
        services.close()


def test_folders_are_removed_where_a_removed_one_cannot_be_asked_any_more(tmp_path: Path) -> None:
    with mounted(KINDS["mergerfs"], tmp_path / "merged") as merged:
        library = Library.make(tmp_path / "library", merged / "archive")
        made = [b"2024/%02d/%02d" % (month, day) for month in (1, 2) for day in (1, 2, 3)]
        for folder in made:
            os.makedirs(Place(library.archive, folder).absolute)
        above = [b"2024", b"2024/01", b"2024/02"]
        assert set(remove_empty_folders(library.archive, [*made, *above])) == {*made, *above}
        library.close()


@pytest.mark.parametrize("garbling", [GARBLING], ids=["one bit of every write"])
def test_an_archive_that_stores_something_else_than_was_written_gets_nothing(
    tmp_path: Path, garbling: Mounter
) -> None:
    with mounted(KINDS["tmpfs"], tmp_path / "source") as source, mounted(garbling, tmp_path / "other") as other:
        services = whole.open_site(tmp_path / "state", source, other, target="none")
        whole.put_library(source, tmp_path / "nowhere", holdable_there=False)
        before = whole.census(services)
        whole.run_through(services)
        whole.check_nothing_lost(services, before)
        large = [n for n, content in whole.names_in(services.config.paths.sorted_dir).items() if len(content) >= 1024]
        assert large == []
        services.close()
