"""Secrets go into the settings file and never come out: whole or broken, typed well or badly, saved or only checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.config.changes import verdict_json
from app.config.history import history, revision_details
from app.config.secrets import masked_text
from app.config.store import ConfigStore
from app.errors import ConfigError
from tests.config.stored import stored

TEXT = """\
paths: {source_dir: /data/ingest, batch_dir: /data/batches, sorted_dir: /data/archive}
syncthing:
  folder_id: photos
  api_key: CANARY-SYNCTHING-01
auth:
  api_key: "CANARY-MAIN-0123456"
  # key: CANARY-COMMENT-0123
  # before that it was CANARY-MAIN-0123456
  keys:
    - name: display   # in the hall
      key: CANARY-DISPLAY-0123
      scope: read
    - {scope: admin, key: 'CANARY-ANNA-0123456', name: anna}
batch:
  max_files: 4   # small phone
"""


@pytest.fixture
def store(tmp_path: Path) -> ConfigStore:
    return stored(tmp_path, TEXT)


def test_the_shown_text_saved_again_is_the_file_to_the_letter(store: ConfigStore) -> None:
    shown = store.text()
    assert "CANARY" not in shown
    assert shown.count("********") == 6
    store.save_raw(shown, "api")
    quoted = TEXT.replace('"CANARY-MAIN-0123456"', "CANARY-MAIN-0123456").replace("'CANARY", "CANARY")
    assert Path(store.path).read_text() == quoted.replace("0123456',", "0123456,")


def test_a_secret_that_is_a_word_of_other_settings_is_masked_only_where_it_is_the_secret(store: ConfigStore) -> None:
    store.save_raw(TEXT.replace("CANARY-SYNCTHING-01", "photos"), "api")
    shown = store.text()
    assert "folder_id: photos" in shown
    store.save_raw(shown, "api")
    assert (store.current().config.syncthing.folder_id, store.current().config.syncthing.api_key) == (
        "photos",
        "photos",
    )


@pytest.mark.parametrize(
    "text",
    [
        "auth: {keys: [CANARY]}\n",
        "auth: {keys: CANARY}\n",
        "auth:\n  keys:\n    CANARY: read\n",
        "auth: {keys: [{name: a, kye: CANARY}]}\n",
        "auth: {keys: [{name: a, key: [\nCANARY, CANARY\n]}]}\n",
        "auth:\n  keys:\n    - name: a\n      key: {x: CANARY}\n",
        "auth: {apikey: CANARY}\nsyncthing: {password: CANARY}\n",
        "auth: {api_key: [CANARY]}\n",
        "auth:\n  api_key:\n    - CANARY\n    - CANARY\n",
        "auth:\n  keys:\n    - name: a\n      key: |\n        CANARY\n        CANARY\n     x: *\n",
        "auth:\n  keys:\n    - {name: a, key: CANARY\n",
        'auth: {"api_key"\n  : CANARY, x: [}\n',
        "auth: {keys: [{name: a, key:\nCANARY}]\n",
        "syncthing:\n  api_key: 'CANARY\nCANARY\n",
        "auth:\n  API_KEY: CANARY\n\tx: 1\n",
        "notify: {urls: [CANARY]}\n",
        "notify: {urls: json://CANARY}\n",
        "notify: {urls: [{name: a, adress: json://CANARY}]}\n",
        "notify:\n  urls:\n    - {name: a, url: json://CANARY\n",
        "notify:\n  urls: [\n  json://CANARY\n",
        "notify:\n  webhooks:\n    - {name: a, url: http://CANARY, secret: CANARY\n",
        "notify: {webhooks: [{name: a, url: http://nas/CANARY, secret: [CANARY], events: x}]}\n",
        "# url: json://CANARY\nnotify: {urls: 1}\n",
    ],
)
def test_a_secret_in_the_wrong_shape_is_not_shown_either(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT.replace("CANARY", "SECRET"))
    store = ConfigStore(str(path), {})
    store.load()
    path.write_text(text)
    assert "CANARY" not in store.text()
    assert "CANARY" not in str(verdict_json(store.check_raw(text)))
    store.current()
    assert store.fault is not None
    assert "CANARY" not in str(store.fault) + store.fault.placed("config.yaml")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(TEXT)), st.integers(0, 40), st.text("{}[]:,'\"#&*!|>-\n\t x", max_size=4))
def test_no_broken_text_shows_the_secrets_in_force(store: ConfigStore, start: int, length: int, garbage: str) -> None:
    text = TEXT[:start] + garbage + TEXT[start + length :]
    # A key that somebody writes down as a folder's name is a folder's name.
    assume(not store.check_raw(text).is_valid)
    Path(store.path).write_text(text)
    shown = store.text()
    secrets = ("CANARY-SYNCTHING-01", "CANARY-MAIN-0123456", "CANARY-DISPLAY-0123", "CANARY-ANNA-0123456")
    assert [secret for secret in secrets if secret in shown] == []
    problems = store.check_raw(text).problems
    assert "CANARY" not in str([problem.message for problem in problems])


def test_masking_a_long_text_takes_no_longer_than_reading_it() -> None:
    for text in ("x: [" + "a key b " * 30_000, "#" + " key" * 60_000, "key: {\n" + "a\n" * 100_000):
        assert masked_text(text)


def test_history_and_verdicts_show_no_secret(store: ConfigStore) -> None:
    store.save_partial({"auth": {"api_key": "CANARY-NEXT-0123456"}, "batch": {"max_files": 9}}, "api")
    store.save_partial({"auth": {"keys": []}, "syncthing": {"api_key": "CANARY-OTHER-012"}}, "api")
    found = [history(store), [revision_details(store, kept.revision) for kept in store.history()]]
    found.append(verdict_json(store.check_partial({"auth": {"api_key": "CANARY-THIRD-012345"}})))
    assert "CANARY" not in str(found)
    newest, middle, _ = history(store)
    assert {change["path"] for change in newest["changes"]} == {"auth.keys", "syncthing.api_key"}
    assert [c for c in middle["changes"] if c["path"] == "auth.api_key"] == [
        {"path": "auth.api_key", "before": "********", "after": "********"}
    ]


def test_a_mask_for_a_secret_that_nobody_keeps_is_a_fault_for_an_access_key(store: ConfigStore) -> None:
    with pytest.raises(ConfigError, match="no key is kept under this name"):
        store.save_raw(store.text().replace("name: display", "name: kitchen"), "api")


def test_a_mask_over_a_broken_file_keeps_the_secret_in_force(store: ConfigStore) -> None:
    shown = store.text()
    Path(store.path).write_text("auth: [\n")
    assert store.current().config.auth.api_key == "CANARY-MAIN-0123456"
    config = store.save_raw(shown, "api").config
    assert config.auth.api_key == "CANARY-MAIN-0123456"
    assert [key.key for key in config.auth.keys] == ["CANARY-DISPLAY-0123", "CANARY-ANNA-0123456"]
