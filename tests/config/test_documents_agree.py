"""The schema, config/default.yaml and docs/CONFIG.md say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.config.legacy import RETIRED
from app.config.parse import masked, parse
from app.config.presets import PRESETS
from app.config.render import render, scalar
from app.config.schema import Config
from app.config.settings import Setting, all_sections, all_settings, get_path

ROOT = Path(__file__).parents[2]
DEFAULT = (ROOT / "config" / "default.yaml").read_text()
DOCS = (ROOT / "docs" / "CONFIG.md").read_text()

EXAMPLE_PATHS = {
    "source_dir": "/data/ingest",
    "duplicates_dir": "/data/duplicates",
    "batch_dir": "/data/batches",
    "sorted_dir": "/data/archive",
}


def test_default_yaml_is_what_the_schema_writes() -> None:
    assert render({"paths": EXAMPLE_PATHS}) == DEFAULT


def test_default_yaml_is_a_configuration_without_faults_and_with_every_default() -> None:
    snapshot = parse(DEFAULT, {})
    assert snapshot.warnings == ()
    assert snapshot.config == Config.model_validate({"paths": EXAMPLE_PATHS})


def documented() -> dict[str, tuple[str, str]]:
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+?) \| (.+) \|$", DOCS, re.MULTILINE)
    return {path: (default, text) for path, default, text in rows if path in all_settings()}


def test_every_key_is_documented_in_order_and_no_other() -> None:
    assert list(documented()) == list(all_settings())
    assert re.findall(r"^### (.+)$", DOCS, re.MULTILINE) == list(all_sections())


@pytest.mark.parametrize("setting", all_settings().values(), ids=lambda s: s.path)
def test_a_documented_key_has_the_schemas_default_meaning_and_choices(setting: Setting) -> None:
    default, text = documented()[setting.path]
    assert default == ("(required)" if setting.required else f"`{scalar(setting.default)}`")
    assert text.startswith(setting.description)
    assert all(f"`{choice}`" in text for choice in setting.choices)


def test_retired_keys_are_in_the_table_of_old_words() -> None:
    table = DOCS[DOCS.index("## Words of earlier versions") :]
    assert all(path in table for path in RETIRED)


def test_variables_in_the_docs_exist() -> None:
    named = set(re.findall(r"MEDIA_PIPELINE_[A-Z_]+__[A-Z_]+", DOCS))
    variables = {setting.variable for setting in all_settings().values()}
    assert {name.removesuffix("_FILE") for name in named} <= variables


def test_what_is_rendered_reads_back_as_the_same_values() -> None:
    hostile = 'a "b": {c} #d\\ é 漢'
    sections = {
        "paths": EXAMPLE_PATHS,
        "batch": {"max_size_gb": 2.5, "allow_parallel": True},
        "scan": {"ignore_patterns": [hostile, "no", "123", "*.tmp"]},
        "syncthing": {"folder_id": hostile, "api_key": "no", "device_id": "0123"},
        "auth": {"api_key": "1e5"},
    }
    config = parse(render(sections), {}).config
    shown = masked(config)
    assert shown["scan"]["ignore_patterns"] == [hostile, "no", "123", "*.tmp"]
    assert config.syncthing.folder_id == hostile
    assert (config.syncthing.api_key, config.syncthing.device_id, config.auth.api_key) == ("no", "0123", "1e5")
    assert parse(render(config.model_dump()), {}).config == config
    assert get_path(shown, "batch.max_size_gb") == 2.5


def test_the_docs_say_of_each_key_whether_it_needs_a_restart() -> None:
    said = {path for path, (_, text) in documented().items() if "effect at the next start" in text}
    assert said == {path for path, setting in all_settings().items() if setting.needs_restart}


def test_the_docs_say_of_each_preset_what_it_says_itself() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", DOCS, re.MULTILINE))
    assert {preset.name: rows[preset.name] for preset in PRESETS} == {p.name: p.sentence for p in PRESETS}


def test_keys_are_rendered_so_that_they_read_back() -> None:
    keys = [{"name": "anna", "key": 'a "b", {c}: #d', "scope": "admin"}, {"name": "wall", "key": "0123"}]
    config = parse(render({"paths": EXAMPLE_PATHS, "auth": {"keys": keys}}), {}).config
    assert [(key.name, key.key, key.scope) for key in config.auth.keys] == [
        ("anna", 'a "b", {c}: #d', "admin"),
        ("wall", "0123", "read"),
    ]
