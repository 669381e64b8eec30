"""Asking for a preview: the whole workflow rehearsed, without touching a file."""

from __future__ import annotations

from app.jobs.requests import request_run
from app.model import ONLY_DUPLICATES, Run, RunKind, Stage, Trigger
from app.services import Services


def start_preview(services: Services, trigger: Trigger) -> Run:
    """Ask for a preview of what a workflow run would do now. Raises RunInProgress."""
    return request_run(services, RunKind.PREVIEW, trigger, (Stage.PREVIEW,), "A preview was asked for.")


def start_dedup_preview(services: Services, trigger: Trigger) -> Run:
    """Ask what a search for duplicates would find now, and no more. Raises RunInProgress."""
    words = "A preview of the search for duplicates was asked for."
    return request_run(services, RunKind.PREVIEW, trigger, (Stage.PREVIEW,), words, arguments=ONLY_DUPLICATES)
