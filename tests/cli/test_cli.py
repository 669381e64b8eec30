"""The command line: the same numbers and refusals as the other doors, exit codes, and a worker when none is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from app.cli import run
from app.db import runs
from app.model import WORKFLOW_STAGES, RunStatus, Trigger
from tests.browser import rows
from tests.cli.conftest import Machine, write_config
from tests.conftest import make_jpeg, read_tree, write_tree

HOME = Path(__file__).resolve().parents[2]


def test_the_whole_job_runs_without_a_service_and_prints_each_report(machine: Machine) -> None:
    pictures = {f"p{n}.jpg": make_jpeg(taken=f"2024:05:06 07:08:0{n}", seed=n) for n in range(3)}
    write_tree(machine.base / "ingest", {**pictures, "again.jpg": pictures["p0.jpg"]})
    code, out, _ = machine.call("run")
    assert code == 0, out
    told = [line for line in out.splitlines() if line.startswith("  ")]
    assert [line.split()[:2] for line in told[: len(WORKFLOW_STAGES)]] == [[s, "completed"] for s in WORKFLOW_STAGES]
    assert "{" not in out
    assert [line for line in machine.call("runs", "1")[1].splitlines() if line.startswith("  ")] == told
    assert "Run 1 is done." in out
    archived = {name for name in read_tree(machine.base / "archive") if name.endswith(".jpg")}
    assert archived == {f"2024/05/06/{name}" for name in pictures} or len(archived) == 3
    code, out, _ = machine.call("overview", "--json")
    lines = {line["key"]: line["files"] for line in json.loads(out)["balance"]["lines"]}
    assert (code, lines["archived"], lines["duplicate"]) == (0, 3, 1)


def test_a_run_as_json_is_one_document_with_its_steps(machine: Machine) -> None:
    code, out, _ = machine.call("dedup", "--json")
    answer = json.loads(out)
    assert (code, answer["status"], answer["trigger"]) == (0, "done", "cli")
    assert [step["name"] for step in answer["steps"]] == ["scan", "dedup"]


def test_a_run_that_waits_for_its_delivery_ends_with_0_and_says_so_as_its_help_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unreachable = {"api_url": "http://127.0.0.1:9", "api_key": "k", "folder_id": "photos", "rescan_delay_sec": 0}
    machine = Machine(tmp_path, capsys, sync={"target": "auto"}, syncthing=unreachable)
    write_tree(tmp_path / "ingest", {"a.jpg": make_jpeg(seed=1)})
    code, run = machine.ask("run")
    assert (code, run["status"]) == (0, "waiting")
    assert "Syncthing" in run["steps"][-1]["message"] and read_tree(tmp_path / "archive") == {}
    machine.services.close()
    said = " ".join(machine.call("run", "--help")[1].split())
    assert "A delivery may still be awaited" in said and '"waiting"' in said and "sync status --json" in said


def test_the_overview_says_when_the_next_run_starts_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(tmp_path, capsys, workflow={"schedule": ["0 3 * * *"], "watch": "poll"})
    assert "No run starts by itself before you have started the first one." in machine.call("overview")[1]
    machine.call("run")
    out = " ".join(machine.call("overview")[1].split())
    assert re.search(r"The next run starts by itself at \d{4}-\d\d-\d\d \d\d:00 UTC\.", out)
    assert "New files are looked for every 60 s; a run starts once they stand still." in out


def test_the_overview_shows_the_same_numbers_as_the_other_doors(machine: Machine) -> None:
    rows.fill(machine.services)
    code, out, _ = machine.call("overview")
    assert code == 0
    assert "Balance sheet (adds up)" in out
    for part in ("7,457", "5,200", "batch_003", "SORTED"):
        assert part in out
    _, out, _ = machine.call("--json", "overview")
    assert json.loads(out)["balance"]["seen"]["files"] == 7457


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["sync"],
        ["sync", "x"],
        ["sync", "0"],
        ["sort", "9" * 30],
        ["batch", "list", "--limit", "0"],
        ["--wrong"],
    ],
)
def test_wrong_usage_ends_with_2(machine: Machine, arguments: list[str]) -> None:
    code, _, err = machine.call(*arguments)
    assert code == 2
    assert err


def test_a_refusal_is_a_sentence_and_ends_with_2(machine: Machine) -> None:
    batch_id = rows.add_syncing_batch(machine.services)
    refusals = {
        ("sort", str(batch_id)): "batch_001 is SYNCING",
        ("sync", "77"): "There is no batch 77.",
        ("batch", "create"): "Batch batch_001 (id 1) is still SYNCING",
    }
    for arguments, sentence in refusals.items():
        code, _, err = machine.call(*arguments)
        assert code == 2
        assert sentence in err
    with machine.services.db.reading() as conn:
        assert runs.list_recent(conn) == []


def test_a_second_run_is_refused_while_one_is_in_flight(machine: Machine) -> None:
    rows.start_run(machine.services)
    code, _, err = machine.call("run")
    assert (code, "Run 1 is running" in err) == (2, True)


def test_the_doctor_finds_what_is_wrong(machine: Machine) -> None:
    assert machine.call("doctor")[0] == 0
    os.unlink(machine.base / "archive" / ".media-pipeline-root")
    code, out, _ = machine.call("doctor", "--json")
    assert code == 1
    faults = [one["name"] for one in json.loads(out)["checks"] if one["state"] == "fault"]
    assert any("archive" in name for name in faults), faults


def test_faults_of_the_configuration_are_all_told(machine: Machine) -> None:
    machine.config_path.write_text("batch: {max_size_gb: banana}\nsystem: {port_api: 0}\n")
    code, _, err = machine.call("overview")
    assert code == 2
    assert "batch.max_size_gb" in err
    assert "system.port_api" in err


def test_setup_makes_what_a_fresh_machine_needs_and_is_safe_to_repeat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_path = write_config(tmp_path)
    for _ in range(2):
        assert run(["--config", str(config_path), "setup", "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert {root["kind"] for root in report["roots"]} == {"ingest", "batch", "staging", "archive", "duplicates"}
    assert (tmp_path / "archive" / ".media-pipeline-root").exists()


def test_setup_says_which_folder_cannot_be_written_and_what_to_do(machine: Machine) -> None:
    archive = str(machine.base / "archive")
    subprocess.run(["mount", "--bind", "-o", "ro", archive, archive], check=True)
    try:
        code, _, err = machine.call("setup")
        _, report = machine.ask("setup")
    finally:
        subprocess.run(["umount", archive], check=True)
    assert code == 0
    assert f"fault: The archive folder {archive} cannot be used: nothing can be written to it" in err
    assert "Give that user the right to write there (PUID and PGID in a container), or mount it writable." in err
    assert "archive folder abilities" in [lacking["name"] for lacking in report["lacking"]]
    assert machine.ask("setup")[1]["lacking"] == []


def test_without_a_configuration_the_way_out_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--config", str(tmp_path / "none.yaml"), "overview"]) in (1, 2)
    assert "none.yaml" in capsys.readouterr().err


def test_the_menu_offers_the_seven_choices_and_survives_a_refusal(machine: Machine) -> None:
    rows.add_syncing_batch(machine.services)
    answered = menu(machine, "3\n5\n77\n7\nx\nq\n")
    for choice in ("1  Run full workflow", "2  Run dedup", "3  Create batch", "4  Start sync", "5  Run sort",
                   "6  Run cleanup", "7  Show overview", "q  Quit"):  # fmt: skip
        assert choice in answered
    assert "Batch batch_001 (id 1) is still SYNCING" in answered
    assert "There is no batch 77." in answered
    assert "Balance sheet" in answered
    assert "There is no choice 'x'." in answered


def test_the_menu_runs_a_stage_and_prints_its_report(machine: Machine) -> None:
    answered = menu(machine, "2\nq\n")
    assert "  scan     completed " in answered
    assert "is done." in answered
    with machine.services.db.reading() as conn:
        found = runs.list_recent(conn)
    assert [(one.status, one.trigger) for one in found] == [(RunStatus.DONE, Trigger.CLI)]


def menu(machine: Machine, typed: str) -> str:
    """What the script prints when this is typed."""
    command = [sys.executable, str(HOME / "scripts" / "workflow.py"), "--config", str(machine.config_path)]
    done = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_worker_that_cannot_work_is_explained(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_PIPELINE_BATCH__MAX_SIZE_GB", "banana")
    code, _, err = machine.call("overview")
    assert code == 2
    assert "MEDIA_PIPELINE_BATCH__MAX_SIZE_GB" in err or "batch.max_size_gb" in err


def test_json_never_mixes_with_sentences(machine: Machine) -> None:
    for arguments in (["doctor", "--json"], ["overview", "--json"], ["batch", "list", "--json"], ["cleanup", "--json"]):
        _, out, _ = machine.call(*arguments)
        json.loads(out)


def test_the_version_can_be_asked_for_without_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__
