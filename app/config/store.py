"""The configuration in force: noticing that the file changed, and saving changes to it.

The file is the truth and the digest of its text the revision. Whatever does not validate changes nothing:
neither the file when it is saved, nor the running configuration when it is found on disk.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.config import files
from app.config.document import Document, read_document
from app.config.files import Revision
from app.config.legacy import carry_over
from app.config.parse import Snapshot, judge, masked, parse, revision_of
from app.config.render import render
from app.config.schema import Config
from app.config.secrets import (
    API_KEY,
    masked_text,
    moves_to_another_server,
    refuse_to_lend_key,
    restore_secrets,
)
from app.config.settings import all_settings, get_path, secret_paths, with_path, without_path
from app.errors import ConfigError, Problem, RevisionChanged
from app.log import MASK, get_logger

__all__ = ["ConfigStore", "Revision", "Snapshot", "changed_keys", "default_path", "masked", "masked_text", "parse"]

PATH_VARIABLE = "MEDIA_PIPELINE_CONFIG"
SYSTEM_PATH = "/etc/media-pipeline/config.yaml"
LOCAL_PATH = "./data/config.yaml"


def default_path() -> str:
    """Where the settings file is: MEDIA_PIPELINE_CONFIG, else the one of the system, else ./data/config.yaml."""
    named = os.environ.get(PATH_VARIABLE)
    if named:
        return named
    return SYSTEM_PATH if files.file_state(SYSTEM_PATH) is not None else LOCAL_PATH


def changed_keys(before: Config, after: Config) -> list[str]:
    """The dotted paths of the settings that differ, in the order of the schema."""
    old, new = before.model_dump(), after.model_dump()
    return [path for path in all_settings() if get_path(old, path) != get_path(new, path)]


class ConfigStore:
    """The settings file at one path. Threads may share a store; processes see each other's saves."""

    def __init__(self, path: str, environment: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.environment: Mapping[str, str] = os.environ if environment is None else environment
        #: What is wrong with the file on disk while an older configuration is in force, else None.
        self.fault: ConfigError | None = None
        #: Called with the configuration in force and the new one before a save; raises to refuse it.
        self.guard: Callable[[Config, Config], None] | None = None
        #: Called with the configuration that was in force, the snapshot that was saved, and who saved it.
        self.saved: Callable[[Config | None, Snapshot, str], None] | None = None
        self._lock = threading.RLock()
        self._state: files.FileState | None = None
        self._current: Snapshot | None = None

    def load(self) -> Snapshot:
        """Read the file now and put it in force. Raises ConfigError with all problems."""
        with self._lock:
            # Looked at before reading: a change in between shows as another state at the next look.
            state = files.file_state(self.path)
            snapshot = parse(files.read_text(self.path), self.environment, self.path)
            self._state, self._current, self.fault = state, snapshot, None
            return snapshot

    def current(self) -> Snapshot:
        """The configuration in force: the file's, or the last good one when the file went bad (see `fault`).

        Raises ConfigError only when there has not been a good one yet.
        """
        with self._lock:
            if self._current is None:
                return self.load()
            state = files.file_state(self.path)
            if state != self._state:
                self._reload(state)
            return self._current

    def _reload(self, state: files.FileState | None) -> None:
        try:
            self.load()
        except ConfigError as error:
            self._state, self.fault = state, error
            get_logger().warning("the configuration file has faults; the last good one stays in force", why=str(error))

    def save_raw(self, text: str, actor: str, expected_revision: str | None = None) -> Snapshot:
        """Save a text to the letter; a masked secret in it keeps its old value.

        Raises ConfigError with all problems, and RevisionChanged when the file is not at the expected revision;
        nothing is changed then.
        """
        with self._lock, files.save_lock(self.path):
            old_text = self._old_text(expected_revision)
            old, new = read_document(old_text).values, read_document(text).values
            snapshot = parse(restore_secrets(text, old_text), self.environment, self.path)
            refuse_to_lend_key(old, new, snapshot.environment_keys)
            return self._put(snapshot, old_text, actor)

    def save_partial(self, changes: Mapping[str, Any], actor: str, expected_revision: str | None = None) -> Snapshot:
        """Save some settings, merged into the file's; null takes a key back to its default.

        The file is written anew from the schema. Raises as `save_raw` does.
        """
        with self._lock, files.save_lock(self.path):
            old_text = self._old_text(expected_revision)
            document = read_document(old_text)
            if document.problems:
                raise ConfigError(document.problems)
            old, _ = carry_over(document.values)
            values = self._merged(old, changes)
            _, _, variables = judge(Document(values), self.environment)
            refuse_to_lend_key(old, values, variables)
            carried, _ = carry_over(values)
            return self._put(parse(render(carried), self.environment, self.path), old_text, actor)

    def roll_back(self, revision: str, actor: str, expected_revision: str | None = None) -> Snapshot:
        """Save the text of a kept revision again. Raises NotFound, and as `save_raw` does."""
        return self.save_raw(files.read_revision(self.path, revision), actor, expected_revision)

    def history(self) -> list[Revision]:
        """The last revisions, newest first."""
        return files.list_revisions(self.path)

    def text(self) -> str:
        """The file's text as it may be shown: secrets masked. Raises ConfigError when it cannot be read."""
        return masked_text(files.read_text(self.path))

    def revision_text(self, revision: str) -> str:
        """The text of a kept revision as it may be shown. Raises NotFound."""
        return masked_text(files.read_revision(self.path, revision))

    def load_revision(self, revision: str) -> Snapshot:
        """A kept revision, secrets and all, for work that began with it. Raises NotFound, ConfigError."""
        return parse(files.read_revision(self.path, revision), self.environment, self.path)

    def _old_text(self, expected_revision: str | None) -> str:
        text = "" if files.file_state(self.path) is None else files.read_text(self.path)
        if expected_revision is not None and revision_of(text) != expected_revision:
            raise RevisionChanged(expected_revision, revision_of(text))
        return text

    def _put(self, snapshot: Snapshot, old_text: str, actor: str) -> Snapshot:
        before = self._current.config if self._current is not None else None
        if self.guard is not None and before is not None:
            self.guard(before, snapshot.config)
        if old_text:
            files.keep_revision(self.path, old_text, "file")
        files.replace_text(self.path, snapshot.text)
        files.keep_revision(self.path, snapshot.text, actor)
        self._state, self._current, self.fault = files.file_state(self.path), snapshot, None
        if self.saved is not None:
            self.saved(before, snapshot, actor)
        return self._told(snapshot, old_text)

    def _told(self, snapshot: Snapshot, old_text: str) -> Snapshot:
        old = read_document(old_text).values
        had_key = bool(get_path(old, API_KEY))
        new = read_document(snapshot.text).values
        if not had_key or get_path(new, API_KEY) or not moves_to_another_server(old, new):
            return snapshot
        told = Problem(API_KEY, "is empty now: a key is not sent to another server; enter the key of this one")
        return replace(snapshot, warnings=(*snapshot.warnings, told))

    def _merged(self, old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        values = _merge(old, self._without_environment(changes))
        given = get_path(changes, API_KEY)
        for path in secret_paths():
            if get_path(changes, path) == MASK:
                values = with_path(values, path, get_path(old, path) or "")
        if given in (None, MASK) and moves_to_another_server(old, values):
            values = with_path(values, API_KEY, "")
        return values

    def _without_environment(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The changes without what the environment sets; a change of such a key is a fault."""
        snapshot = self.current()
        shown, kept, problems = masked(snapshot.config), dict(changes), []
        for path, variable in snapshot.environment_keys.items():
            wanted = get_path(kept, path)
            if wanted is None:
                continue
            if wanted != get_path(shown, path):
                problems.append(Problem(path, f"is set by {variable} and cannot be changed here"))
            kept = without_path(kept, path)
        if problems:
            raise ConfigError(problems)
        return kept


def _merge(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in changes.items():
        before = merged.get(name)
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            merged[name] = _merge(before if isinstance(before, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged
