"""A person's word about every finding of a kind at once. Each is looked at by itself, as when it is accepted alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.db import findings
from app.errors import BadRequest, MediaPipelineError, NotFound, RootUnavailable, RunInProgress
from app.jobs.findings import accept_finding
from app.model import FindingKind
from app.services import Services

#: Kinds about which there is something to accept.
ACCEPTABLE = (FindingKind.ALTERED, FindingKind.MISSING, FindingKind.MOVED, FindingKind.FOREIGN)
PAGE = 500
#: So many refusals are listed; all are counted.
LISTED = 100


@dataclass
class AcceptedAll:
    """What came of them: how many were accepted, which were refused and why, and where to go on, if there are more."""

    kind: FindingKind
    accepted: int = 0
    refused: int = 0
    reasons: list[dict[str, Any]] = field(default_factory=list)
    next_after_id: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "kind": self.kind.value, "accepted": self.accepted, "refused": self.refused, "reasons": self.reasons,
            "next_after_id": self.next_after_id,
        }  # fmt: skip


    def __iadd__(self, more: AcceptedAll) -> AcceptedAll:
        """These and those of the page that follows."""
        self.accepted += more.accepted
        self.refused += more.refused
        self.reasons += more.reasons[: LISTED - len(self.reasons)]
        self.next_after_id = more.next_after_id
        return self


def accept_findings(
    services: Services, kind: FindingKind, how: str | None = None, after_id: int = 0, limit: int = PAGE
) -> AcceptedAll:
    """Accept the findings of one kind after an id, as many as `limit`. One that is refused does not stop the others.

    Raises BadRequest for a kind, or a way, that there is not; RunInProgress and RootUnavailable, which stop them all.
    """
    if kind not in ACCEPTABLE:
        raise BadRequest(f"There is nothing to accept about {kind} files; look at each by itself.")
    with services.db.reading() as conn:
        page, next_after_id = findings.list_page(conn, kind, after_id, limit)
    done = AcceptedAll(kind, next_after_id=next_after_id)
    for finding in page:
        try:
            accept_finding(services, finding.id, how, kind)
            done.accepted += 1
        except (BadRequest, RunInProgress, RootUnavailable):
            raise
        except NotFound:
            # Settled meanwhile, or together with one before it: files that took each other's places.
            done.accepted += 1
        except MediaPipelineError as error:
            _note(done, finding.id, str(error))
    return done


def _note(done: AcceptedAll, finding_id: int, reason: str) -> None:
    done.refused += 1
    if len(done.reasons) < LISTED:
        done.reasons.append({"finding_id": finding_id, "reason": reason})
