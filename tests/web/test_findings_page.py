"""The page of findings without a browser: what it says of each, and what a person's word changes."""

from __future__ import annotations

import os

import pytest
from flask.testing import FlaskClient

from app.model import FindingKind, RootKind
from app.services import Services
from app.web import findings_page
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.verifying import archive_of, edit, flip_a_byte, path_of, root, verify
from tests.web.conftest import Site

HTMX = {"HX-Request": "true"}


def page_of(client: FlaskClient, path: str = "/findings") -> str:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text


def harm(services: Services) -> None:
    """An archive in which one file was damaged, one removed, one edited, and two came by hand."""
    one, two, three, _ = archive_of(services, 4)
    flip_a_byte(path_of(services, one))
    os.unlink(path_of(services, two))
    edit(path_of(services, three))
    write_tree(root(services).path, {"new.jpg": make_jpeg(seed=98), "<b>.jpg": make_jpeg(seed=99)})
    verify(services)


def ids(client: FlaskClient, kind: str) -> list[int]:
    return [found["id"] for found in client.get(f"/api/findings?kind={kind}").json["findings"]]


def counts(client: FlaskClient) -> dict[str, int]:
    return {kind: number for kind, number in client.get("/api/findings").json["counts"].items() if number}


def test_before_the_first_verification_the_page_says_how_to_begin(client: FlaskClient) -> None:
    page = page_of(client)
    assert "Nothing waits for you." in page
    assert "Nothing was verified yet: press Verify files." in page


def test_each_finding_stands_there_with_its_place_its_reason_and_what_to_do(client: FlaskClient, site: Site) -> None:
    harm(site.services)
    page = page_of(client)
    for found in client.get("/api/findings").json["findings"]:
        assert found["place"].replace("<b>", "&lt;b&gt;") in page
        assert found["remedy"] in page
        assert f'value="{found["id"]}:{found["kind"]}"' in page
    assert "<b>.jpg" not in page
    missing = page_of(client, "/findings?kind=missing")
    assert [f'id="row-{one}"' in missing for one in (*ids(client, "missing"), *ids(client, "foreign"))] == [
        True, False, False,
    ]  # fmt: skip


def test_the_run_that_verified_leads_to_what_it_found(client: FlaskClient, site: Site) -> None:
    harm(site.services)
    run = client.get("/api/verify").json["run"]
    assert '<a href="/findings?kind=altered">2 altered</a>' in page_of(client, f"/runs/{run['id']}")


def test_ticked_findings_are_accepted_and_no_file_is_touched(client: FlaskClient, site: Site) -> None:
    harm(site.services)
    before = sorted(os.walk(os.fsdecode(root(site.services, RootKind.ARCHIVE).path)))
    ticked = [f"{ids(client, 'missing')[0]}:missing", f"{ids(client, 'altered')[0]}:altered"]
    answer = client.post("/findings/accept", data={"finding": ticked}, headers=HTMX)
    assert "2 findings were accepted." in answer.text
    assert counts(client) == {"altered": 1, "foreign": 2, "total": 3}
    assert sorted(os.walk(os.fsdecode(root(site.services, RootKind.ARCHIVE).path))) == before


def test_one_that_is_of_another_kind_now_is_refused_and_the_others_are_accepted(
    client: FlaskClient, site: Site
) -> None:
    harm(site.services)
    (missing,), (altered, _) = ids(client, "missing"), ids(client, "altered")
    answer = client.post(
        "/findings/accept", data={"finding": [f"{missing}:altered", f"{altered}:altered"]}, headers=HTMX
    )
    assert "1 finding was accepted." in answer.text
    assert f"Finding {missing} was not: Finding {missing} is missing now" in answer.text
    assert 'class="notice warning"' in answer.text
    assert counts(client)["missing"] == 1


def test_a_foreign_file_is_adopted_or_ignored_and_reported_again(client: FlaskClient, site: Site) -> None:
    harm(site.services)
    one, two = ids(client, "foreign")
    client.post("/findings/accept", data={"finding": f"{one}:foreign", "how": "adopt"}, headers=HTMX)
    client.post("/findings/accept", data={"finding": f"{two}:foreign", "how": "ignore"}, headers=HTMX)
    assert ids(client, "foreign") == []
    assert ids(client, "ignored") == [two]
    assert "Report it again" in page_of(client, "/findings?kind=ignored")
    client.post(f"/api/findings/{two}/report", headers=HTMX)
    assert ids(client, "foreign") == [two]


def test_all_of_a_kind_are_accepted_at_once(client: FlaskClient, site: Site) -> None:
    harm(site.services)
    answer = client.post("/findings/accept-all", data={"kind": "altered"}, headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert counts(client) == {"missing": 1, "foreign": 2, "total": 3}


@pytest.mark.parametrize("sent", [{}, {"finding": "x:altered"}, {"finding": "1:nothing"}, {"finding": "1"}])
def test_nothing_ticked_is_said(client: FlaskClient, sent: dict[str, str]) -> None:
    answer = client.post("/findings/accept", data=sent)
    assert (answer.status_code, answer.json["detail"]) == (
        400,
        "No finding is ticked. Tick some, or accept all of a kind.",
    )


@pytest.mark.parametrize("kind", ["", "unreadable", "ignored", "other"])
def test_what_cannot_be_accepted_is_refused(client: FlaskClient, kind: str) -> None:
    assert client.post("/findings/accept-all", data={"kind": kind}).status_code == 400


def test_the_meaning_of_each_kind_is_told() -> None:
    assert set(findings_page.MEANINGS) == set(FindingKind)
