"""Which paths may stand in system.url_prefix."""

from __future__ import annotations

import pytest

from tests.config.test_checks import problems_of


@pytest.mark.parametrize("prefix", ["", "/photos", "/apps/media-pipeline", "/a.b/c_d"])
def test_a_path_of_its_own_is_taken(prefix: str) -> None:
    assert problems_of(system={"url_prefix": prefix}) == {}


@pytest.mark.parametrize(
    "prefix", ["photos", "/", "/photos/", "//photos", "/api", "/static/x", "/a b", "/..", '/"x', "/a//b", "http://nas/photos"]
)
def test_anything_else_is_refused_with_an_example(prefix: str) -> None:
    assert "/photos" in problems_of(system={"url_prefix": prefix})["system.url_prefix"]
