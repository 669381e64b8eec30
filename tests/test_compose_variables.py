"""What can be set beside compose.yaml is what .env.example tells of, with the same defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
DOCUMENTED = re.compile(r"^#(\w+)=(.*)$", re.MULTILINE)
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def test_every_variable_of_the_compose_file_is_in_the_example_with_its_default() -> None:
    assert dict(DOCUMENTED.findall(EXAMPLE)) == dict(VARIABLE.findall(COMPOSE))


def test_a_variable_has_one_default_wherever_it_stands() -> None:
    assert len(set(VARIABLE.findall(COMPOSE))) == len(dict(VARIABLE.findall(COMPOSE)))


@pytest.mark.parametrize("name", [name for name, _ in DOCUMENTED.findall(EXAMPLE)])
def test_every_variable_of_the_example_is_explained_above_it(name: str) -> None:
    block = next(part for part in EXAMPLE.split("\n\n") if f"#{name}=" in part)
    assert re.match(r"# \w", block), block


def test_a_key_of_syncthing_is_nowhere_a_constant() -> None:
    assert "STGUIAPIKEY" not in COMPOSE and "API_KEY: ${" in COMPOSE
    assert re.findall(r"(?i)api_?key: (?!\$\{)", COMPOSE) == []


def test_the_public_name_of_the_image_stands_once_and_can_be_replaced() -> None:
    assert VARIABLE.findall(COMPOSE).count(("MEDIA_PIPELINE_IMAGE", "mediapipeline/media-pipeline:latest")) == 1
    assert COMPOSE.count("mediapipeline/") == 1
    assert "mediapipeline/" not in (ROOT / "Dockerfile").read_text(encoding="utf-8")
