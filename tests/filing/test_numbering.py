"""Names from a pattern through real runs: the same tree in whatever order files come and in whatever batches."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.config.schema import Sorter
from app.filing.numbering import precision
from app.model import RootKind, RunStatus
from app.services import Services
from tests.conftest import make_config, make_jpeg, make_services, read_tree, write_tree
from tests.pipeline.running import Opener, workflow

#: Of one day, two of them in one second, and one of another day; a photo with its sidecar.
PHOTOS = {
    "one.jpg": make_jpeg("2024:05:06 10:00:00", seed=1),
    "one.xmp": b"<x/>",
    "two.jpg": make_jpeg("2024:05:06 10:00:00", seed=2),
    "three.png": make_jpeg("2024:05:06 09:00:00", seed=3),
    "four.jpg": make_jpeg("2024:05:06 23:00:00", seed=4),
    "five.jpg": make_jpeg("2024:05:07 00:00:00", seed=5),
    "six.jpg": make_jpeg("2024:06:07 00:00:00", seed=6),
}
STEMS = sorted({name.partition(".")[0] for name in PHOTOS})


def archive(services: Services) -> dict[str, bytes]:
    return read_tree(services.root(RootKind.ARCHIVE).path)


def sort_all(base: Path, folders: dict[str, str], max_files: int, **sorter: str) -> dict[str, bytes]:
    """The archive when files came in under these folders, in batches of so many."""
    batch = {"selection_mode": "files", "max_files": max_files}
    services = make_services(base, sync={"target": "none"}, batch=batch, sorter=sorter)
    try:
        tree = {f"{folders[name.partition('.')[0]]}/{name}": content for name, content in PHOTOS.items()}
        write_tree(services.config.paths.source_dir, tree)
        assert workflow(services).status is RunStatus.DONE
        return archive(services)
    finally:
        services.close()


def test_a_counter_numbers_the_day_in_the_order_in_which_it_was_taken(open_test_services: Opener) -> None:
    name_pattern = "{year}{month:02d}{day:02d}_{counter:03d}"
    services = open_test_services(sync={"target": "none"}, sorter={"name_pattern": name_pattern})
    write_tree(services.config.paths.source_dir, PHOTOS)
    workflow(services)
    found = archive(services)
    assert found["2024/05/06/20240506_001.png"] == PHOTOS["three.png"]
    assert found["2024/05/06/20240506_004.jpg"] == PHOTOS["four.jpg"]
    assert found["2024/05/07/20240507_001.jpg"] == PHOTOS["five.jpg"]
    (sidecar,) = (path for path, content in found.items() if content == PHOTOS["one.xmp"])
    assert found[sidecar.replace(".xmp", ".jpg")] == PHOTOS["one.jpg"]
    assert sorted(found) == sorted(
        [f"2024/05/06/20240506_{n}" for n in ("001.png", "002.jpg", "003.jpg", "004.jpg")]
        + [sidecar, "2024/05/07/20240507_001.jpg", "2024/06/07/20240607_001.jpg"]
    )


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.permutations(STEMS),
    st.permutations(STEMS),
    st.integers(1, 3),
    st.sampled_from(["{year}_{counter:03d}", "{hour:02d}{minute:02d}", "{camera_model}", "{counter}"]),
    st.sampled_from(["{year}/{month:02d}", "{year}/{month_name}/{day}", "all"]),
)
def test_sorting_in_any_order_gives_the_same_names(
    first: list[str], second: list[str], max_files: int, name_pattern: str, folder_pattern: str
) -> None:
    patterns = {"name_pattern": name_pattern, "folder_pattern": folder_pattern}
    with tempfile.TemporaryDirectory() as base:
        one = sort_all(Path(base, "a"), {stem: str(i) for i, stem in enumerate(first)}, 100, **patterns)
        other = sort_all(Path(base, "b"), {stem: str(i) for i, stem in enumerate(second)}, max_files, **patterns)
    assert one == other
    assert len(one) == len(PHOTOS)


def test_what_arrives_later_takes_its_rank_and_no_archived_file_gets_another_name(open_test_services: Opener) -> None:
    services = open_test_services(sync={"target": "none"}, sorter={"name_pattern": "{counter:02d}"})
    source = services.config.paths.source_dir
    write_tree(source, {"noon.jpg": PHOTOS["one.jpg"], "night.jpg": PHOTOS["four.jpg"]})
    workflow(services)
    before = archive(services)
    write_tree(source, {"morning.png": PHOTOS["three.png"], "noon_too.jpg": PHOTOS["two.jpg"]})
    workflow(services)
    after = archive(services)
    assert before == {"2024/05/06/01.jpg": PHOTOS["one.jpg"], "2024/05/06/02.jpg": PHOTOS["four.jpg"]}
    assert {path: after[path] for path in before} == before
    assert after["2024/05/06/01_1.png"] == PHOTOS["three.png"], "01.png would look like one group with 01.jpg"
    assert sorted(after.values()) == sorted(PHOTOS[f] for f in ("one.jpg", "two.jpg", "three.png", "four.jpg"))


def test_the_source_is_called_by_its_label_or_by_its_folder(open_test_services: Opener) -> None:
    services = open_test_services(sync={"target": "none"}, sorter={"folder_pattern": "{source}"})
    write_tree(services.config.paths.source_dir, {"a.jpg": PHOTOS["one.jpg"]})
    workflow(services)
    labelled = replace(services, config=make_config(Path(services.config.paths.source_dir).parent, sync={
        "target": "none"}, sorter={"folder_pattern": "{source}", "source_label": "Anna's phone"}))
    write_tree(services.config.paths.source_dir, {"b.jpg": PHOTOS["two.jpg"]})
    workflow(labelled)
    assert sorted(archive(services)) == ["Anna's phone/b.jpg", "ingest/a.jpg"]


def test_a_sidecar_that_comes_late_gets_the_name_of_its_photo(open_test_services: Opener) -> None:
    services = open_test_services(sync={"target": "none"}, sorter={"name_pattern": "{camera_model}_{counter}"})
    source = services.config.paths.source_dir
    write_tree(source, {"a.jpg": PHOTOS["one.jpg"], "b.jpg": PHOTOS["two.jpg"]})
    workflow(services)
    write_tree(source, {"b.xmp": b"<late/>"})
    workflow(services)
    found = archive(services)
    (sidecar,) = (path for path, content in found.items() if content == b"<late/>")
    assert found[sidecar.replace(".xmp", ".jpg")] == PHOTOS["two.jpg"]


def test_groups_of_other_days_are_looked_at_only_when_they_could_get_the_same_name() -> None:
    def shared(folder: str, name: str) -> int:
        return precision(Sorter(folder_pattern=folder, name_pattern=name))

    assert shared("{year}/{month:02d}/{day:02d}", "{counter}") == len("2024-05-06")
    assert shared("{year}/{month_name}", "{counter}") == len("2024-05")
    assert shared("{year}", "{day}_{counter}") == len("2024")
    assert shared("{month}", "{counter}") == 0
