"""The settings file: saved as a whole or not at all, noticed when it changes, its secrets kept."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from app.config.parse import revision_of
from app.config.store import ConfigStore, changed_keys, default_path
from app.errors import ConfigError, NotFound, RevisionChanged

TEXT = """\
# my notes stay
paths: {source_dir: /data/ingest, batch_dir: /data/batches, sorted_dir: /data/archive}
batch:
    max_size_gb: 4   # small phone
syncthing:
  api_url: http://nas:8384
  api_key: "CANARY-1"  # from the GUI
auth: {api_key: CANARY-2-0123456789}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "conf" / "config.yaml"
    file.parent.mkdir()
    file.write_text(TEXT)
    return file


@pytest.fixture
def store(path: Path) -> ConfigStore:
    return ConfigStore(str(path), {})


def tree(path: Path) -> dict[str, bytes]:
    return {str(f.relative_to(path)): f.read_bytes() for f in sorted(path.rglob("*")) if f.is_file()}


def test_a_raw_save_keeps_the_text_to_the_letter(store: ConfigStore, path: Path) -> None:
    text = TEXT.replace("max_size_gb: 4 ", "max_size_gb: 5 ").replace("\n", "\r\n")
    snapshot = store.save_raw(text, "api")
    assert path.read_bytes() == text.encode()
    assert snapshot.config.batch.max_size_gb == 5
    assert snapshot.revision == revision_of(text) == store.current().revision


def test_a_saved_file_is_readable_only_by_its_owner(store: ConfigStore, path: Path) -> None:
    store.save_raw(TEXT, "api")
    files = [path, *(path.parent / "revisions").iterdir()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((path.parent / "revisions").stat().st_mode) == 0o700


@pytest.mark.parametrize("text", ["", "batch: {max_size_gb: banana}", TEXT + "unknown: 1\n", "a: [", TEXT * 2])
def test_a_text_with_faults_changes_nothing(store: ConfigStore, path: Path, text: str) -> None:
    store.load()
    before = tree(path.parent)
    with pytest.raises(ConfigError):
        store.save_raw(text, "api")
    assert tree(path.parent) == before
    assert store.current().config.batch.max_size_gb == 4
    assert store.fault is None


def test_a_partial_save_with_faults_lists_them_and_changes_nothing(store: ConfigStore, path: Path) -> None:
    before = tree(path.parent)
    with pytest.raises(ConfigError) as caught:
        store.save_partial({"batch": {"max_size_gb": "banana", "max_sise": 1}, "paths": {"batch_dir": "x"}}, "api")
    assert {p.path for p in caught.value.problems} == {"batch.max_size_gb", "batch.max_sise", "paths.batch_dir"}
    assert tree(path.parent) == before


def test_a_partial_save_writes_every_key_with_a_comment_and_keeps_the_rest(store: ConfigStore, path: Path) -> None:
    snapshot = store.save_partial({"batch": {"max_files": 9}, "dedup": {"threads": 3}}, "control")
    assert (snapshot.config.batch.max_files, snapshot.config.batch.max_size_gb) == (9, 4)
    assert snapshot.config.auth.api_key == "CANARY-2-0123456789"
    lines = path.read_text().splitlines()
    assert lines[lines.index("  max_files: 9") - 1] == "  # Most files in a batch; 0 = no cap."
    assert store.current().revision == revision_of(path.read_text())


def test_null_takes_a_key_or_a_section_back_to_its_default(store: ConfigStore) -> None:
    assert store.save_partial({"batch": {"max_size_gb": None}}, "api").config.batch.max_size_gb == 15
    store.save_partial({"batch": {"max_files": 3}}, "api")
    assert store.save_partial({"batch": None}, "api").config.batch.max_files == 0


def test_old_words_in_a_file_are_written_in_todays_after_a_partial_save(store: ConfigStore, path: Path) -> None:
    path.write_text(TEXT + "dedup: {move_duplicates: true, hash_algorithm: md5}\n")
    snapshot = store.save_partial({"batch": {"max_files": 1}}, "api")
    assert [w.path for w in snapshot.warnings] == ["syncthing.folder_id"], "nothing is said of old words any more"
    assert snapshot.config.dedup.duplicate_policy == "quarantine"
    assert "move_duplicates" not in path.read_text()


def test_the_mask_keeps_the_old_secret(store: ConfigStore, path: Path) -> None:
    shown = store.text()
    assert "CANARY" not in shown
    assert shown.count('"********"') == 2
    assert store.save_raw(shown.replace("4   #", "6   #"), "api").config.syncthing.api_key == "CANARY-1"
    assert path.read_text() == TEXT.replace("4   #", "6   #").replace('"CANARY-1"', "CANARY-1")
    changes = {"auth": {"api_key": "********"}, "syncthing": {"api_key": "********"}, "batch": {"max_files": 1}}
    config = store.save_partial(changes, "api").config
    assert (config.auth.api_key, config.syncthing.api_key) == ("CANARY-2-0123456789", "CANARY-1")


def test_another_server_without_a_new_key_clears_the_key(store: ConfigStore, path: Path) -> None:
    snapshot = store.save_partial({"syncthing": {"api_url": "http://evil:8384", "api_key": "********"}}, "api")
    assert snapshot.config.syncthing.api_key == ""
    assert "CANARY-1" not in path.read_text()
    assert [w.path for w in snapshot.warnings] == ["syncthing.api_key"]


def test_another_server_in_a_raw_save_clears_the_masked_key(store: ConfigStore, path: Path) -> None:
    snapshot = store.save_raw(store.text().replace("http://nas:8384", "http://evil:8384"), "api")
    assert snapshot.config.syncthing.api_key == ""
    assert snapshot.config.auth.api_key == "CANARY-2-0123456789"
    assert "CANARY-1" not in path.read_text()


def test_another_server_with_its_own_key_and_the_same_server_keep_a_key(store: ConfigStore) -> None:
    same = {"syncthing": {"api_url": "http://nas:8384/rest/"}}
    assert store.save_partial(same, "api").config.syncthing.api_key == "CANARY-1"
    other = {"syncthing": {"api_url": "http://other:8384", "api_key": "NEW"}}
    assert store.save_partial(other, "api").config.syncthing.api_key == "NEW"


def test_a_key_from_the_environment_is_never_lent_to_another_server(path: Path) -> None:
    store = ConfigStore(str(path), {"MEDIA_PIPELINE_SYNCTHING__API_KEY": "CANARY-3"})
    for save in (
        lambda: store.save_partial({"syncthing": {"api_url": "http://evil:8384"}}, "api"),
        lambda: store.save_raw(TEXT.replace("http://nas", "http://evil"), "api"),
    ):
        with pytest.raises(ConfigError, match="MEDIA_PIPELINE_SYNCTHING__API_KEY"):
            save()
    assert path.read_text() == TEXT


def test_what_the_environment_sets_is_never_written_and_cannot_be_changed(path: Path) -> None:
    environment = {"MEDIA_PIPELINE_BATCH__MAX_FILES": "77", "MEDIA_PIPELINE_API_KEY": "CANARY-3"}
    store = ConfigStore(str(path), environment)
    same = {"batch": {"max_files": 77, "max_size_gb": 1}, "auth": {"api_key": "********"}}
    snapshot = store.save_partial(same, "api")
    assert (snapshot.config.batch.max_files, snapshot.config.auth.api_key) == (77, "CANARY-3")
    assert "77" not in path.read_text()
    assert "CANARY-3" not in path.read_text()
    with pytest.raises(ConfigError, match="MEDIA_PIPELINE_BATCH__MAX_FILES"):
        store.save_partial({"batch": {"max_files": 78}}, "api")


def test_a_save_onto_a_changed_file_is_refused(store: ConfigStore, path: Path) -> None:
    revision = store.load().revision
    path.write_text(TEXT + "# edited by hand\n")
    with pytest.raises(RevisionChanged):
        store.save_raw(TEXT, "api", expected_revision=revision)
    with pytest.raises(RevisionChanged):
        store.save_partial({"batch": {"max_files": 1}}, "api", expected_revision=revision)
    store.save_raw(TEXT, "api", expected_revision=store.current().revision)


def test_the_last_ten_revisions_are_kept_and_can_be_rolled_back(store: ConfigStore, path: Path) -> None:
    for number in range(1, 15):
        store.save_partial({"batch": {"max_files": number}}, f"api\n../{number}")
    history = store.history()
    assert len(history) == 10
    assert history[0].revision == store.current().revision
    assert history[0].actor == "api-..-14"
    assert store.roll_back(history[5].revision, "control").config.batch.max_files == 9
    assert "CANARY" not in store.revision_text(history[5].revision)
    with pytest.raises(NotFound):
        store.roll_back("0" * 64, "control")


def test_a_hand_edit_is_kept_as_a_revision_before_it_is_replaced(store: ConfigStore, path: Path) -> None:
    edited = TEXT + "# by hand\n"
    path.write_text(edited)
    store.save_raw(TEXT, "api")
    assert [(r.revision, r.actor) for r in store.history()] == [
        (revision_of(TEXT), "api"),
        (revision_of(edited), "file"),
    ]


def test_a_changed_file_is_noticed_at_the_next_look(store: ConfigStore, path: Path) -> None:
    first = store.current()
    assert store.current() is first
    path.write_text(TEXT.replace("max_size_gb: 4", "max_size_gb: 8"))
    assert store.current().config.batch.max_size_gb == 8
    assert first.config.batch.max_size_gb == 4


@pytest.mark.parametrize("text", [b"batch: [", b"", b"\xff\xfe", b"paths: {source_dir: x}"])
def test_a_file_gone_bad_keeps_the_running_configuration_and_says_so(
    store: ConfigStore, path: Path, text: bytes
) -> None:
    good = store.current()
    path.write_bytes(text)
    assert store.current() is good
    assert store.fault is not None
    assert store.fault.problems
    path.write_text(TEXT)
    assert store.current().revision == good.revision
    assert store.fault is None


def test_a_missing_file_is_a_fault_and_a_vanished_one_keeps_the_running_configuration(
    store: ConfigStore, path: Path
) -> None:
    good = store.current()
    path.unlink()
    assert store.current() is good
    assert "there is no configuration file" in str(store.fault)
    with pytest.raises(ConfigError, match=r"default\.yaml"):
        ConfigStore(str(path), {}).current()


def test_a_save_through_a_link_replaces_the_file_that_is_meant(store: ConfigStore, path: Path) -> None:
    link = path.parent.parent / "link.yaml"
    link.symlink_to(path)
    ConfigStore(str(link), {}).save_raw(TEXT + "# x\n", "api")
    assert link.is_symlink()
    assert path.read_text() == TEXT + "# x\n"


def test_a_file_that_cannot_be_replaced_stays_and_the_reason_is_told(path: Path) -> None:
    store = ConfigStore("/dev/null/config.yaml", {})
    with pytest.raises(ConfigError, match="cannot be written"):
        store.save_raw(TEXT, "api")


def test_savers_at_the_same_time_leave_one_whole_file(path: Path) -> None:
    stores = [ConfigStore(str(path), {}) for _ in range(4)]
    for store in stores:
        store.load()

    def save(number: int) -> None:
        for turn in range(5):
            stores[number].save_partial({"batch": {"max_files": number * 10 + turn}}, f"saver {number}")

    threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    revisions = {store.current().revision for store in stores}
    assert revisions == {revision_of(path.read_text())}
    assert len(stores[0].history()) == 10
    assert sorted(os.listdir(path.parent)) == ["config.yaml", "revisions"]


@pytest.mark.parametrize(
    "text",
    [
        "auth:\n  api_key: CANARY\n  api_key: CANARY\n",
        "auth: {api_key: CANARY, header_name: [}\n",
        "auth:\n  api_key: |\n    CANARY\n    CANARY\nx: *y\n",
        "x: &a 1\nauth: {'api_key': CANARY}\n",
    ],
)
def test_a_text_that_cannot_be_read_is_still_shown_without_secrets(store: ConfigStore, path: Path, text: str) -> None:
    path.write_text(text)
    assert "CANARY" not in store.text()


def test_a_secret_in_a_block_is_masked_and_restored(store: ConfigStore, path: Path) -> None:
    text = TEXT.replace(
        "auth: {api_key: CANARY-2-0123456789}", "auth:\n  api_key: >-\n    CANARY-2-0123456789\n  header_name: x-key"
    )
    store.save_raw(text, "api")
    shown = store.text()
    assert "CANARY" not in shown
    config = store.save_raw(shown, "api").config
    assert (config.auth.api_key, config.auth.header_name) == ("CANARY-2-0123456789", "x-key")


def test_changed_keys_names_what_differs(store: ConfigStore) -> None:
    before = store.load().config
    after = store.save_partial({"batch": {"max_files": 2}, "workflow": {"debug": {"enabled": True}}}, "api").config
    assert changed_keys(before, after) == ["batch.max_files", "workflow.debug.enabled"]


def test_the_default_path_follows_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_path() in ("/etc/media-pipeline/config.yaml", "./data/config.yaml")
    monkeypatch.setenv("MEDIA_PIPELINE_CONFIG", "/somewhere/config.yaml")
    assert default_path() == "/somewhere/config.yaml"


def test_what_root_saves_belongs_to_the_owner_of_the_file(store: ConfigStore, path: Path) -> None:
    owner = 65534 if os.geteuid() == 0 else os.geteuid()
    os.chown(path, owner, -1)
    store.save_partial({"batch": {"max_files": 3}}, "cli (root)")
    folder = path.parent / "revisions"
    assert {file.stat().st_uid for file in (path, folder, *folder.iterdir())} == {owner}


PEER = "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD"
MISTYPED = PEER.replace("BONSGYC", "BONSGYD")


@pytest.mark.parametrize("device", [{"device_id": MISTYPED}, {"device_ids": [PEER, MISTYPED]}, {"device_id": "phone"}])
def test_a_mistyped_device_id_is_saved_by_nobody(store: ConfigStore, path: Path, device: dict[str, object]) -> None:
    before = tree(path.parent)
    with pytest.raises(ConfigError, match=r"syncthing\.device_ids?: (is mistyped|must have 56 letters)"):
        store.save_partial({"syncthing": device}, "api")
    text = TEXT.replace("syncthing:\n", f"syncthing:\n  {next(iter(device))}: {next(iter(device.values()))}\n")
    with pytest.raises(ConfigError, match=r"syncthing\.device_ids?: (is mistyped|must have 56 letters)"):
        store.save_raw(text, "api")
    assert not store.check_partial({"syncthing": device}).is_valid and not store.check_raw(text).is_valid
    assert tree(path.parent) == before


def test_a_mistyped_device_id_in_a_file_that_is_there_is_told_of_and_stops_nothing(path: Path) -> None:
    path.write_text(TEXT.replace("syncthing:\n", f"syncthing:\n  device_id: {MISTYPED}\n"))
    store = ConfigStore(str(path), {})
    told = [(p.path, p.line, "BONSGYD" in p.message) for p in store.load().warnings]
    assert told == [("syncthing.device_id", 6, True)] and store.fault is None
    assert store.save_partial({"batch": {"max_files": 7}}, "api").config.batch.max_files == 7
    assert store.save_partial({"syncthing": {"device_id": PEER}}, "api").config.syncthing.required_ids == (PEER,)


def test_a_mistyped_device_id_in_the_environment_is_refused_with_the_name_of_its_variable(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is mistyped.* MEDIA_PIPELINE_SYNCTHING__DEVICE_ID"):
        ConfigStore(str(path), {"MEDIA_PIPELINE_SYNCTHING__DEVICE_ID": MISTYPED}).load()


def test_a_device_id_is_in_force_as_syncthing_writes_it_however_it_was_typed(store: ConfigStore) -> None:
    typed = PEER.replace("-", "").replace("O", "0").lower()
    saved = store.save_partial({"syncthing": {"device_id": typed, "device_ids": [typed]}}, "api")
    assert saved.config.syncthing.required_ids == (PEER,)
