"""Asking for a preview: the whole workflow rehearsed, without touching a file."""

from __future__ import annotations

from app.jobs.requests import request_run
from app.model import Run, RunKind, Stage, Trigger
from app.services import Services


def start_preview(services: Services, trigger: Trigger) -> Run:
    """Ask for a preview of what a workflow run would do now. Raises RunInProgress."""
    return request_run(services, RunKind.PREVIEW, trigger, (Stage.PREVIEW,), "A preview was asked for.")
