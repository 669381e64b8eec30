"""A start with a faulty file never goes back to settings without keys when the file may be meant to set some."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config.store import ConfigStore
from app.errors import ConfigError

OPEN_TEXT = """\
paths: {source_dir: /data/ingest, batch_dir: /data/batches, sorted_dir: /data/archive}
batch: {max_files: 4}
"""


@pytest.mark.parametrize(
    "faulty",
    [
        OPEN_TEXT + "auth: {keys: [{name: me, key: a-long-secret-key-for-me, scope: admn}]}\n",
        OPEN_TEXT + "auth:\n  keys:\n   - name: me\n  key: a-long-secret-key-for-me\n",
        OPEN_TEXT + "auht: {api_key: a-long-secret-key-for-me}\n",
        "auth: {api_key: [\n",
    ],
    ids=["a mistyped scope", "not YAML", "a mistyped section", "little is left"],
)
def test_settings_without_keys_never_stand_in_for_a_faulty_file_that_may_set_keys(tmp_path: Path, faulty: str) -> None:
    store = open_store(tmp_path)
    Path(store.path).write_text(faulty)
    for encoding in ("utf-8", "utf-16"):
        Path(store.path).write_text(faulty, encoding)
        with pytest.raises(ConfigError, match="anybody could come in"):
            ConfigStore(store.path, {}).load()
    Path(store.path).write_text(OPEN_TEXT + "auth: {keys: [{name: me, key: a-long-secret-key-for-me, scope: admin}]}\n")
    assert [key.name for key in ConfigStore(store.path, {}).load().config.auth.every_key] == ["me"]


def test_a_faulty_file_that_cannot_be_read_is_not_replaced_by_settings_without_keys(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    Path(store.path).unlink()
    Path(store.path).mkdir()
    with pytest.raises(ConfigError, match="anybody could come in"):
        ConfigStore(store.path, {}).load()


@pytest.mark.parametrize("fault", ["batch: {max_files: banana}\n", "batch: [\n"])
def test_settings_without_keys_stand_in_for_a_fault_that_has_nothing_to_do_with_keys(
    tmp_path: Path, fault: str
) -> None:
    store = open_store(tmp_path)
    saved = store.save_partial({"batch": {"max_files": 5}}, "anna")
    Path(store.path).write_text(saved.text.replace("batch:\n", fault + "batch:\n", 1))
    assert ConfigStore(store.path, {}).load().config.batch.max_files == 5


def open_store(folder: Path) -> ConfigStore:
    """A file without keys that was in force."""
    path = folder / "config.yaml"
    path.write_text(OPEN_TEXT)
    store = ConfigStore(str(path), {})
    store.load()
    store.keep_in_force()
    return store
