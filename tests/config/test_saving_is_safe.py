"""Saving under attack: killed at every step, or given anything that JSON and YAML can hold."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.config.settings import all_settings
from app.config.store import ConfigStore
from app.errors import ConfigError

TEXT = "paths: {source_dir: /data/ingest, batch_dir: /data/batches, sorted_dir: /data/archive}\n"
CALLS = ("open", "fdopen", "fsync", "replace", "unlink", "fchown", "makedirs", "close")


@pytest.fixture
def store(tmp_path: Path) -> ConfigStore:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    return ConfigStore(str(path), {})


def kill_at(call: int) -> None:
    """Let the process die by SIGKILL just before its nth call to the system."""
    left = [call]

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)

        return counting

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))


def save_and_die(store: ConfigStore, call: int) -> bool:
    """Whether a save that dies at this call died at all."""
    child = os.fork()
    if child == 0:
        try:
            kill_at(call)
            store.save_partial({"batch": {"max_files": call}}, "killed")
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def test_a_save_that_is_killed_anywhere_leaves_the_old_file_or_the_new_one(store: ConfigStore, tmp_path: Path) -> None:
    call, died = 0, True
    while died:
        call += 1
        before = store.current().config.batch.max_files
        died = save_and_die(store, call)
        assert store.current().config.batch.max_files in (before, call)
        assert store.fault is None
    assert call > 15
    store.save_partial({"batch": {"max_files": 0}}, "api")
    assert sorted(os.listdir(tmp_path)) == ["config.yaml", "revisions"]
    assert len(store.history()) <= 10


PATHS = sorted({*all_settings(), "batch", "paths", "nothing", "workflow.debug"})
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def nested(path: str, value: Any) -> dict[str, Any]:
    for name in reversed(path.split(".")):
        value = {name: value}
    return dict(value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PATHS), ANYTHING)
def test_whatever_a_client_sends_is_saved_well_or_refused_in_words(store: ConfigStore, path: str, value: Any) -> None:
    before = Path(store.path).read_bytes()
    try:
        snapshot = store.save_partial(nested(path, value), "api")
    except ConfigError as error:
        assert error.problems
        assert all(problem.message for problem in error.problems)
        assert Path(store.path).read_bytes() == before
    else:
        assert ConfigStore(store.path, {}).load().config == snapshot.config
    Path(store.path).write_text(TEXT)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_whatever_text_is_sent_is_refused_in_words_unless_it_is_a_configuration(store: ConfigStore, text: str) -> None:
    with pytest.raises(ConfigError):
        store.save_raw(text, "api")
    with pytest.raises(ConfigError):
        store.save_raw(TEXT + "batch: {naming_pattern: !!x " + text, "api")
    assert Path(store.path).read_text() == TEXT
