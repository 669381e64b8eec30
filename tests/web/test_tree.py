"""The tree of the archive over the API: what waits and what is there, by the patterns in force and by others."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.model import RootKind
from app.overview import tree_behind
from tests.conftest import make_jpeg, read_tree, write_tree
from tests.pipeline.running import workflow
from tests.pipeline.stages import run_scan, take_stock
from tests.web.conftest import Site

ARCHIVED = {
    "a/one.jpg": make_jpeg("2023:03:01 10:00:00", seed=1),
    "a/one.xmp": b"<x/>",
    "two.jpg": make_jpeg("2024:05:06 10:00:00", seed=2),
}
WAITING = {"b/three.jpg": make_jpeg("2024:05:07 10:00:00", seed=3)}


@pytest.fixture
def filled(make_site: Callable[..., Site]) -> Site:
    """An archive of three files, with one that waits."""
    site = make_site(sync={"target": "none"})
    write_tree(site.services.config.paths.source_dir, ARCHIVED)
    workflow(site.services)
    write_tree(site.services.config.paths.source_dir, WAITING)
    take_stock(site.services)
    return site


def folders(client: FlaskClient, query: str = "") -> dict[str, tuple[int, int, int]]:
    """By folder: how many wait, how many are archived, how many of those lie elsewhere."""
    found = client.get(f"/api/tree?{query}").json["folders"]
    return {folder["folder"]: (folder["waiting"], folder["archived"], folder["elsewhere"]) for folder in found}


def test_the_tree_in_force_counts_what_is_there_and_what_comes_and_has_nothing_elsewhere(filled: Site) -> None:
    client = filled.client()
    assert folders(client) == {"2023/03": (0, 2, 0), "2024/05": (1, 1, 0)}
    assert folders(client, "depth=1") == {"2023": (0, 2, 0), "2024": (1, 1, 0)}
    assert folders(client, "depth=3&which=waiting") == {"2024/05/07": (1, 0, 0)}
    assert folders(client, "which=archived&depth=3") == {"2023/03/01": (0, 2, 0), "2024/05/06": (0, 1, 0)}


def test_another_pattern_shows_its_own_tree_and_how_many_files_lie_elsewhere_now(filled: Site) -> None:
    before = read_tree(filled.services.root(RootKind.ARCHIVE).path)
    answer = filled.client().get(
        "/api/tree", query_string={"folder_pattern": "{year}/{month_name}/{folder}", "language": "fr", "depth": 3}
    ).json  # fmt: skip
    assert {f["folder"]: f["files"] for f in answer["folders"]} == {"2023/mars/a": 2, "2024/mai": 1, "2024/mai/b": 1}
    assert (answer["files"], answer["waiting"], answer["archived"], answer["elsewhere"]) == (4, 1, 3, 3)
    assert {"came_as": "a/one.jpg", "goes_to": "2023/mars/a/one.jpg"} in answer["examples"]
    assert answer["size_bytes"] == sum(map(len, (ARCHIVED | WAITING).values()))
    assert read_tree(filled.services.root(RootKind.ARCHIVE).path) == before


def test_names_by_another_pattern_are_shown_with_their_numbers(filled: Site) -> None:
    answer = filled.client().get("/api/tree", query_string={"name_pattern": "{year}_{counter:03d}"}).json
    shown = {example["came_as"]: example["goes_to"] for example in answer["examples"]}
    assert shown["a/one.jpg"] == "2023/03/01/2023_001.jpg"
    assert shown["b/three.jpg"] == "2024/05/07/2024_001.jpg"


def test_what_has_no_date_yet_is_counted_apart(site: Site, client: FlaskClient) -> None:
    write_tree(site.services.config.paths.source_dir, WAITING)
    run_scan(site.services)
    answer = client.get("/api/tree").json
    assert (answer["files"], answer["undated"], answer["folders"], answer["examples"]) == (0, 1, [], [])
    assert client.get("/api/tree?which=archived").json["undated"] == 0


@pytest.mark.parametrize(
    ("query", "path", "words"),
    [
        ({"folder_pattern": "{year}/{mnoth}"}, "sorter.folder_pattern", "at character 8: {mnoth} cannot be used here"),
        ({"name_pattern": "{year}/{counter}"}, "sorter.name_pattern", "at character 7"),
        ({"language": "tlh"}, "sorter.language", "not a language"),
    ],
)
def test_a_fault_in_a_pattern_is_told_with_its_place(
    client: FlaskClient, query: dict[str, str], path: str, words: str
) -> None:
    answer = client.get("/api/tree", query_string=query)
    assert answer.status_code == 422
    (fault,) = answer.json["errors"]
    assert fault["path"] == path
    assert words in fault["message"]
    assert words in answer.json["detail"]


def test_the_tree_of_a_large_library_is_counted_beside_the_answers(
    filled: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, whole = filled.client(), filled.client().get("/partials/tree").text
    monkeypatch.setattr(tree_behind, "COUNTED_AT_ONCE", 0)
    with tree_behind._trees._making:
        first = client.get("/tree?depth=2").text
        (again,) = re.findall(r'hx-get="(/partials/tree\?[^"]+)" hx-trigger="every 1s', first)
        address = again.replace("&amp;", "&")
        assert "Counting the folders" in first and client.get(address).status_code == 204
    wait_until(lambda: client.get(address).status_code == 200)
    assert client.get(address).text == whole
    assert "{moth} cannot be used here" in client.get("/partials/tree?folder_pattern={moth}").text


def wait_until(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
