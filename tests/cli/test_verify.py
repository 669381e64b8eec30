"""`verify` and `findings` on the command line."""

from __future__ import annotations

import os

from app.model import AssetStatus
from tests.cli.conftest import Machine
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.library import get_asset
from tests.pipeline.verifying import archive_of, edit, flip_a_byte, path_of, root


def test_verify_ends_well_when_every_file_is_as_it_was(machine: Machine) -> None:
    archive_of(machine.services, 2)
    code, found = machine.ask("verify")
    assert (code, found["status"], found["findings"]["total"]) == (0, "done", 0)
    assert found["steps"][0]["message"] == "2 files are as they were."


def test_verify_ends_with_1_and_shows_what_it_found(machine: Machine) -> None:
    one, two = archive_of(machine.services, 2)
    flip_a_byte(path_of(machine.services, one))
    os.unlink(path_of(machine.services, two))
    code, out, _ = machine.call("verify", "--roots", "archive,batch", "--max-mb-per-second", "100")
    assert code == 1
    assert "altered" in out
    assert os.fsdecode(path_of(machine.services, two)) in out
    assert "Put it back from your backup" in out
    code, found = machine.ask("findings", "--kind", "missing")
    assert (code, [finding["asset_id"] for finding in found["findings"]]) == (1, [two.id])


def test_what_is_asked_wrong_is_refused(machine: Machine) -> None:
    assert machine.call("verify", "--roots", "everything")[0] == 2
    assert machine.call("verify", "--max-mb-per-second", "-1")[0] == 2
    assert machine.call("findings", "accept", "--yes", "1", "--how", "delete")[0] == 2
    assert machine.call("findings", "show", "4711")[0] == 2


def test_the_status_starts_nothing(machine: Machine) -> None:
    archive_of(machine.services, 1)
    code, out, _ = machine.call("verify", "--status")
    assert (code, "Nothing was ever verified." in out) == (0, True)
    machine.call("verify")
    code, out, _ = machine.call("verify", "--status")
    assert "1 file is as it was." in out
    assert "archive: 1 file, and it was verified on 2" in out
    code, status = machine.ask("verify", "--status")
    assert (code, status["coverage"]["archive"]["never_verified"]) == (0, 0)


def test_findings_are_shown_accepted_and_reported_again(machine: Machine) -> None:
    one, two = archive_of(machine.services, 2)
    edit(path_of(machine.services, one))
    os.unlink(path_of(machine.services, two))
    write_tree(root(machine.services).path, {"new.jpg": make_jpeg(seed=9)})
    machine.call("verify")
    _, found = machine.ask("findings")
    ids = {finding["kind"]: str(finding["id"]) for finding in found["findings"]}
    code, out, _ = machine.call("findings", ids["altered"])
    assert (code, "What lies there now has the SHA-256" in out) == (0, True)
    code, answer = machine.ask("findings", "accept", ids["altered"])
    assert (code, "say --yes" in answer["error"]["detail"]) == (2, True)
    code, answer = machine.ask("findings", "accept", "--yes", *ids.values())
    assert (code, len(answer["accepted"]), answer["refused"]) == (0, 3, [])
    assert get_asset(machine.services, two.id).status is AssetStatus.GONE
    assert machine.ask("findings")[0] == 0
    assert machine.call("findings", "report", ids["foreign"])[0] == 0
    assert machine.ask("findings")[0] == 1
    code, answer = machine.ask("findings", "accept", "--yes", ids["altered"])
    assert (code, len(answer["refused"])) == (1, 1)


def test_the_status_of_a_new_system_says_that_there_is_nothing_yet(machine: Machine) -> None:
    code, out, _ = machine.call("verify", "--status")
    assert (code, "Nothing was ever verified. Begin with: media-pipeline verify" in out) == (0, True)
    assert "archive: no file is there yet." in out and "Nothing waits for a person." in out


def test_a_finding_of_another_kind_than_was_seen_is_not_accepted(machine: Machine) -> None:
    one, two = archive_of(machine.services, 2)
    edit(path_of(machine.services, one))
    edit(path_of(machine.services, two), b"edited as well")
    machine.call("verify")
    ids = [str(finding["id"]) for finding in machine.ask("findings")[1]["findings"]]
    os.unlink(path_of(machine.services, one))
    machine.call("verify")
    code, answer = machine.ask("findings", "accept", "--yes", "--kind", "altered", *ids)
    assert (code, len(answer["accepted"])) == (1, 1)
    assert "is missing now, not altered" in answer["refused"][0]["reason"]
    assert get_asset(machine.services, one.id).status is AssetStatus.ARCHIVED


def test_all_findings_of_a_kind_are_accepted_at_once_and_no_other(machine: Machine) -> None:
    found = archive_of(machine.services, 5)
    for number, asset in enumerate(found[:3]):
        edit(path_of(machine.services, asset), b"edited %d" % number)
    os.unlink(path_of(machine.services, found[3]))
    machine.call("verify")
    code, answer = machine.ask("findings", "accept", "--all", "altered")
    assert (code, "say --yes" in answer["error"]["detail"]) == (2, True)
    code, answer = machine.ask("findings", "accept", "--all", "altered", "--yes")
    assert (code, answer["accepted"], answer["refused"]) == (0, 3, 0)
    left = machine.ask("findings")[1]
    assert [(finding["kind"], finding["asset_id"]) for finding in left["findings"]] == [("missing", found[3].id)]
    assert machine.call("findings", "accept", "--yes")[0] == 2
    assert machine.call("findings", "accept", "--all", "altered", "--yes", "1")[0] == 2
    assert machine.call("findings", "accept", "--all", "unreadable", "--yes")[0] == 2
