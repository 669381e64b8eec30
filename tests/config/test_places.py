"""Every kind of fault in a settings file is told with the line and the column of the key that is at fault."""

from __future__ import annotations

import pytest

from app.config.parse import parse
from app.errors import ConfigError, Problem

FOLDERS = "paths: {source_dir: /data/ingest, batch_dir: /data/batches, sorted_dir: /data/archive}\n"


def faults(text: str, environment: dict[str, str] | None = None) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        parse(text, environment or {})
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "path", "line", "column"),
    [
        ("batch: [1\nsync: {}\n", "", 3, 5),
        ("batch:\n\tmax_files: 1\n", "", 3, 1),
        ("a: b: c\n", "", 2, 5),
        ("# é\nauth: {api_key: 'x\x07'}\n", "", 3, 19),
        ("auth: {api_key: 'x\ud800'}\n", "", 2, 19),
        ("---\nbatch: {}\n", "", 3, 1),
        ("nonsense: 1\n", "nonsense", 2, 1),
        ("batch:\n    max_sise: 3\n", "batch.max_sise", 3, 5),
        ("batch: {max_files: 1, max_sise: 3}\n", "batch.max_sise", 2, 23),
        ("batch:\n  max_files: 1\n  max_files: 2\n", "batch.max_files", 4, 3),
        ("batch: {}\nbatch: {max_files: 1}\n", "batch", 3, 1),
        ("batch:\n  max_size_gb:\n    - 1\n", "batch.max_size_gb", 3, 3),
        ("batch:\n  max_size_gb: 'x'\n", "batch.max_size_gb", 3, 3),
        ("batch:\n  max_files: -1\n", "batch.max_files", 3, 3),
        ("batch:\n  selection_mode: mood\n", "batch.selection_mode", 3, 3),
        ("batch: 5\n", "batch", 2, 1),
        ("workflow:\n  debug: 5\n", "workflow.debug", 3, 3),
        ("scan:\n  ignore_patterns:\n    - a\n    - 5\n", "scan.ignore_patterns", 5, 7),
        ("batch:\n  max_files: &x 1\n", "batch.max_files", 3, 14),
        ("batch:\n  max_files: !x 1\n", "batch.max_files", 3, 14),
        ("batch:\n  naming_pattern: '{day}'\n", "batch.naming_pattern", 3, 3),
        ("sorter:\n  timezone: Mars\n", "sorter.timezone", 3, 3),
        ("system:\n  port_api: 80\n  port_dbui: 80\n", "system.port_dbui", 4, 3),
        ("system:\n  port_api: 8081\n", "system.port_dbui", 3, 3),
        ("sync:\n  target: folder\n", "sync.folder_dir", 3, 3),
        ("syncthing:\n  api_url: ftp://nas\n", "syncthing.api_url", 3, 3),
        ("system:\n  db_path: /data/archive/db.sqlite\n", "system.db_path", 3, 3),
        ("auth:\n  keys:\n    - {name: a, key: k1, scope: read}\n    - {name: a, key: k2}\n", "auth.keys.1.name", 5, 8),
        ("auth:\n  keys:\n    - name: a\n      scope: all\n      key: k\n", "auth.keys.0.scope", 5, 7),
        ("auth:\n  keys:\n    - name: a\n", "auth.keys.0.key", 4, 7),
        ("auth:\n  keys:\n    - name: a\n      key: k\n      kye: x\n", "auth.keys.0.kye", 6, 7),
        ("auth:\n  keys:\n    - just words\n", "auth.keys", 4, 7),
        ("auth:\n  api_key: same\n  keys: [{name: a, key: same}]\n", "auth.keys.0.key", 4, 20),
    ],
)
def test_a_fault_has_the_place_of_its_key(text: str, path: str, line: int, column: int) -> None:
    found = [(p.path, p.line, p.column) for p in faults(FOLDERS + text)]
    assert (path, line, column) in found


@pytest.mark.parametrize(
    ("text", "path", "line", "column"),
    [
        ("paths:\n  source_dir: /d/in\n  batch_dir: /d/in/b\n  sorted_dir: /d/s\n", "paths.batch_dir", 3, 3),
        ("paths:\n  source_dir: /d/duplicates\n  batch_dir: /d/b\n  sorted_dir: /d/s\n", "paths.duplicates_dir", 2, 3),
        ("paths:\n  source_dir: /d/in\n  batch_dir: /d/b\n", "paths.sorted_dir", 1, 1),
        ("", "paths.sorted_dir", 1, 1),
    ],
    ids=["nested", "nested with a default", "missing", "an empty file"],
)
def test_a_fault_between_folders_has_the_place_of_the_one_that_was_written(
    text: str, path: str, line: int, column: int
) -> None:
    assert (path, line, column) in [(p.path, p.line, p.column) for p in faults(text)]


def test_every_fault_of_a_file_has_a_place() -> None:
    text = FOLDERS.replace("/data/batches", "/data/ingest/x") + "batch: {max_files: x, max_files: y}\nfoo: 1\nauth: 3\n"
    assert all(problem.line and problem.column for problem in faults(text))


def test_a_warning_has_its_place_too() -> None:
    snapshot = parse(FOLDERS + "dedup:\n  move_duplicates: true\nauth:\n  keys: [{name: a, key: short}]\n", {})
    places = {(w.path, w.line, w.column) for w in snapshot.warnings}
    assert places == {("dedup.move_duplicates", 3, 3), ("auth.keys.0.key", 5, 20), ("auth.keys", 5, 3)}


@pytest.mark.parametrize(
    ("variables", "text", "expected"),
    [
        (
            {"MEDIA_PIPELINE_BATCH__MAX_FILES": "many"},
            "batch: {max_files: 0777}\n",
            "must be a whole number, not many (set by MEDIA_PIPELINE_BATCH__MAX_FILES)",
        ),
        (
            {"MEDIA_PIPELINE_BATCH__MAX_FILES": "yes"},
            'batch: {max_files: "5"}\n',
            "must be a whole number, not yes (set by MEDIA_PIPELINE_BATCH__MAX_FILES)",
        ),
        (
            {"MEDIA_PIPELINE_PATHS__BATCH_DIR": "/data/ingest/b"},
            "",
            "lies inside paths.source_dir (/data/ingest); choose a folder outside it (set by "
            "MEDIA_PIPELINE_PATHS__BATCH_DIR)",
        ),
    ],
)
def test_a_wrong_value_from_a_variable_names_the_variable_and_no_line_of_the_file(
    variables: dict[str, str], text: str, expected: str
) -> None:
    (problem,) = faults(FOLDERS + text, variables)
    assert (problem.message, problem.line, problem.column) == (expected, None, None)


def test_a_fault_that_comes_from_another_key_of_the_environment_names_that_variable() -> None:
    (problem,) = faults(FOLDERS, {"MEDIA_PIPELINE_SYNC__TARGET": "folder"})
    assert (problem.path, problem.line) == ("sync.folder_dir", 1)
    assert "(sync.target is set by MEDIA_PIPELINE_SYNC__TARGET)" in problem.message


def test_keys_cannot_come_from_a_variable() -> None:
    (problem,) = faults(FOLDERS, {"MEDIA_PIPELINE_AUTH__KEYS": '[{"name": "a", "key": "CANARY"}]'})
    assert "auth.keys cannot be set by an environment variable" in problem.message
    assert "CANARY" not in problem.message


def test_a_problem_is_printed_as_editors_know_it() -> None:
    (problem,) = faults(FOLDERS + "batch:\n    max_size_gb: x\n")
    assert problem.placed("config.yaml") == "config.yaml:3:5 batch.max_size_gb: must be a number, not x"
    (problem,) = faults(FOLDERS, {"MEDIA_PIPELINE_BATCH__MAX_FILES": "x"})
    assert problem.placed("config.yaml").startswith("batch.max_files: must be")
