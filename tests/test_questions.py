"""Every question of docs/operations.md has its answer: the command's and the address's, with the very fact in it.

One installation that has been through a lot is asked everything, in the order of the table.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import __version__
from app.overview import roots as root_looks
from app.services import ServiceContainer
from app.web import create_app
from tests.prepared import Prepared
from tests.worker.installation import PROGRAM

TABLE = (PROGRAM / "docs" / "operations.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<question>[^|]+\?) \| `(?P<command>[^`]+)` \| `(?P<method>[A-Z]+) (?P<path>[^`]+)` \|$", re.M)

#: What differs from one look to the next.
VOLATILE = {"generated_at", "checked_at", "free_bytes", "total_bytes", "heartbeat_at"}


@dataclass(frozen=True)
class Answer:
    """What an answer must hold: for a person, in the JSON of the command, and in that of the address.

    The words in JSON are those for a person unless given. `same` means that both documents are equal.
    """

    told: str
    data: str = ""
    served: str = ""
    code: int = 0
    status: int = 200
    same: bool = False
    body: str | None = None


#: Stands for the settings file itself, which has braces of its own.
CONFIG = "the settings file"

ANSWERS: dict[str, Answer] = {
    "Where is this photo, and where has it been?": Answer("{file}", same=True),
    "Where did the file go that I put into ingest?": Answer("{file}"),
    "Why was it filed under that date?": Answer("its EXIF capture date (DateTimeOriginal)", same=True),
    "Is this file a duplicate, and of what?": Answer("byte for byte that of file {asset_id}, {file}"),
    "Why is this file not taken in?": Answer("left in place: not a photo or video (.txt)", code=1, same=True),
    "What happens to this file next?": Answer("media-pipeline assets retry {failed_id}"),
    "Which files belong together with it?": Answer("together with 2024/05/06/IMG_0001.xmp", same=True),
    "Who moved it, when, from where to where?": Answer("to {file}", data="{file}", served="{file}"),
    "What happened to this file?": Answer("Input/output error", same=True),
    "Has the peer this file, and since when?": Answer("was proven in the delivery folder", same=True),
    "Is everything I put in accounted for?": Answer("adds up", data='"adds_up": true', same=True),
    "How many files are archived, waiting, failed?": Answer("Archived", data='"archived": 5'),
    "Which files are duplicates, and of what?": Answer("{duplicate_path}", same=True),
    "Which duplicates are there, as a plain list for another program?": Answer(
        "{file}\n{duplicate_path}", data="{duplicate_path}", served="{duplicate_id}"
    ),
    "Which duplicates has this file?": Answer("{duplicate_path}", data="phone/copy.jpg", same=True),
    "Which files have failed, and why?": Answer("Input/output error"),
    "Which files were set aside, and why?": Answer("another name of a file that is known already"),
    "What lies in the ingest folder and is not taken in?": Answer("{stray_path}", same=True),
    "Why does this sidecar stay in the ingest folder?": Answer("set scan.lone_sidecars to archive", code=1, same=True),
    "Which sidecars wait for their photo, and since when?": Answer(
        "IMG_0777.xmp: waits for the photo or video that it belongs to (here since 20",
        data="it belongs to (here since 20",
        served="it belongs to (here since 20",
    ),
    "Which dates were found for this file, and why is this one believed?": Answer(
        "EXIF DateTimeOriginal is asked first", same=True
    ),
    "Which files have a doubtful date?": Answer("camera/scan.jpg", same=True),
    "How many dates are doubtful, and of which cameras and folders?": Answer(
        "folder camera", data='"folder": "camera"', same=True
    ),
    "What have people decided about dates?": Answer("accept, 1 file", data='"first": "camera/IMG_0002.JPG"', same=True),
    "These two files of one name do not belong together: what if one leaves?": Answer(
        "would have the date that was decided", data='"id": {asset_id}',
        body='{"action": "accept", "asset_ids": [{asset_id}], "alone": true, "dry_run": true}',
    ),
    "Beside which files would XMP sidecars tell the decided dates?": Answer(
        "1 file with a decided date gets a sidecar", data='"files": 1', body='{"dry_run": true}'
    ),
    "Why do two files of one name lie in different folders?": Answer("filed under 2024/05/06", same=True),
    "I changed the template: how do I file anew what is archived?": Answer("lies where it belongs"),
    "Which runs filed the archive anew, and how do I take one back?": Answer("refile", same=True),
    "Which files have a date that a person decided?": Answer("2023/01/02/IMG_0002.JPG", same=True),
    "Which files have the date of their copy?": Answer("2021/07/08/scan.jpg", same=True),
    "What was taken in May 2024?": Answer("2024/05/06/IMG_0001.JPG", same=True),
    "Which file has this checksum?": Answer("2024/05/06/IMG_0001.JPG", same=True),
    "Which files have a name that begins so?": Answer("2022/03/04/IMG_20220304_050607.jpg", same=True),
    "Which files came from this folder?": Answer("2021/07/08/scan.jpg", same=True),
    "What lies in this folder of the archive?": Answer("2023/01/02/IMG_0002.JPG", same=True),
    "Which batches are there?": Answer("batch_003", same=True),
    "How far is this batch?": Answer("files proven", data='"progress": 100.0'),
    "How fast does it go, and how long will it take?": Answer("It is delivered."),
    "How did deliveries go, and how much a day?": Answer("Received per day", data='"device_id": "folder"'),
    "Which files does the peer lack, and why?": Answer("No file is missing at the folder.", data='"files": []'),
    "Did the peer really get this batch?": Answer("2 of 2 files proven", data='"device_id": "folder"', same=True),
    "Is this batch in the archive?": Answer("files are archived", data='"sorted_files": '),
    "Which files are in this batch?": Answer("2024/05/06/IMG_0001.JPG"),
    "What exactly was sent, with which checksums?": Answer("{digest}", same=True),
    "Why did this batch stop, and what do I do?": Answer("The peer's disk is full.", same=True),
    "Which batches have stopped?": Answer("batch_003", same=True),
    "What happened to this batch?": Answer("batch.created", same=True),
    "What has failed, and can be tried again?": Answer("The archive folder was away."),
    "What will happen when I press run?": Answer("batch_004", data="2020/02/02"),
    "Which files would a run touch, and where would each go?": Answer("2020/02/02", data="2020/02/02"),
    "Which batches would a run make?": Answer("batch_004"),
    "How many files are in which folder of the archive?": Answer("2021/07", same=True),
    "What would the archive look like by another pattern?": Answer("2021/Juli", same=True),
    "Can I take this batch back, and what would that do?": Answer(
        "go back to where they came from", data='"possible": true', same=True
    ),
    "What is running now?": Answer("Nothing is running.", data='"running": false'),
    "What was asked for lately, and by whom?": Answer("schedule", same=True),
    "What did this run do, step by step?": Answer("5 unique", same=True),
    "What happened in this run?": Answer("scan.finished"),
    "Which runs have failed, and why?": Answer("The archive folder was away.", same=True),
    "How did the search for duplicates go?": Answer("1 duplicate", served='"duplicate_files": 1'),
    "What happened lately?": Answer("config.saved", same=True),
    "What went wrong lately?": Answer("Input/output error", same=True),
    "Which settings are in force, and where from?": Answer("timezone = Europe/Berlin", data='"Europe/Berlin"'),
    "Who changed the settings, when, and what?": Answer("sorter.timezone", same=True),
    "Is my settings file right?": Answer("No faults.", data='"valid": true', body=CONFIG),
    "What may this setting be, and what does it mean?": Answer("Europe/Berlin", served="Zone that decides the day"),
    "What would a preset change?": Answer("sync.target"),
    "Is the archive still intact?": Answer("{spoiled_path}", data='"altered": 1', code=1),
    "Which files are damaged, missing or not ours?": Answer("{spoiled_path}", code=1, same=True),
    "When was what read again, and when is the next time?": Answer(
        "5 files, 1 of them never verified", data='"never_verified": 1', code=1, same=True
    ),
    "Is this file still what it was?": Answer("The last verification found something wrong with it", same=True),
    "Is everything as it should be?": Answer("The peer's disk is full.", code=1),
    "Is a move here a rename or a copy?": Answer("is a rename: it takes no time", code=1),
    "Is the worker running?": Answer("No worker is running", code=1, served='"status": "ready"'),
    "How much room is left?": Answer("Free bytes", data='"free_bytes": ', same=True),
    "When was the last backup made?": Answer("0 days old", code=1, served="media-pipeline-backup-"),
    "Was the database made anew, and is that confirmed?": Answer(
        "No rebuild was made.", data='"state": "none"', same=True
    ),
    "Is Syncthing set up, and what is missing?": Answer("There is no Syncthing API key", code=1, same=True),
    "Which devices want to connect?": Answer("There is no Syncthing API key", code=1, same=True),
    "Does anything arrive at the peer at all?": Answer("No pairing test was made yet"),
    "Which files did the rebuild find, and what became of each?": Answer(
        "No rebuild was made.", data='"state": "none"', served='"files": []'
    ),
    "Why does the delivery not work?": Answer("peer is mounted", code=1, served="sync.target is folder"),
    "What did the processes write?": Answer("moves that were cut off", same=True),
    "Which version is this?": Answer(__version__),
}


def questions() -> list[re.Match[str]]:
    return list(ROW.finditer(TABLE))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    root_looks.forget()
    with Prepared(tmp_path_factory.mktemp("questions")) as found:
        yield found


@pytest.fixture(scope="module")
def client(prepared: Prepared) -> FlaskClient:
    return create_app(container=ServiceContainer(str(prepared.config_path))).test_client()


def test_the_table_asks_enough_and_every_row_has_its_answer_here() -> None:
    asked = [row["question"] for row in questions()]
    section = TABLE[TABLE.index("## What do I want to know?") :]
    section = section[: section.index("\n## ", 1)]
    lines = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| question")]
    assert len(asked) == len(lines), "a row that cannot be read"
    assert len(asked) >= 40 and len(asked) == len(set(asked))
    assert set(asked) == set(ANSWERS)


@pytest.mark.parametrize("row", questions(), ids=lambda row: row["question"].rstrip("?"))
def test_the_command_and_the_address_answer(row: re.Match[str], prepared: Prepared, client: FlaskClient) -> None:
    names = prepared.placeholders()
    expected = ANSWERS[row["question"]]
    words = [word.format(**names) for word in shlex.split(row["command"])]

    code, told, err = prepared.call(*words)
    assert (code, err) == (expected.code, ""), told
    assert expected.told.format(**names) in told

    data = None
    if not words[0].startswith("--"):
        code, out, err = prepared.call(*words, "--json")
        assert (code, err) == (expected.code, ""), out
        data = json.loads(out)
        assert fact_of(expected.data or expected.told, names) in as_text(data)

    served = ask(client, row, names, expected)
    assert fact_of(expected.served or expected.data or expected.told, names) in as_text(served)
    if expected.same:
        assert without_volatile(data) == without_volatile(served)


def fact_of(text: str, names: dict[str, Any]) -> str:
    """What to look for; JSON has braces of its own."""
    return re.sub(r"\{(\w+)\}", lambda match: str(names[match[1]]), text)


def ask(client: FlaskClient, row: re.Match[str], names: dict[str, Any], expected: Answer) -> Any:
    body, kind = fact_of(expected.body or "", names) or None, "application/json"
    if expected.body == CONFIG:
        body, kind = Path(names["base"], "config.yaml").read_text(), "application/yaml"
    answer = client.open(
        row["path"].format(**names), method=row["method"], data=body, content_type=kind if body else None
    )
    assert answer.status_code == expected.status, answer.text
    return answer.json


def as_text(document: Any) -> str:
    """JSON on one line, names as they are."""
    return json.dumps(document, ensure_ascii=False)


def without_volatile(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: without_volatile(value) for key, value in document.items() if key not in VOLATILE}
    return [without_volatile(value) for value in document] if isinstance(document, list) else document


@pytest.mark.parametrize("row", questions()[:: max(1, len(questions()) // 4)], ids=lambda row: row["question"])
def test_the_program_that_a_person_starts_answers_alike(row: re.Match[str], prepared: Prepared) -> None:
    names = prepared.placeholders()
    words = [word.format(**names) for word in shlex.split(row["command"])]
    command = [sys.executable, "-m", "app.cli", "--config", str(prepared.config_path), *words]
    done = subprocess.run(command, cwd=PROGRAM, capture_output=True, text=True, timeout=120, check=False)
    expected = ANSWERS[row["question"]]
    assert (done.returncode, done.stderr) == (expected.code, "")
    assert expected.told.format(**names) in done.stdout
