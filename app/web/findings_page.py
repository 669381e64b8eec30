"""The page of findings: what verifications found, where, what can be done, and a person's word about it."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, render_template, request

from app import jobs
from app.db import runs
from app.errors import BadRequest, MediaPipelineError, RunInProgress
from app.jobs.findings_of_kind import ACCEPTABLE, AcceptedAll
from app.model import FindingKind, RunKind
from app.model.counting import counted
from app.overview.runs import find_current, is_in_flight, run_summary
from app.overview.verification import find_findings
from app.web.answers import done, partly_done
from app.web.context import services
from app.web.live import answer_live, live
from app.web.models import MAX_ID

blueprint = Blueprint("findings_page", __name__)

LISTED = 50
#: A page lists fewer.
MOST_TICKED = 500
#: So many refusals are told in a notice.
TOLD = 3
#: Thousands of ignored files may lie between two findings: they are passed over for so long.
LOOKED_SECONDS = 0.08
#: Accepting all of a kind goes on for so long, well below what a browser waits for.
ACCEPTING_SECONDS = 5.0
#: What each kind means, in words.
MEANINGS = {
    FindingKind.ALTERED: "It holds something else than it should.",
    FindingKind.MISSING: "It is not there, and nowhere else in these folders.",
    FindingKind.UNREADABLE: "The system cannot read it.",
    FindingKind.MOVED: "Somebody moved or renamed it.",
    FindingKind.FOREIGN: "It lies in our folders, and is none of the known files.",
    FindingKind.IGNORED: "Files in our folders about which you want to hear no more.",
}
#: What accepting means, by what the form says: the word on the button, and what is asked before.
WAYS = {
    FindingKind.ALTERED: [("", "Accept", "What they hold now is right?")],
    FindingKind.MISSING: [("", "Accept", "They are gone, and not missed?")],
    FindingKind.MOVED: [("", "Accept", "Their new places are right?")],
    FindingKind.FOREIGN: [
        ("ignore", "Ignore", "Report them no more?"),
        ("adopt", "Adopt", "Take them for archived files, where they lie?"),
    ],
}


@blueprint.get("/findings")
def findings() -> str:
    """What waits for a person; or one kind of findings."""
    content = _found()
    return render_template("findings.html", **live(content, content.pop("busy")))


@blueprint.get("/partials/findings")
def live_findings() -> Response:
    """The list anew."""
    content = _found()
    return answer_live("partials/findings.html", content, content.pop("busy"))


@blueprint.post("/findings/accept")
def accept() -> Response:
    """Take those that were ticked for right, each only while it still is of the kind that was seen.

    Raises BadRequest when none is ticked, RunInProgress.
    """
    seen = _read_ticked()
    if not seen:
        raise BadRequest("No finding is ticked. Tick some, or accept all of a kind.")
    accepted = AcceptedAll(seen[0][1])
    for finding_id, kind in seen:
        try:
            jobs.accept_finding(services(), finding_id, _how(kind), kind)
            accepted.accepted += 1
        except (BadRequest, RunInProgress):
            raise
        except MediaPipelineError as error:
            accepted.refused += 1
            accepted.reasons.append({"finding_id": finding_id, "reason": str(error)})
    return _answer(accepted)


@blueprint.post("/findings/accept-all")
def accept_all() -> Response:
    """Take all of a kind for right. What takes longer than a browser waits is left for the next press.

    Raises BadRequest for a kind about which there is nothing to accept, RunInProgress, RootUnavailable.
    """
    kind = _kind(request.form.get("kind", ""))
    if kind is None:
        raise BadRequest("Say which kind of findings is to be accepted.")
    until = time.monotonic() + ACCEPTING_SECONDS
    accepted = jobs.accept_findings(services(), kind, _how(kind))
    while accepted.next_after_id is not None and time.monotonic() < until:
        accepted += jobs.accept_findings(services(), kind, _how(kind), accepted.next_after_id)
    return _answer(accepted)


def _answer(accepted: AcceptedAll) -> Response:
    words = f"{counted(accepted.accepted, 'finding was', 'findings were')} accepted."
    for refused in accepted.reasons[:TOLD]:
        words += f" Finding {refused['finding_id']} was not: {refused['reason']}"
    if accepted.refused > TOLD:
        words += f" {accepted.refused - TOLD:,} more were refused."
    if accepted.next_after_id is not None:
        words += " There are more: press it again to go on."
    is_whole = not accepted.refused and accepted.next_after_id is None
    return (done if is_whole else partly_done)(accepted.as_json(), words)


def _read_ticked() -> list[tuple[int, FindingKind]]:
    """The findings that were ticked, each with the kind that the page showed."""
    ticked = []
    for value in request.form.getlist("finding")[:MOST_TICKED]:
        number, _, name = value.partition(":")
        kind = _kind(name)
        if kind is not None and number.isascii() and number.isdecimal() and 0 < int(number[:20]) <= MAX_ID:
            ticked.append((int(number), kind))
    return ticked


def _how(kind: FindingKind) -> str | None:
    return request.form.get("how") or None if kind is FindingKind.FOREIGN else None


def _kind(name: str) -> FindingKind | None:
    return next((kind for kind in FindingKind if kind.value == name), None)


def _found() -> dict[str, Any]:
    kind, given = _kind(request.args.get("kind", "")), request.args.get("after_id", "")
    after_id = min(int(given), MAX_ID) if given.isascii() and given.isdecimal() and len(given) < 20 else 0
    until = time.monotonic() + LOOKED_SECONDS
    with services().db.reading() as conn:
        page = find_findings(conn, kind, after_id, LISTED)
        while not page["findings"] and page["next_after_id"] and time.monotonic() < until:
            page = find_findings(conn, kind, page["next_after_id"], LISTED)
        last = runs.find_last(conn, RunKind.VERIFY)
        return {
            **page,
            "kind": kind.value if kind else "",
            "after_id": after_id,
            "kinds": [each.value for each in FindingKind],
            "acceptable": [each.value for each in ACCEPTABLE],
            "meaning": MEANINGS[kind] if kind else "",
            "ways": WAYS.get(kind, []) if kind else [],
            "last": run_summary(last) if last else None,
            "busy": is_in_flight(find_current(conn)),
        }
