"""Whatever is shown of a name can be given back, and a file is found by every name that it had."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import jobs
from app.db import assets, findings
from app.errors import printable
from app.model import AssetStatus
from tests.cli.conftest import Machine
from tests.conftest import make_jpeg
from tests.pipeline.running import workflow
from tests.pipeline.verifying import verify
from tests.web.conftest import Site

#: Not UTF-8; with a newline; with a backslash, alone and before what makes it look like an escape.
STRANGE = [b"caf\xe9.jpg", b"two\nlines.jpg", b"back\\slash.jpg", b"back\\new.jpg", b"double\\\\x41.jpg"]


@pytest.fixture
def strange(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Machine]:
    """A machine that has scanned files of strange names."""
    machine = Machine(tmp_path, capsys)
    for number, name in enumerate(STRANGE):
        with open(os.path.join(os.fsencode(tmp_path), b"ingest", name), "wb") as file:
            file.write(make_jpeg(seed=number))
    machine.call("dedup")
    yield machine
    machine.services.close()


@pytest.mark.parametrize("name", STRANGE)
def test_a_name_is_found_as_it_is_shown_and_as_it_is_spelled(strange: Machine, name: bytes) -> None:
    with strange.services.db.reading() as conn:
        listed = assets.list_page(conn, status=None, prefix=name, batch_id=None, after_id=0, limit=10)
    (wanted,) = listed
    for given in (printable(name), os.fsdecode(name)):
        whole = f"{strange.base}/ingest/{given}"
        for command in (("why", given), ("why", whole), ("assets", "show", given), ("assets", "show", whole)):
            code, answer = strange.ask(*command)
            assert (code, answer.get("asset", answer)["id"]) == (0, wanted.id), (command, given)
        for prefix in (given, whole):
            code, found = strange.ask("assets", "find", prefix)
            assert (code, [asset["id"] for asset in found["assets"]]) == (0, [wanted.id]), prefix
    shown = strange.call("assets", "find", f"{strange.base}/ingest/{printable(name)}")[1]
    assert str(wanted.id) in shown


@pytest.mark.parametrize("name", STRANGE)
def test_the_api_takes_a_path_back_as_it_has_told_it(strange: Machine, name: bytes) -> None:
    site = Site(strange.base)
    client = site.client()
    listed = client.get("/api/assets").json["assets"]
    (told,) = [asset for asset in listed if asset["path"] == printable(name)]
    for given in (told["path"], f"{strange.base}/ingest/{told['path']}"):
        answer = client.get("/api/assets/at", query_string={"path": given}).json
        assert [asset["id"] for asset in answer["assets"]] == [told["id"]]
        assert client.get("/api/why", query_string={"file": given}).json["asset"]["id"] == told["id"]
    for term in ("prefix", "origin", "name"):
        answer = client.get("/api/assets", query_string={term: told["path"]}).json
        assert [asset["id"] for asset in answer["assets"]] == [told["id"]], term
    site.services.close()


def renamed(machine: Machine, former: str, present: str) -> int:
    """A file of the archive that was renamed by hand, and the word of a person that this is right."""
    (machine.base / "ingest" / former).write_bytes(make_jpeg(seed=len(former)))
    workflow(machine.services)
    (path,) = (machine.base / "archive").rglob(former)
    path.rename(path.with_name(present))
    verify(machine.services)
    with machine.services.db.reading() as conn:
        (finding,), _ = findings.list_page(conn, None, 0, 10)
    accepted = jobs.accept_finding(machine.services, finding.id)
    assert accepted.asset_id is not None
    return accepted.asset_id


def test_a_file_renamed_by_hand_is_found_by_both_names_and_told_which(machine: Machine) -> None:
    asset_id = renamed(machine, "beach.jpg", "Holiday.jpg")
    for prefix, which in (("beach", "former"), ("HOLI", "present")):
        code, found = machine.ask("assets", "find", prefix)
        assert (code, [(a["id"], a["matches"]) for a in found["assets"]]) == (0, [(asset_id, which)])
    assert "Came as" in machine.call("assets", "find", "beach")[1]
    assert "Came as" not in machine.call("assets", "find", "holiday")[1]
    assert machine.ask("why", "holiday.jpg")[1]["asset"]["id"] == asset_id
    code, out, _ = machine.call("why", "beach.jpg")
    assert code == 0 and out.startswith("The file that was at beach.jpg is meant; this is its story.")


def test_the_file_that_is_called_so_now_comes_before_those_that_once_were(machine: Machine) -> None:
    first = renamed(machine, "beach.jpg", "other.jpg")
    second = renamed(machine, "sea.jpg", "beach.jpg")
    code, answer = machine.ask("why", "beach.jpg")
    assert (code, answer["asset"]["id"], answer["others"]) == (0, second, [first])
    texts = [sentence["text"] for sentence in answer["told"]]
    assert texts[0].startswith(f"2 files may be meant by beach.jpg. Told is the likeliest, file {second}: ")
    assert texts[1].startswith(f"File {second} is archived.")
    assert texts[-1].startswith(f"Also meant may be file {first}, which was called or placed so once: ")


def test_of_files_of_one_name_the_archived_one_is_meant_before_its_duplicate(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = machine.base / "ingest"
    (ingest / "sun.jpg").write_bytes(make_jpeg(seed=1))
    workflow(machine.services)
    (ingest / "sun.jpg").write_bytes(make_jpeg(seed=1))
    workflow(machine.services)
    code, answer = machine.ask("why", "sun.jpg")
    assert (code, answer["asset"]["status"], len(answer["others"])) == (0, "archived", 1)
    (duplicate,) = answer["others"]
    for exactly in (str(duplicate), str(ingest / "sun.jpg")):
        assert machine.ask("why", exactly)[1]["asset"]["id"] == duplicate
    monkeypatch.chdir(ingest)
    assert machine.ask("why", "sun.jpg")[1]["asset"]["id"] == duplicate


def test_a_name_that_changes_back_is_no_second_name(machine: Machine) -> None:
    asset_id = renamed(machine, "beach.jpg", "other.jpg")
    (path,) = (machine.base / "archive").rglob("other.jpg")
    path.rename(path.with_name("beach.jpg"))
    verify(machine.services)
    with machine.services.db.reading() as conn:
        (finding,), _ = findings.list_page(conn, None, 0, 10)
    jobs.accept_finding(machine.services, finding.id)
    assert json.loads(machine.call("assets", "find", "other", "--json")[1])["assets"] == []
    assert [a["matches"] for a in machine.ask("assets", "find", "beach")[1]["assets"]] == ["both"]
    with machine.services.db.reading() as conn:
        assert assets.get(conn, asset_id).status is AssetStatus.ARCHIVED
