"""From a text and an environment to a configuration: defaults, faults, old words, the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config.parse import Snapshot, masked, parse
from app.config.settings import all_settings
from app.errors import ConfigError, Problem

FOLDERS = "paths: {source_dir: /data/ingest, batch_dir: /data/batches, sorted_dir: /data/archive}\n"


def faults(text: str, environment: dict[str, str] | None = None) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        parse(text, environment or {})
    return caught.value.problems


def read(text: str, environment: dict[str, str] | None = None) -> Snapshot:
    return parse(FOLDERS + text, environment or {})


def test_three_folders_are_enough_and_the_rest_has_defaults() -> None:
    config = read("").config
    assert config.batch.max_size_gb == 15
    assert config.dedup.hash_algorithm == "blake3"
    assert config.paths.duplicates_dir == "/data/duplicates"
    assert config.system.log_dir == "/var/lib/media-pipeline/logs"
    assert config.sync_target == "none"


def test_auto_delivers_by_syncthing_once_a_folder_id_is_set() -> None:
    assert read("syncthing: {folder_id: photos}").config.sync_target == "syncthing"
    assert read("sync: {target: none}\nsyncthing: {folder_id: photos}").config.sync_target == "none"


@pytest.mark.parametrize("device", ["device_id: phone", "device_ids: [phone]"])
def test_auto_delivers_by_syncthing_once_a_device_is_named_even_without_a_folder_id(device: str) -> None:
    assert read(f"syncthing: {{{device}}}").config.sync_target == "syncthing"
    assert read(f"sync: {{target: none}}\nsyncthing: {{{device}}}").config.sync_target == "none"
    assert read("syncthing: {device_id: '', device_ids: ['']}").config.sync_target == "none"


def test_a_key_of_syncthing_that_leads_to_no_delivery_is_doubted_with_what_to_set() -> None:
    told = read("syncthing: {api_key: abc}").warnings
    assert [warning.path for warning in told] == ["syncthing.folder_id"]
    assert "delivered to nobody" in told[0].message and "syncthing.device_id" in told[0].message
    assert read("syncthing: {api_key: abc, folder_id: photos}").warnings == ()
    assert read("sync: {target: none}\nsyncthing: {api_key: abc}").warnings == ()


@pytest.mark.parametrize("variable", ["STGUIAPIKEY", "STGUIAPIKEY_FILE", "SYNCTHING_CONFIG"])
def test_a_key_from_the_environment_alone_that_leads_to_no_delivery_is_doubted_too(variable: str) -> None:
    def told(text: str) -> list[str]:
        found = read(text, {variable: "CANARY"}).warnings
        return [warning.message for warning in found if warning.path == "syncthing.folder_id"]

    (message,) = told("sync: {target: auto}")
    assert "delivered to nobody" in message and "CANARY" not in message
    assert f"although {variable} is set" in message
    assert told("syncthing: {device_id: phone}") == [] and told("sync: {target: none}") == []


def test_ten_faults_are_listed_in_one_answer_with_their_places() -> None:
    text = """\
paths:
  source_dir: /data/in
  batch_dir: /data/in/batches
  sorted_dir: no
batch:
  max_size_gb: "15"
  max_files: 0777
  selection_mode: biggest
  max_sise_gb: 3
syncthing:
  poll_interval_sec: 60:30
system:
  port_api: 70000
  allowed_hosts: one
sync:
  target: folder
foo: 1
"""
    found = {(p.path, p.line): p.message for p in faults(text)}
    assert set(found) == {
        ("paths.batch_dir", 3),
        ("paths.sorted_dir", 4),
        ("batch.max_size_gb", 6),
        ("batch.max_files", 7),
        ("batch.selection_mode", 8),
        ("batch.max_sise_gb", 9),
        ("syncthing.poll_interval_sec", 11),
        ("system.port_api", 13),
        ("system.allowed_hosts", 14),
        ("sync.folder_dir", 16),
        ("foo", 17),
    }
    assert found["paths.sorted_dir", 4] == "must be text; put no in quotes"
    assert found["batch.max_files", 7] == "must be a whole number, not 0777"
    assert found["batch.max_size_gb", 6] == "must be a number, without quotes"
    assert found["syncthing.poll_interval_sec", 11] == "must be a whole number, not 60:30"
    assert found["batch.max_sise_gb", 9] == "is not a setting; did you mean max_size_gb"
    assert found["batch.selection_mode", 8] == "must be one of size, files"


@pytest.mark.parametrize("text", ["", "\ufeff", "# only a comment\n", "paths:\n"])
def test_an_empty_file_says_which_folders_are_missing(text: str) -> None:
    assert [p.path for p in faults(text)] == ["paths.source_dir", "paths.batch_dir", "paths.sorted_dir"]


@pytest.mark.parametrize("text", ["paths: banana", "batch: 5", "batch: [1]", "workflow: {debug: x}", "system: x"])
def test_a_section_that_is_no_section_is_a_fault_of_its_own(text: str) -> None:
    joined = text if text.startswith("paths") else FOLDERS + text
    assert "must be a section: keys and values, indented below its name" in [p.message for p in faults(joined)]


def test_a_section_without_keys_means_its_defaults() -> None:
    assert read("batch:\nworkflow:\n  debug:\n").config == read("").config


@pytest.mark.parametrize("word", ["nan", ".nan", ".inf", "-1", "1e400"])
def test_a_size_that_is_no_size_is_refused(word: str) -> None:
    assert [p.path for p in faults(FOLDERS + f"batch: {{max_size_gb: {word}}}")] == ["batch.max_size_gb"]


def test_a_fault_in_a_secret_never_shows_it() -> None:
    problems = faults(FOLDERS + "syncthing: {api_key: 31415926535}\nauth: {api_key: [CANARY, 1]}\n")
    assert {p.path for p in problems} == {"syncthing.api_key", "auth.api_key"}
    assert "31415926535" not in str(problems)
    assert "CANARY" not in str(problems)


def test_secrets_are_masked_and_left_out_of_every_representation() -> None:
    snapshot = read("syncthing: {api_key: CANARY-1}\nauth: {api_key: CANARY-2}\n")
    shown = masked(snapshot.config)
    assert shown["syncthing"]["api_key"] == shown["auth"]["api_key"] == "********"
    assert "CANARY" not in str(shown) + repr(snapshot) + str(snapshot.config)
    assert masked(read("").config)["auth"]["api_key"] == ""


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("dedup: {move_duplicates: true}", "dedup.duplicate_policy", "quarantine"),
        ("dedup: {move_duplicates: false}", "dedup.duplicate_policy", "label"),
        ("dedup: {hash_algorithm: md5}", "dedup.hash_algorithm", "sha256"),
        ("dedup: {hash_algorithm: sha1}", "dedup.hash_algorithm", "sha256"),
        ("batch: {selection_mode: count, max_files: 5}", "batch.selection_mode", "files"),
        ("syncthing: {api_url: 'http://nas:8384/rest'}", "syncthing.api_url", "http://nas:8384"),
        ("syncthing: {api_url: 'http://nas:8384/rest/'}", "syncthing.api_url", "http://nas:8384"),
    ],
)
def test_an_old_word_is_understood_with_a_warning(text: str, path: str, value: str) -> None:
    snapshot = read(text)
    section, key = path.split(".")
    assert getattr(getattr(snapshot.config, section), key) == value
    assert len(snapshot.warnings) == 1
    assert snapshot.warnings[0].line == 2


def test_an_address_without_rest_gives_no_warning() -> None:
    assert read("syncthing: {api_url: 'http://nas:8384/'}").warnings == ()


def test_a_retired_key_with_a_wrong_value_says_what_to_write() -> None:
    (problem,) = faults(FOLDERS + "dedup: {move_duplicates: maybe}")
    assert "dedup.duplicate_policy" in problem.message


def test_the_predecessors_whole_file_still_works(tmp_path: Path) -> None:
    text = f"""\
auth: {{api_key: '', header_name: x-api-key}}
batch: {{allow_parallel: false, max_files: 0, max_size_gb: 15, naming_pattern: 'batch_{{index:03d}}',
  selection_mode: size, transfer_mode: move}}
dedup: {{hash_algorithm: sha256, move_duplicates: true, threads: 4}}
paths: {{batch_dir: {tmp_path}/upload, duplicates_dir: {tmp_path}/duplicates, sorted_dir: {tmp_path}/sorted,
  source_dir: {tmp_path}/raw, temp_dir: {tmp_path}/temp}}
sorter: {{exif_fallback: true, folder_pattern: '{{year}}/{{month:02d}}/{{day:02d}}', transfer_mode: move}}
syncthing: {{api_key: '', api_url: 'http://127.0.0.1:8384/rest', auto_sort_after_sync: true, device_id: '',
  folder_id: '', poll_interval_sec: 60, rescan_delay_sec: 3}}
system: {{cleanup_empty_batches: true, db_path: /var/lib/media-pipeline/db.sqlite,
  log_dir: /var/log/media-pipeline, max_parallel_fs_ops: 4, port_api: 8080, port_dbui: 8081}}
workflow:
  debug: {{auto_advance: false, enabled: false, step_timeout_sec: 0}}
  delays: {{post_sync_sec: 10, syncthing_settle_sec: 5}}
  trace: {{syncthing_samples: 25}}
"""
    snapshot = parse(text, {})
    assert snapshot.config.dedup.threads == 4
    retired = {"dedup.move_duplicates", "syncthing.api_url", "system.max_parallel_fs_ops", "paths.temp_dir"}
    assert {w.path for w in snapshot.warnings} == retired


def test_doubtful_settings_are_warned_of_but_used() -> None:
    snapshot = read("batch: {selection_mode: files}\nsyncthing: {device_id: phone}", {"TZ": "Mars/Olympus"})
    assert {w.path for w in snapshot.warnings} == {"batch.max_files", "syncthing.device_id", "sorter.timezone"}


def test_the_required_devices_are_those_of_both_settings_each_once() -> None:
    ids = "syncthing: {device_id: A, device_ids: [B, A, '']}"
    assert read(ids).config.syncthing.required_ids == ("A", "B")
    assert read("syncthing: {device_ids: [B]}").config.syncthing.required_ids == ("B",)
    assert read("").config.syncthing.required_ids == ()
    more = ("MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD",
            "AIR6LPZ-7K4PTTV-UXQSMUU-CPQ5YWH-OEDFIIQ-JUG777G-2YQXXR5-YD6AWQR")  # fmt: skip
    from_environment = {"MEDIA_PIPELINE_SYNCTHING__DEVICE_IDS": ", ".join(more)}
    assert read(ids, from_environment).config.syncthing.required_ids == ("A", *more)
    assert "syncthing.device_ids" in {warning.path for warning in read(ids).warnings}


DEVICE = "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD"


def test_every_key_can_come_from_the_environment() -> None:
    values = {"yes_no": "true", "whole_number": "3", "number": "2.5", "list": "one, two"}
    words = {
        "sorter.timezone": "Europe/Berlin",
        "sorter.name_pattern": "{counter}",
        "sorter.filename_dates": "{day}.{month}.{year}",
        "verify.schedule": "0 3 * * 0",
        "workflow.schedule": "0 3 * * *, 30 13 * * 6",
        "workflow.hours": "22:00-06:00, 12:00-13:00",
        "notify.quiet_hours": "22:00-06:00",
        "backup.schedule": "0 3 * * 0",
        "backup.dir": "/data/safe",
        "system.log_dir": "/data/logs",
        "system.url_prefix": "/photos",
        "syncthing.gui_url": "http://nas:8384",
        "syncthing.api_url": "http://nas:8384",
        "dedup.reference_dirs": "/data/before, /data/long-before",
        "dedup.original_order": "reference, archived",
        "syncthing.device_id": DEVICE,
        "syncthing.device_ids": DEVICE,
    }
    for setting in all_settings().values():
        if (
            setting.variable is None
            or setting.path.startswith("paths.")
            or setting.path in ("sync.folder_dir", "system.db_path")
        ):
            continue
        word = words.get(setting.path) or values.get(setting.kind)
        word = word or (setting.choices[-1] if setting.choices else str(setting.default or "x"))
        environment = {setting.variable: word, "MEDIA_PIPELINE_SYNC__FOLDER_DIR": "/data/delivery"}
        environment.setdefault("MEDIA_PIPELINE_SYNCTHING__FOLDER_ID", "photos")
        environment.setdefault("MEDIA_PIPELINE_MQTT__USERNAME", "us")
        environment.setdefault("MEDIA_PIPELINE_MQTT__TLS", "true")
        snapshot = read("", environment)
        assert snapshot.environment_keys[setting.path] == setting.variable


def test_the_environment_wins_over_the_file_and_is_listed() -> None:
    environment = {
        "MEDIA_PIPELINE_BATCH__MAX_SIZE_GB": "2.5",
        "MEDIA_PIPELINE_API_KEY": "0123",
        "MEDIA_PIPELINE_WORKFLOW__DEBUG__ENABLED": "1",
        "MEDIA_PIPELINE_SYSTEM__ALLOWED_HOSTS": '["nas.example.org"]',
        "MEDIA_PIPELINE_BATCH__MAX_FILES": "",
    }
    snapshot = read("batch: {max_size_gb: 9, max_files: 7}\nauth: {api_key: other}", environment)
    assert snapshot.config.batch.max_size_gb == 2.5
    assert snapshot.config.batch.max_files == 7
    assert snapshot.config.auth.api_key == "0123"
    assert snapshot.config.workflow.debug.enabled
    assert snapshot.config.system.allowed_hosts == ("nas.example.org",)
    assert snapshot.environment_keys == {
        "batch.max_size_gb": "MEDIA_PIPELINE_BATCH__MAX_SIZE_GB",
        "auth.api_key": "MEDIA_PIPELINE_API_KEY",
        "workflow.debug.enabled": "MEDIA_PIPELINE_WORKFLOW__DEBUG__ENABLED",
        "system.allowed_hosts": "MEDIA_PIPELINE_SYSTEM__ALLOWED_HOSTS",
    }


def test_the_folders_may_come_from_the_environment_alone() -> None:
    folders = {"SOURCE_DIR": "/a/in", "BATCH_DIR": "/a/out", "SORTED_DIR": "/a/sorted"}
    snapshot = parse("", {f"MEDIA_PIPELINE_PATHS__{name}": path for name, path in folders.items()})
    assert snapshot.config.paths.batch_dir == "/a/out"


def test_a_wrong_variable_is_named_in_the_fault() -> None:
    environment = {
        "MEDIA_PIPELINE_BATCH__MAX_FILES": "many",
        "MEDIA_PIPELINE_BATCH__NOTHING": "1",
        "MEDIA_PIPELINE_CONFIG": "/x",
        "MEDIA_PIPELINE_CONTAINER": "1",
    }
    messages = [p.message for p in faults(FOLDERS, environment)]
    assert messages == [
        "the environment variable MEDIA_PIPELINE_BATCH__NOTHING names no setting",
        "must be a whole number, not many (set by MEDIA_PIPELINE_BATCH__MAX_FILES)",
    ]


def test_a_secret_can_be_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("CANARY\n")
    name = str(tmp_path / "key")
    assert read("", {"MEDIA_PIPELINE_API_KEY_FILE": name}).config.auth.api_key == "CANARY"
    snapshot = read("", {"MEDIA_PIPELINE_SYNCTHING__API_KEY_FILE": name})
    assert snapshot.config.syncthing.api_key == "CANARY"
    assert snapshot.environment_keys == {"syncthing.api_key": "MEDIA_PIPELINE_SYNCTHING__API_KEY_FILE"}


def test_a_secret_file_that_cannot_be_read_or_a_second_source_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "two").write_text("one\ntwo\n")
    (problem,) = faults(FOLDERS, {"MEDIA_PIPELINE_API_KEY_FILE": str(tmp_path / "none")})
    assert "cannot be read: No such file" in problem.message
    (problem,) = faults(FOLDERS, {"MEDIA_PIPELINE_API_KEY_FILE": str(tmp_path / "two")})
    assert "one line" in problem.message
    both = {"MEDIA_PIPELINE_API_KEY": "a", "MEDIA_PIPELINE_AUTH__API_KEY": "b"}
    assert "two environment variables" in faults(FOLDERS, both)[0].message
