"""Asking before saving, going back, presets, and starting again with a file that has gone bad."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.config.changes import Change, changed_keys
from app.config.history import history, revision_details
from app.config.parse import masked
from app.config.presets import PRESETS, find_preset, preset_json
from app.config.schema_json import json_schema
from app.config.settings import all_settings, get_path
from app.config.store import ConfigStore
from app.errors import ConfigError, Conflict, NotFound, RevisionChanged
from tests.config.stored import stored

FOLDERS = "paths: {source_dir: /data/ingest, batch_dir: /data/batches, sorted_dir: /data/archive}"
TEXT = """\
# by hand
paths: {source_dir: /data/ingest, batch_dir: /data/batches, sorted_dir: /data/archive}
batch: {max_files: 4}
auth:
  api_key: CANARY-MAIN-0123456
  keys: [{name: anna, key: CANARY-ANNA-0123456, scope: admin}]
"""


@pytest.fixture
def store(tmp_path: Path) -> ConfigStore:
    return stored(tmp_path, TEXT)


def tree(store: ConfigStore) -> dict[str, bytes]:
    folder = Path(store.path).parent
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


# --- what validate says is what saving does

LINES = st.sampled_from(
    [
        "batch: {max_files: 5}", "batch: {max_files: x}", "batch:\n  max_size_gb: 3", "sync: {target: none}",
        "sync: {target: folder}", "paths: {source_dir: /data/other}", "sorter: {timezone: Mars}", "nonsense: 1",
        "auth: {api_key: '********'}", "auth: {api_key: short}", "system: {port_api: 8081}", "a: [", "# words", "",
        "paths: {source_dir: /d/in, batch_dir: /d/out, sorted_dir: /d/archive}", "dedup: {move_duplicates: true}",
        "syncthing: {api_url: 'http://nas:1', api_key: '********'}", "auth: {keys: [{name: anna, key: '********'}]}",
        "auth: {keys: [{name: ben, key: '********'}]}", "batch: {transfer_mode: copy}", TEXT.strip(),
    ]
)  # fmt: skip


def with_folders(lines: list[str]) -> str:
    return "\n".join([FOLDERS, *lines])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(LINES, max_size=4).map(with_folders) | st.lists(LINES, max_size=5).map("\n".join) | st.text(max_size=60)
)
def test_what_is_said_about_a_text_is_what_saving_it_does(store: ConfigStore, text: str) -> None:
    Path(store.path).write_text(TEXT)
    before, config = tree(store), store.current().config
    verdict = store.check_raw(text)
    assert tree(store) == before
    try:
        snapshot = store.save_raw(text, "api")
    except ConfigError as error:
        assert (verdict.is_valid, list(verdict.problems)) == (False, error.problems)
        assert store.current().config == config
    else:
        assert (verdict.is_valid, tuple(verdict.warnings)) == (True, snapshot.warnings)
        assert [change.path for change in verdict.changes] == changed_keys(config, snapshot.config)


VALUES = st.none() | st.booleans() | st.integers(-1, 9) | st.sampled_from(["", "none", "copy", "********", "/data/x"])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*all_settings(), "batch.nothing"]), VALUES, max_size=3))
def test_what_is_said_about_some_settings_is_what_saving_them_does(store: ConfigStore, chosen: dict[str, Any]) -> None:
    Path(store.path).write_text(TEXT)
    before, changes = tree(store), nested(chosen)
    verdict = store.check_partial(changes)
    assert tree(store) == before
    try:
        snapshot = store.save_partial(changes, "api")
    except ConfigError as error:
        assert list(verdict.problems) == error.problems
    else:
        assert (verdict.is_valid, tuple(verdict.warnings)) == (True, snapshot.warnings)
        shown = masked(snapshot.config)
        assert all(get_path(shown, change.path) == change.after for change in verdict.changes)


def nested(chosen: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for path, value in chosen.items():
        section, *rest = path.split(".")
        inner = values.setdefault(section, {})
        for name in rest[:-1]:
            inner = inner.setdefault(name, {})
        inner[rest[-1]] = value
    return values


def test_a_refusal_of_the_moment_is_told_beside_a_verdict_without_faults(store: ConfigStore) -> None:
    def refuse(_old: object, _new: object) -> None:
        raise Conflict("Files are on their way.")

    store.guard = refuse
    verdict = store.check_partial({"batch": {"max_files": 9}})
    assert (verdict.is_valid, verdict.refusal) == (True, "Files are on their way.")
    assert list(verdict.changes) == [Change("batch.max_files", 4, 9)]


# --- history


def test_the_history_says_who_changed_what_and_which_one_is_in_force(store: ConfigStore) -> None:
    store.save_partial({"batch": {"max_files": 5}}, "home-assistant (phone)")
    first = store.save_partial({"batch": {"max_files": 6}, "dedup": {"threads": 3}}, "anna").revision
    store.roll_back(store.history()[1].revision, "main")
    found = history(store)
    assert [entry["actor"] for entry in found] == ["main", "anna", "home-assistant (phone)", "file"]
    assert [entry["in_force"] for entry in found] == [True, False, False, False]
    assert found[1]["revision"] == first
    assert found[1]["changes"] == [
        {"path": "dedup.threads", "before": 2, "after": 3},
        {"path": "batch.max_files", "before": 5, "after": 6},
    ]
    assert found[-1]["changes"] is None


def test_a_kept_revision_says_what_going_back_would_change(store: ConfigStore) -> None:
    store.save_partial({"batch": {"max_files": 5}}, "anna")
    oldest = store.history()[-1].revision
    details = revision_details(store, oldest)
    assert details["changes"] == [{"path": "batch.max_files", "before": 5, "after": 4}]
    assert (details["in_force"], details["errors"], "# by hand" in details["text"]) == (False, [], True)
    store.roll_back(oldest, "anna")
    assert Path(store.path).read_text() == TEXT
    with pytest.raises(NotFound):
        revision_details(store, "0" * 64)


def test_a_revision_that_has_faults_by_now_is_shown_with_them_and_not_gone_back_to(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    ConfigStore(str(path), {}).save_raw(TEXT.replace("max_files: 4", "max_files: 5"), "api")
    store = ConfigStore(str(path), {"MEDIA_PIPELINE_PATHS__BATCH_DIR": "/data/ingest/x"})
    revision = store.history()[1].revision
    with pytest.raises(ConfigError):
        store.roll_back(revision, "api")
    assert "max_files: 5" in path.read_text()


def test_going_back_honours_the_expected_revision(store: ConfigStore) -> None:
    store.save_partial({"batch": {"max_files": 5}}, "anna")
    with pytest.raises(RevisionChanged):
        store.roll_back(store.history()[1].revision, "main", expected_revision="0" * 64)


def test_a_save_that_cannot_replace_the_file_leaves_no_revision_of_it(
    store: ConfigStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_partial({"batch": {"max_files": 5}}, "anna")
    kept = store.history()

    def refuse(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(ConfigError, match="mount its folder"):
        store.save_partial({"batch": {"max_files": 6}}, "anna")
    assert store.history() == kept


# --- a file gone bad


def test_a_start_with_a_file_gone_bad_takes_the_newest_good_revision_and_leaves_the_file(store: ConfigStore) -> None:
    store.save_partial({"batch": {"max_files": 5}}, "anna")
    good = store.save_partial({"batch": {"max_files": 6}}, "ben")
    Path(store.path).write_text("batch: {max_files: banana}\n")
    Path(store.path + ".kept").write_text("x")
    again = ConfigStore(store.path, {})
    assert again.load().config.batch.max_files == 6
    assert again.fallback is not None
    assert (again.fallback.revision, again.fallback.actor) == (good.revision, "ben")
    assert again.fault is not None
    assert "max_files" in again.fault.placed("config.yaml")
    assert Path(store.path).read_text() == "batch: {max_files: banana}\n"
    Path(store.path).write_text(TEXT)
    assert (again.current().config.batch.max_files, again.fault, again.fallback) == (4, None, None)


def test_a_bad_revision_is_passed_over_at_such_a_start(store: ConfigStore) -> None:
    store.save_partial({"batch": {"max_files": 5}}, "anna")
    newest = Path(store.history()[0].path)
    newest.write_text("batch: [\n")
    Path(store.path).write_bytes(b"\xff\xfe")
    assert ConfigStore(store.path, {}).load().config.batch.max_files == 4


def test_without_a_good_revision_or_without_a_file_a_start_is_refused_in_words(store: ConfigStore) -> None:
    Path(store.path).write_text("nonsense: 1\n")
    with pytest.raises(ConfigError, match="nonsense"):
        ConfigStore(store.path, {}).load()
    store.save_raw(TEXT, "api")
    Path(store.path).unlink()
    with pytest.raises(ConfigError, match=r"default\.yaml"):
        ConfigStore(store.path, {}).load()


def test_what_is_in_force_is_kept_once_and_only_when_it_is_on_disk(store: ConfigStore) -> None:
    store.keep_in_force()
    store.keep_in_force()
    assert [kept.actor for kept in store.history()] == ["file"]
    Path(store.path).write_text("nonsense: 1\n")
    store.keep_in_force()
    assert len(store.history()) == 1


def test_a_file_that_is_no_text_can_be_replaced_and_is_kept_to_the_byte(store: ConfigStore) -> None:
    Path(store.path).write_bytes(b"batch: \xff\n")
    store.save_raw(TEXT, "api")
    assert [Path(kept.path).read_bytes() for kept in store.history()] == [TEXT.encode(), b"batch: \xff\n"]


# --- presets


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_an_applied_preset_is_in_force_and_touches_no_folder_and_no_key(store: ConfigStore, preset: Any) -> None:
    before = store.current().config
    announced = preset_json(preset, store)["changes"]
    after = store.save_partial(preset.changes(before), "api").config
    assert (after.paths, after.auth, after.syncthing.api_key) == (before.paths, before.auth, before.syncthing.api_key)
    changed = {p for p in all_settings() if get_path(masked(before), p) != get_path(masked(after), p)}
    assert {change["path"] for change in announced} == changed
    described = preset_json(preset, store)
    assert (described["in_force"], described["changes"], described["errors"]) == (True, [], [])


def test_each_preset_can_follow_each_other(store: ConfigStore) -> None:
    for first in PRESETS:
        for second in PRESETS:
            store.save_partial(first.changes(store.current().config), "api")
            config = store.save_partial(second.changes(store.current().config), "api").config
            assert (config.sync.target == "none") == (second.name == "archive-only")
            assert (config.batch.transfer_mode == "copy") == (second.name == "copy-only")


def test_a_preset_that_a_variable_stands_against_says_so(store: ConfigStore) -> None:
    bound = ConfigStore(store.path, {"MEDIA_PIPELINE_BATCH__TRANSFER_MODE": "move"})
    described = preset_json(find_preset("copy-only"), bound)
    assert described["in_force"] is False
    assert [error["path"] for error in described["errors"]] == ["batch.transfer_mode"]
    assert preset_json(find_preset("full-move"), bound)["errors"] == []


# --- the schema as JSON


def test_the_schema_tells_of_each_key_what_a_form_needs() -> None:
    schema = json_schema({"batch.max_files": "MEDIA_PIPELINE_BATCH__MAX_FILES"})
    assert json.loads(json.dumps(schema)) == schema
    assert "$ref" not in json.dumps(schema)
    for path, setting in all_settings().items():
        found = schema
        for name in path.split("."):
            found = found["properties"][name]
        assert found["description"] == setting.description
        assert (found.get("default") is None) == (setting.default is None), path
        assert found["secret"] == (path in ("auth.api_key", "syncthing.api_key", "mqtt.password"))
    batch, system = schema["properties"]["batch"]["properties"], schema["properties"]["system"]["properties"]
    assert (batch["max_size_gb"]["unit"], batch["max_files"]["set_by"]) == ("GiB", "MEDIA_PIPELINE_BATCH__MAX_FILES")
    assert (system["port_api"]["needs_restart"], system["log_level"]["needs_restart"]) == (True, False)
    entry = schema["properties"]["auth"]["properties"]["keys"]["items"]["properties"]
    assert (entry["key"]["writeOnly"], entry["scope"]["enum"]) == (True, ["read", "run", "admin"])


def test_every_key_with_a_unit_in_its_name_has_that_unit() -> None:
    units = {path: setting.unit for path, setting in all_settings().items() if setting.unit}
    assert units["syncthing.poll_interval_sec"] == units["scan.settle_seconds"] == "seconds"
    assert (units["cleanup.trash_days"], units["system.log_max_mb"]) == ("days", "MB")
