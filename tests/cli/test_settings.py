"""`config` and `key` at the command line: beside a running service, without one, and with a file that is broken."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from app.cli import run
from app.config.store import ConfigStore
from app.db import config_revisions
from app.services import ServiceContainer, set_up
from app.web import create_app
from tests.web.conftest import write_config

CANARY = "CANARY-SYNCTHING-0123456789"


class Terminal:
    """A configuration file and a way to call the command line on it."""

    def __init__(self, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.path = write_config(base, syncthing={"api_key": CANARY})

    def call(self, *arguments: str) -> tuple[int, str, str]:
        """(exit code, stdout, stderr)."""
        self.capsys.readouterr()
        code = run(["--config", str(self.path), *arguments])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def ask(self, *arguments: str) -> tuple[int, Any]:
        """(exit code, the JSON document)."""
        code, out, _ = self.call(*arguments, "--json")
        return code, json.loads(out)

    def setting(self, path: str) -> Any:
        """The value in the file."""
        found: Any = ConfigStore(str(self.path)).load().config
        for name in path.split("."):
            found = getattr(found, name)
        return found


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, capsys)


def test_one_value_is_printed_bare_and_a_section_with_where_it_comes_from(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_PIPELINE_BATCH__MAX_FILES", "7")
    assert terminal.call("config", "show", "batch.max_size_gb") == (0, "15\n", "")
    out = terminal.call("config", "show", "batch")[1]
    assert "batch.max_files = 7   (MEDIA_PIPELINE_BATCH__MAX_FILES)" in out
    assert "batch.selection_mode = size   (file)" in out
    assert "sync.target" not in out
    document = terminal.ask("config", "show", "batch.max_files")[1]
    assert document["value"] == 7
    code, _, err = terminal.call("config", "show", "nothing")
    assert (code, "There is no setting nothing" in err) == (2, True)


def test_nothing_that_is_shown_holds_a_secret(terminal: Terminal) -> None:
    terminal.call("config", "set", "batch.max_files=3")
    for arguments in (
        ["show"],
        ["show", "--raw"],
        ["history"],
        ["show", "syncthing.api_key"],
        ["validate"],
        ["presets"],
    ):
        for more in ([], ["--json"]):
            _, out, err = terminal.call("config", *arguments, *more)
            assert CANARY not in out + err


def test_settings_are_typed_by_the_schema_and_saved_together(terminal: Terminal) -> None:
    code, out, _ = terminal.call(
        "config", "set", "batch.max_size_gb=2.5", "batch.allow_parallel=yes", "scan.ignore_patterns=*.tmp, @eaDir",
        "syncthing.folder_id=123", "system.port_api=8123",
    )  # fmt: skip
    assert code == 0
    assert "batch.max_size_gb: 15 → 2.5" in out
    assert "At the next start: system.port_api." in out
    assert terminal.setting("scan.ignore_patterns") == ("*.tmp", "@eaDir")
    assert (terminal.setting("batch.allow_parallel"), terminal.setting("syncthing.folder_id")) == (True, "123")
    assert terminal.call("config", "set", "batch.max_size_gb=null")[0] == 0
    assert terminal.setting("batch.max_size_gb") == 15


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("batch.max_size_gb=banana", "batch.max_size_gb: must be a number, not banana"),
        ("batch.max_sise=3", "did you mean max_size_gb"),
        ("paths.source_dir=null", "paths.source_dir: is missing"),
        ("batch.max_files", "is not KEY=VALUE"),
        ("sync.target=folder", "sync.folder_dir: is needed"),
    ],
)
def test_a_wrong_assignment_is_refused_in_words_and_changes_nothing(
    terminal: Terminal, assignment: str, words: str
) -> None:
    before = terminal.path.read_bytes()
    code, _, err = terminal.call("config", "set", "dedup.threads=3", assignment)
    assert (code, words in err) == (2, True), err
    assert terminal.path.read_bytes() == before


def test_a_key_that_a_variable_sets_is_refused_even_for_null(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_PIPELINE_BATCH__MAX_FILES", "7")
    for value in ("8", "null"):
        code, _, err = terminal.call("config", "set", f"batch.max_files={value}")
        assert (code, "MEDIA_PIPELINE_BATCH__MAX_FILES" in err) == (2, True)


def test_a_file_is_checked_with_the_place_of_each_fault(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(terminal.path.read_text() + "batch:\n    max_files: x\nfoo: 1\n")
    code, out, _ = terminal.call("config", "validate", str(draft))
    assert code == 2
    lines = len(draft.read_text().splitlines())
    assert f"{draft}:{lines}:1 foo: is not a setting" in out
    code, found = terminal.ask("config", "validate", str(draft))
    assert (code, found["valid"], found["errors"][-1]["line"]) == (2, False, lines)
    draft.write_text(terminal.path.read_text().replace("threads: 2", "threads: 5"))
    code, out, _ = terminal.call("config", "validate", str(draft))
    assert (code, "dedup.threads: 2 → 5" in out) == (0, True)
    assert terminal.call("config", "validate")[0] == 0
    draft.write_bytes(b"batch:\n \xff")
    with draft.open("rb") as file:
        monkeypatch.setattr("sys.stdin", type("Input", (), {"buffer": file, "isatty": lambda self: False})())
        code, out, _ = terminal.call("config", "validate", "-")
    assert (code, out.splitlines()[0]) == (2, "<stdin>:2:2 the file is not UTF-8 text")
    assert terminal.call("config", "validate", str(tmp_path / "nothing.yaml"))[0] == 2


def test_the_history_names_who_and_what_and_can_be_gone_back_in(terminal: Terminal) -> None:
    terminal.call("config", "set", "batch.max_files=3")
    terminal.call("config", "set", "batch.max_files=4")
    out = terminal.call("config", "history")[1]
    assert "batch.max_files: 3 → 4" in out
    assert out.count("cli (") == 2
    revisions = terminal.ask("config", "history")[1]["revisions"]
    assert [entry["in_force"] for entry in revisions] == [True, False, False]
    code, out, _ = terminal.call("config", "rollback", revisions[1]["revision"][:12])
    assert (code, "batch.max_files: 4 → 3" in out) == (0, True)
    assert terminal.setting("batch.max_files") == 3
    assert terminal.call("config", "rollback", "zzzz")[0] == 2


def test_a_preset_is_shown_first_and_applied_when_asked(terminal: Terminal) -> None:
    before = terminal.path.read_bytes()
    code, out, _ = terminal.call("config", "preset", "copy-only")
    assert (code, "batch.transfer_mode: move → copy" in out) == (0, True)
    assert terminal.path.read_bytes() == before
    assert terminal.call("config", "preset", "copy-only", "--apply")[0] == 0
    assert terminal.setting("batch.transfer_mode") == "copy"
    presets = terminal.ask("config", "presets")[1]["presets"]
    assert next((preset["name"], preset["in_force"]) for preset in presets) == ("copy-only", True)
    assert terminal.call("config", "preset", "nothing")[0] == 2


def test_a_broken_file_can_be_shown_checked_and_gone_back_from(terminal: Terminal) -> None:
    terminal.call("config", "set", "batch.max_files=3")
    terminal.path.write_text(terminal.path.read_text() + "batch: [\n")
    broken = terminal.path.read_bytes()
    assert terminal.call("config", "validate")[0] == 2
    assert terminal.call("config", "show", "--raw")[0] == 0
    assert terminal.call("config", "set", "batch.max_files=4")[0] == 2
    assert terminal.path.read_bytes() == broken
    good = terminal.ask("config", "history")[1]["revisions"][0]["revision"]
    assert terminal.call("config", "rollback", good)[0] == 0
    assert terminal.setting("batch.max_files") == 3


# --- keys


def test_a_key_is_printed_once_and_opens_what_its_scope_allows(terminal: Terminal) -> None:
    set_up(ConfigStore(str(terminal.path)).load()).close()
    container = ServiceContainer(str(terminal.path))
    client = create_app(container=container).test_client()
    assert client.get("/api/runs").status_code == 200
    code, made = terminal.ask("key", "add", "anna", "--scope", "admin")
    assert (code, len(made["key"])) == (0, 43)
    assert client.get("/api/runs").status_code == 401
    assert client.get("/api/runs", headers={"x-api-key": made["key"]}).status_code == 200
    code, out, _ = terminal.call("key", "add", "wall-display")
    shown = out.splitlines()[1]
    assert client.get("/api/runs", headers={"x-api-key": shown}).status_code == 200
    assert client.post("/api/workflow/run", headers={"x-api-key": shown}).status_code == 403
    listed = terminal.ask("key", "list")[1]
    assert [(key["name"], key["scope"]) for key in listed["keys"]] == [("anna", "admin"), ("wall-display", "read")]
    assert shown not in str(listed)
    assert terminal.call("key", "remove", "wall-display")[0] == 0
    assert client.get("/api/runs", headers={"x-api-key": shown}).status_code == 401
    assert client.get("/api/runs", headers={"x-api-key": made["key"]}).status_code == 200
    assert "No key is left" in terminal.call("key", "remove", "anna", "--yes")[1]
    assert client.get("/api/runs").status_code == 200
    container.services.close()


@pytest.mark.parametrize("name", ["main", "anna", "two words", "", "x" * 41])
def test_a_name_that_is_taken_or_no_name_is_refused(terminal: Terminal, name: str) -> None:
    terminal.call("key", "add", "anna", "--scope", "admin")
    before = terminal.path.read_bytes()
    assert terminal.call("key", "add", name)[0] == 2
    assert terminal.path.read_bytes() == before


def test_the_last_key_is_removed_only_after_a_yes_and_another_one_without_asking(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.call("key", "add", "anna", "--scope", "admin")
    terminal.call("key", "add", "berta")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert terminal.call("key", "remove", "berta")[0] == 0
    code, out, _ = terminal.call("key", "remove", "anna")
    assert (code, "whoever reaches this server may use it" in out) == (2, True)
    code, answer = terminal.ask("key", "remove", "anna")
    assert (code, "--yes" in answer["error"]["detail"]) == (2, True)
    assert [key.name for key in terminal.setting("auth.keys")] == ["anna"]
    assert terminal.ask("key", "remove", "anna", "--yes") == (0, {"removed": "anna", "needed": False, "warnings": []})


def test_what_is_not_there_cannot_be_removed(terminal: Terminal) -> None:
    assert terminal.call("key", "remove", "nobody")[0] == 2
    code, _, err = terminal.call("key", "remove", "main")
    assert (code, "config set auth.api_key=null" in err) == (2, True)


# --- beside a running service


def test_a_change_beside_a_running_service_is_in_force_there_at_once_and_in_its_journal(terminal: Terminal) -> None:
    set_up(ConfigStore(str(terminal.path)).load()).close()
    container = ServiceContainer(str(terminal.path))
    client = create_app(container=container).test_client()
    client.get("/api/workflow/overview")
    terminal.call("config", "set", "batch.max_files=9")
    assert client.get("/api/config").json["batch"]["max_files"] == 9
    with container.services.db.reading() as conn:
        newest = config_revisions.list_recent(conn)[0]
    assert newest.actor.startswith("cli (")
    assert newest.changed_keys == ("batch.max_files",)
    container.services.close()


def test_saves_from_both_doors_at_once_leave_one_whole_file_with_all_of_them(terminal: Terminal) -> None:
    set_up(ConfigStore(str(terminal.path)).load()).close()
    container = ServiceContainer(str(terminal.path))
    client = create_app(container=container).test_client()

    def save_over_http() -> None:
        for number in range(1, 9):
            client.put("/api/config", json={"batch": {"max_files": number}})

    thread = threading.Thread(target=save_over_http)
    thread.start()
    for number in range(1, 9):
        terminal.call("config", "set", f"dedup.threads={number}")
    thread.join()
    assert (terminal.setting("batch.max_files"), terminal.setting("dedup.threads")) == (8, 8)
    container.services.close()
