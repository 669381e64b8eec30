"""Google Takeout: every photo finds its JSON, whatever Google did to the names of both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.files.belonging import group_key
from app.files.lone_sidecars import ALONE
from app.files.media_names import MediaNames
from app.files.takeout import takeout_partner, takeout_partners, title_of, titled_partners
from app.files.walk import Found, walk
from app.model import Root, RootKind
from tests.conftest import write_tree
from tests.files.takeout_export import Folder, generate
from tests.work import assert_grows_evenly


def walk_over(base: Path, tree: dict[str, bytes], known: list[bytes] | None = None) -> dict[str, Found]:
    write_tree(base, tree)
    root = Root(1, RootKind.INGEST, "", str(base).encode(), "")
    return {found.path.decode(): found for found in walk(root, (), lambda folder: known or [])}


def tree_of(folder: Folder) -> dict[str, bytes]:
    tree = dict.fromkeys(folder.media, b"picture")
    return {**tree, **{name: folder.content_of(name) for name in (*folder.described, *folder.nobodys)}}


@pytest.mark.parametrize("seed", range(2))
def test_every_photo_of_an_export_of_2000_files_is_in_one_group_with_its_json(tmp_path: Path, seed: int) -> None:
    folders = generate(2_000, seed)
    wrong = []
    for number, folder in enumerate(folders):
        found = walk_over(tmp_path / str(number), tree_of(folder))
        keys = {name: group_key(f.group_name) for name, f in found.items() if f.kind != "left"}
        wrong += [(j, m, found[j].group_name) for j, m in folder.described.items() if keys.get(j) != keys[m]]
        wrong += [(made, name, keys[made]) for made, name in folder.edited.items() if keys[made] != keys[name]]
        wrong += [(name, "", found[name].group_name) for name in folder.nobodys if found[name].kind != "left"]
    assert wrong == []
    assert sum(len(folder.described) for folder in folders) == 2_000
    assert sum(len(folder.edited) for folder in folders) > 100
    renamed = [name for folder in folders for name in folder.renamed]
    assert sum("&" in name for name in renamed) > 20 and sum(name.endswith(".HEIC.jpg") for name in renamed) > 20


def test_a_json_that_came_after_its_photo_had_left_is_still_its_sidecar(tmp_path: Path) -> None:
    found = walk_over(tmp_path, {"IMG_1.jpg.json": b"{}", "other.jpg.json": b"{}"}, known=[b"IMG_1.jpg"])
    assert (found["IMG_1.jpg.json"].kind, found["IMG_1.jpg.json"].group_name) == ("sidecar", b"IMG_1.jpg")
    assert found["other.jpg.json"].kind == "left"


LONG = "Screenshot_2021-03-29-09-18-32-123_com.google.a"


def test_of_two_long_names_the_title_tells_whose_json_it_is() -> None:
    names = [f"{LONG}1.jpg".encode(), f"{LONG}2.jpg".encode()]
    cut = LONG[:46].encode()
    assert takeout_partner(cut + b".json", names, lambda: f"{LONG}2.jpg") == names[1]
    assert takeout_partner(cut + b"(1).json", names, lambda: f"{LONG}1.jpg") == names[0]


def test_a_json_whose_photo_has_not_come_yet_waits_and_takes_no_other() -> None:
    names = [f"{LONG}1.jpg".encode()]
    assert takeout_partner(LONG[:46].encode() + b".json", names, lambda: f"{LONG}2.jpg") is None


def test_without_a_title_nothing_is_guessed_between_two_photos() -> None:
    names = [f"{LONG}1.jpg".encode(), f"{LONG}2.jpg".encode()]
    assert takeout_partner(LONG[:46].encode() + b".json", names) is None


@pytest.mark.parametrize(
    ("json_name", "media", "title"),
    [
        (b"20030616.json", b"20030616.jpg", "20030616"),
        (b"IMG_1.json", b"IMG_1.jpg", "IMG_1.jpg"),
        (b"IMG_1.HEIC.json", b"IMG_1.MP4", "IMG_1.HEIC"),
        (b"IMG_1.HEIC.supplemental-metadata(2).json", b"IMG_1(2).MP4", "IMG_1.HEIC"),
        (b"PXL_20230701_100000123.MP.jpg.supplemental-metada.json", b"PXL_20230701_100000123.MP", "PXL_20230701_1"),
        (b"IMG_1.jpg..json", b"IMG_1.jpg", None),
    ],
)
def test_a_json_finds_the_other_files_of_its_photo(json_name: bytes, media: bytes, title: str | None) -> None:
    known = title if title != "PXL_20230701_1" else "PXL_20230701_100000123.MP.jpg"
    assert takeout_partner(json_name, [media, b"other.jpg"], lambda: known) == media


@pytest.mark.parametrize(
    ("json_name", "title"),
    [(b"metadata.json", "Holiday"), (b"IMG_1.json", None), (b"IMG_1.json", "IMG_2.jpg"), (b"package.json", "package!")],
)
def test_a_json_that_tells_of_something_else_is_nobodys(json_name: bytes, title: str | None) -> None:
    assert takeout_partner(json_name, [b"metadata.jpg", b"IMG_1.jpg", b"package.png"], lambda: title) is None


def partners(tmp_path: Path, titles: dict[str, str], *media: str) -> dict[str, bytes]:
    """What each of these JSON files was taken for, by its name and title; without those that are nobody's."""
    told = {name: json.dumps({"title": title}).encode() for name, title in titles.items()}
    found = walk_over(tmp_path, {**dict.fromkeys(media, b"picture"), **told})
    return {name: found[name].group_name for name in titles if found[name].kind == "sidecar"}


@pytest.mark.parametrize(
    ("json_name", "title", "media"),
    [
        ("a_b.jpg.json", "a&b.jpg", "a_b.jpg"),
        ("a_b.jpg.json", "a&b.jpg", "a&b.jpg"),
        ("a_b.jpg.supplemental-metadata(1).json", "a&b.jpg", "a&b(1).jpg"),
        ("a_b(1).jpg.json", "a&b.jpg", "a&b(1).jpg"),
        ("a_b(1).jpg.json", "a&b(1).jpg", "a&b(1).jpg"),
        ("IMG_7.HEIC.json", "IMG_7.HEIC", "IMG_7.HEIC.jpg"),
        ("IMG_7.HEIC.supplemental-metadata(1).json", "IMG_7.HEIC", "IMG_7(1).HEIC.jpg"),
        ("a_b.HEIC.json", "a&b.HEIC", "a&b.HEIC.jpg"),
    ],
)
def test_a_photo_that_has_not_the_name_of_its_json_is_found_by_the_title(
    tmp_path: Path, json_name: str, title: str, media: str
) -> None:
    others = ("IMG_7.jpg", "A_B.jpg", "IMG_8.HEIC.jpg", "b.jpg")
    assert partners(tmp_path, {json_name: title}, media, *others) == {json_name: media.encode()}


def test_a_title_takes_no_photo_that_has_its_json_and_none_of_two(tmp_path: Path) -> None:
    titles = {
        "x_y.jpg.json": "a&b.jpg", "a_b.jpg.json": "a&b.jpg", "c_d.jpg.json": "c&d.jpg", "e_f.jpg(1).json": "e&f.jpg",
        "package.json": "a&b.jpg",
    }  # fmt: skip
    found = partners(tmp_path, titles, "a_b.jpg", "c&d.jpg", "c%d.jpg", "e&f.jpg")
    assert found == {"a_b.jpg.json": b"a_b.jpg"}


@pytest.mark.parametrize(
    ("head", "title"),
    [
        (b'{\n  "title": "IMG_1.jpg",', "IMG_1.jpg"),
        (b'{"title":"\\u00e9t\\u00e9 \\"1\\".jpg"}', 'été "1".jpg'),
        ('{"title": "写真.jpg"}'.encode(), "写真.jpg"),
        (b'{"title": "cut off', None),
        (b'{"title": "bad \\x escape"}', None),
        (b'{"title": "\xff.jpg"}', None),
        (b"\0" * 1_000, None),
        (b'{"title": 5}', None),
    ],
)
def test_the_title_is_found_without_parsing_the_file(head: bytes, title: str | None) -> None:
    assert title_of(head) == title


def test_a_folder_of_many_json_files_is_walked_in_little_time(tmp_path: Path) -> None:
    """Each asks for its own names only: what is compared does not grow with the square of the files."""
    names = [f"{LONG}{n:05d}.jpg" for n in range(1_500)]
    tree = {**dict.fromkeys(names, b""), **{f"album-{n}.json": b"{}" for n in range(1_500)}}
    found = walk_over(tmp_path, tree)
    assert {f.kind for name, f in found.items() if name.endswith(".json")} == {"left"}


def test_a_sidecar_waits_for_its_media_and_may_name_a_version_or_a_language(tmp_path: Path) -> None:
    tree = dict.fromkeys(
        ("IMG_1.CR2", "IMG_1_01.CR2.xmp", "IMG_2_01.CR2.xmp", "film.mp4", "film.en.srt", "other.srt", "gone.xmp"), b"x"
    )
    found = walk_over(tmp_path, tree, known=[b"gone.jpg"])
    assert {name: f.kind for name, f in found.items()} == {
        "IMG_1.CR2": "media", "IMG_1_01.CR2.xmp": "sidecar", "IMG_2_01.CR2.xmp": "left", "film.mp4": "media",
        "film.en.srt": "sidecar", "other.srt": "left", "gone.xmp": "sidecar",
    }  # fmt: skip
    assert found["other.srt"].reason == "waits for the photo or video that it belongs to"
    assert group_key(found["IMG_1_01.CR2.xmp"].group_name) == b"IMG_1"
    assert group_key(found["film.en.srt"].group_name) == b"film"


@pytest.mark.parametrize(
    ("name", "content", "waits_in_group"),
    [
        ("IMG_1.jpg.json", b"{}", b"IMG_1"),
        ("IMG_1.jpg.supplemental-metadata.json", b"{}", b"IMG_1"),
        ("IMG_1.jpg.supplemental-metadata(1).json", b"{}", b"IMG_1(1)"),
        ("IMG_1.jpg(2).json", b"{}", b"IMG_1(2)"),
        (f"{LONG[:40]}.jpg.sup.json", b"{}", LONG[:40].encode()),
        (f"{LONG[:46]}.json", b'{"title": "a very long name.HEIC"}', LONG[:46].encode()),
        (f"{LONG[:46]}.json", b'{"title": "an album of that name"}', None),
        ("metadata.json", b'{"title": "Holidays.jpg"}', None),
        ("settings.json", b"{}", None),
        ("._IMG_1.jpg.json", b"{}", None),
    ],
)
def test_a_json_whose_photo_lies_elsewhere_waits_for_it(
    tmp_path: Path, name: str, content: bytes, waits_in_group: bytes | None
) -> None:
    (found,) = walk_over(tmp_path, {name: content}).values()
    assert (found.kind, found.reason == ALONE) == ("left", waits_in_group is not None)
    assert waits_in_group is None or group_key(found.group_name) == waits_in_group


def test_the_small_copy_of_a_gopro_goes_with_the_film_that_is_there(tmp_path: Path) -> None:
    films, small = ("GH010001.MP4", "GX010002.MP4", "GH010002.MP4"), [f"GL01000{n}.LRV" for n in (1, 2, 3, 4)]
    found = walk_over(tmp_path, dict.fromkeys((*films, *small), b"x"), known=[b"GH010003.MP4"])
    keys = {name: group_key(f.group_name) for name, f in found.items() if f.kind == "sidecar"}
    assert keys == {"GL010001.LRV": b"GH010001", "GL010002.LRV": b"GX010002", "GL010003.LRV": b"GH010003"}


def test_the_work_grows_evenly_with_names_that_are_alike() -> None:
    def matching(count: int) -> Callable[[], object]:
        media = [f"{LONG[:46]}_{n:04d}.jpg".encode() for n in range(count)]
        titles = {f"{LONG[:46]}({n}).json".encode(): name.decode() for n, name in enumerate(media)}

        def match() -> None:
            assert sorted(takeout_partners(titles, MediaNames(media), titles.get).values()) == media

        return match

    assert_grows_evenly(matching, 60)


def test_the_work_grows_evenly_with_photos_that_only_their_titles_name() -> None:
    def matching(count: int) -> Callable[[], object]:
        media = {f"a_b_{n:04d}.jpg.json".encode(): f"a&b_{n:04d}.jpg" for n in range(count)}

        def match() -> None:
            found = titled_partners(media, MediaNames(name.encode() for name in media.values()), media.get, set())
            assert {name: photo.decode() for name, photo in found.items()} == media

        return match

    assert_grows_evenly(matching, 60)


def test_the_work_grows_evenly_with_names_that_only_their_numbers_and_endings_tell_apart() -> None:
    def matching(count: int) -> Callable[[], object]:
        stem = LONG[:46]
        media = [f"{stem}({n}){ending}".encode() for n in range(1, count) for ending in (".jpg", ".mp4")]
        titles = {f"{stem}({n}).json".encode(): f"{stem}{ending}" for n, ending in
                  enumerate((".jpg", ".mp4") * (count - 1), start=1)}
        return lambda: takeout_partners(titles, MediaNames(media), titles.get)

    assert_grows_evenly(matching, 60)
