"""The configuration in force: noticing that the file changed, and saving changes to it.

The file is the truth and the digest of its text the revision. Whatever does not validate changes nothing:
neither the file when it is saved, nor the running configuration when it is found on disk.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from app.config import files
from app.config.changes import Verdict, changed_keys, changes_between
from app.config.checks import DEVICE_SETTINGS
from app.config.document import Document, read_document
from app.config.files import Revision
from app.config.key_rules import may_set_keys
from app.config.legacy import carry_over
from app.config.merging import merged
from app.config.parse import Snapshot, judge, masked, parse, revision_of, secret_values
from app.config.render import render
from app.config.schema import Config
from app.config.secrets import hide, masked_text, refuse_to_lend_key, restore_secrets, sent_elsewhere
from app.config.settings import get_path
from app.errors import ConfigError, Conflict, NotFound, Problem, RevisionChanged
from app.log import get_logger

__all__ = ["ConfigStore", "Revision", "Snapshot", "changed_keys", "default_path", "masked", "masked_text", "parse"]

PATH_VARIABLE = "MEDIA_PIPELINE_CONFIG"
SYSTEM_PATH = "/etc/media-pipeline/config.yaml"
LOCAL_PATH = "./data/config.yaml"

OPEN_DOORS = (
    "the last settings without faults need no key, and this file may be meant to ask for one; they are not put in "
    "force instead, as anybody could come in. Mend the faults, or go back with `media-pipeline config rollback`"
)


def default_path() -> str:
    """Where the settings file is: MEDIA_PIPELINE_CONFIG, else the one of the system, else ./data/config.yaml."""
    named = os.environ.get(PATH_VARIABLE)
    if named:
        return named
    return SYSTEM_PATH if files.file_state(SYSTEM_PATH) is not None else LOCAL_PATH

#: Told after a save that named another server.
EMPTIED = "is empty now: a {what} is not sent to another server; enter the {what} of this one"


class ConfigStore:
    """The settings file at one path. Threads may share a store; processes see each other's saves."""

    def __init__(self, path: str, environment: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.environment: Mapping[str, str] = os.environ if environment is None else environment
        #: What is wrong with the file on disk while an older configuration is in force, else None.
        self.fault: ConfigError | None = None
        #: The kept revision that is in force because the file had faults when this program started, else None.
        self.fallback: Revision | None = None
        #: Called with the configuration in force and the new one before a save; raises to refuse it.
        self.guard: Callable[[Config, Config], None] | None = None
        #: Called with the configuration that was in force, the snapshot that was saved, and who saved it.
        self.saved: Callable[[Config | None, Snapshot, str], None] | None = None
        self._lock = threading.RLock()
        self._state: files.FileState | None = None
        self._current: Snapshot | None = None

    def load(self) -> Snapshot:
        """Read the file now and put it in force; when it has faults, the newest kept revision that has none.

        Raises ConfigError with all problems when there is no such revision, or no file, and when that revision needs
        no key and the file may be meant to ask for one.
        """
        with self._lock:
            # Looked at before reading: a change in between shows as another state at the next look.
            state = files.file_state(self.path)
            try:
                return self._put_in_force(state, self._read())
            except ConfigError as error:
                kept = self._newest_good() if state is not None else None
                if kept is None:
                    raise
                self._refuse_to_open_doors(kept[1], error)
                self.fallback, snapshot = kept
                self._state, self._current, self.fault = state, snapshot, error
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

    def _read(self) -> Snapshot:
        return parse(files.read_text(self.path), self.environment, self.path)

    def _put_in_force(self, state: files.FileState | None, snapshot: Snapshot) -> Snapshot:
        self._state, self._current, self.fault, self.fallback = state, snapshot, None, None
        return snapshot

    def _reload(self, state: files.FileState | None) -> None:
        try:
            self._put_in_force(state, self._read())
        except ConfigError as error:
            self._state, self.fault = state, error
            get_logger().warning("the configuration file has faults; the last good one stays in force", why=str(error))

    def _newest_good(self) -> tuple[Revision, Snapshot] | None:
        for kept in files.list_revisions(self.path):
            with suppress(ConfigError):
                return kept, self.load_kept(kept)
        return None

    def _refuse_to_open_doors(self, kept: Snapshot, error: ConfigError) -> None:
        if kept.config.auth.every_key:
            return
        try:
            text: str | None = files.read_text(self.path, strict=False)
        except ConfigError:
            text = None
        if text is None or may_set_keys(text, kept.text):
            raise ConfigError([*error.problems, Problem("auth", OPEN_DOORS)]) from error

    def keep_in_force(self) -> None:
        """Keep the text in force among the revisions, so that a later start can go back to it. Best effort."""
        with suppress(ConfigError), self._lock, files.save_lock(self.path):
            snapshot = self._current
            if snapshot is not None and snapshot.revision == self.file_revision():
                files.keep_revision(self.path, snapshot.text, "file")

    def file_revision(self) -> str:
        """The revision of the text on disk, whether it is in force or has faults; what a save would replace."""
        return revision_of(self._old_text(None))

    def check_raw(self, text: str) -> Verdict:
        """What `save_raw` would do; changes nothing."""
        return self._check(lambda old_text: self._prepared_raw(text, old_text))

    def check_partial(self, changes: Mapping[str, Any]) -> Verdict:
        """What `save_partial` would do; changes nothing."""
        return self._check(lambda old_text: self._prepared_partial(changes, old_text))

    def check_revision(self, revision: str) -> Verdict:
        """What `roll_back` would do; changes nothing. Raises NotFound."""
        return self.check_raw(files.read_revision(self.path, revision))

    def _check(self, prepare: Callable[[str], Snapshot]) -> Verdict:
        old_text, before = self._old_text(None), self._in_force()
        try:
            snapshot = prepare(old_text)
            if self.guard is not None and before is not None:
                self.guard(before, snapshot.config)
        except ConfigError as error:
            return Verdict(error.problems)
        except Conflict as error:
            changes = changes_between(before, snapshot.config)
            return Verdict((), snapshot.warnings, changes, str(error), snapshot.config)
        told = self._told(snapshot, old_text).warnings
        return Verdict((), told, changes_between(before, snapshot.config), config=snapshot.config)

    def _in_force(self) -> Config | None:
        """The configuration in force, or None when there has not been a good one yet."""
        try:
            return self.current().config
        except ConfigError:
            return None

    def save_raw(self, text: str, actor: str, expected_revision: str | None = None) -> Snapshot:
        """Save a text to the letter; a masked secret in it keeps its old value.

        Raises ConfigError with all problems, and RevisionChanged when the file is not at the expected revision;
        nothing is changed then.
        """
        with self._lock, files.save_lock(self.path):
            old_text = self._old_text(expected_revision)
            return self._put(self._prepared_raw(text, old_text), old_text, actor)

    def _prepared_raw(self, text: str, old_text: str) -> Snapshot:
        known_text = self._current.text if self._current is not None else ""
        restored = restore_secrets(text, old_text, known_text, self._secrets())
        snapshot = parse(restored, self.environment, self.path, written=DEVICE_SETTINGS)
        old, new = read_document(old_text).values, read_document(text).values
        refuse_to_lend_key(old, new, snapshot.environment_keys, self.environment)
        return snapshot

    def save_partial(self, changes: Mapping[str, Any], actor: str, expected_revision: str | None = None) -> Snapshot:
        """Save some settings, merged into the file's; null takes a key back to its default.

        The file is written anew from the schema. Raises as `save_raw` does.
        """
        with self._lock, files.save_lock(self.path):
            old_text = self._old_text(expected_revision)
            return self._put(self._prepared_partial(changes, old_text), old_text, actor)

    def _prepared_partial(self, changes: Mapping[str, Any], old_text: str) -> Snapshot:
        document = read_document(old_text)
        if document.problems:
            raise ConfigError(document.problems)
        old, _ = carry_over(document.values)
        values = merged(old, changes, self.environment)
        written = [path for path in DEVICE_SETTINGS if get_path(values, path) != get_path(old, path)]
        _, _, variables = judge(Document(values), self.environment, written)
        refuse_to_lend_key(old, values, variables, self.environment)
        carried, _ = carry_over(values)
        return parse(render(carried), self.environment, self.path)

    def roll_back(self, revision: str, actor: str, expected_revision: str | None = None) -> Snapshot:
        """Save the text of a kept revision again. Raises NotFound, and as `save_raw` does."""
        return self.save_raw(files.read_revision(self.path, revision), actor, expected_revision)

    def history(self) -> list[Revision]:
        """The last revisions, newest first."""
        return files.list_revisions(self.path)

    def saver_of(self, revision: str) -> str:
        """Who saved a revision; `file` when it was written by hand."""
        with suppress(NotFound, ConfigError):
            return files.find_revision(self.path, revision).actor
        return "file"

    def find_revision(self, revision: str) -> Revision:
        """The newest kept revision with this name. Raises NotFound."""
        return files.find_revision(self.path, revision)

    def text(self) -> str:
        """The file's text as it may be shown: secrets masked. Raises ConfigError when it cannot be read."""
        return self.shown(files.read_text(self.path, strict=False))

    def revision_text(self, revision: str) -> str:
        """The text of a kept revision as it may be shown. Raises NotFound."""
        return self.shown(files.read_revision(self.path, revision))

    def shown(self, text: str) -> str:
        """Any text of settings as it may be shown: what is, or may be, a secret in it is masked."""
        shown = masked_text(files.readable(text), self._secrets())
        try:
            parse(text, self.environment)
        except ConfigError:
            # In a text with faults a secret may stand anywhere.
            return hide(shown, self._secrets())
        return shown

    def _secrets(self) -> list[str]:
        config = self._in_force()
        return secret_values(config) if config is not None else []

    def load_revision(self, revision: str) -> Snapshot:
        """A kept revision, secrets and all, for work that began with it. Raises NotFound, ConfigError."""
        return self.load_kept(files.find_revision(self.path, revision))

    def load_kept(self, kept: Revision) -> Snapshot:
        """The same of one that was found already. Raises ConfigError."""
        return parse(files.read_text(kept.path), self.environment, self.path)

    def _old_text(self, expected_revision: str | None) -> str:
        text = "" if files.file_state(self.path) is None else files.read_text(self.path, strict=False)
        if expected_revision is not None and revision_of(text) != expected_revision:
            raise RevisionChanged(expected_revision, revision_of(text))
        return text

    def _put(self, snapshot: Snapshot, old_text: str, actor: str) -> Snapshot:
        before = self._in_force()
        if self.guard is not None and before is not None:
            self.guard(before, snapshot.config)
        if old_text:
            files.keep_revision(self.path, old_text, "file")
        # Kept before it is in force, so that whoever notices the new file can tell who saved it.
        kept = files.keep_revision(self.path, snapshot.text, actor)
        try:
            files.replace_text(self.path, snapshot.text)
        except ConfigError:
            files.drop_revision(kept)
            raise
        self._put_in_force(files.file_state(self.path), snapshot)
        if self.saved is not None:
            self.saved(before, snapshot, actor)
        return self._told(snapshot, old_text)

    def _told(self, snapshot: Snapshot, old_text: str) -> Snapshot:
        old = read_document(old_text).values
        new = read_document(snapshot.text).values
        emptied = [path for path in sent_elsewhere(old, new) if get_path(old, path) and not get_path(new, path)]
        told = [Problem(path, EMPTIED.format(what=path.rpartition("_")[2].rpartition(".")[2])) for path in emptied]
        return replace(snapshot, warnings=(*snapshot.warnings, *told))
