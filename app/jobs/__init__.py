"""Requests for work: what web and CLI call. Rows are the truth; a message to the worker is only a wake-up call."""

from app.jobs.commands import carry_out
from app.jobs.control import cancel, pause, resume
from app.jobs.findings import accept_finding, report_again
from app.jobs.findings_of_kind import accept_findings
from app.jobs.found import Accepted
from app.jobs.keeping import keep_decisions
from app.jobs.looking import Refreshed, look_now
from app.jobs.notifying import Tried, send_test
from app.jobs.pairing import find_waiting_test, start_pairing_test
from app.jobs.preview import start_dedup_preview, start_preview
from app.jobs.rebuild import confirm_rebuild, start_comparison, start_rebuild
from app.jobs.repair import Repair, repair
from app.jobs.requests import (
    create_batch,
    start_cleanup,
    start_dedup,
    start_sort,
    start_stage,
    start_sync,
    start_workflow,
)
from app.jobs.retry import retry_asset, retry_batch, retry_run
from app.jobs.retry_all import Retried, retry_all_assets, retry_assets, retry_failed_assets
from app.jobs.sidecars import SidecarWish, Wished, is_any_due, start_due_sidecars, start_sidecars
from app.jobs.undo import cancel_batch, look_at_undo, start_undo, take_in_again
from app.jobs.verify import start_scheduled_verify, start_verify
from app.jobs.wake import worker_alive

__all__ = [
    "Accepted",
    "Refreshed",
    "Repair",
    "Retried",
    "SidecarWish",
    "Tried",
    "Wished",
    "accept_finding",
    "accept_findings",
    "cancel",
    "cancel_batch",
    "carry_out",
    "confirm_rebuild",
    "create_batch",
    "find_waiting_test",
    "is_any_due",
    "keep_decisions",
    "look_at_undo",
    "look_now",
    "pause",
    "repair",
    "report_again",
    "resume",
    "retry_all_assets",
    "retry_asset",
    "retry_assets",
    "retry_batch",
    "retry_failed_assets",
    "retry_run",
    "send_test",
    "start_cleanup",
    "start_comparison",
    "start_dedup",
    "start_dedup_preview",
    "start_due_sidecars",
    "start_pairing_test",
    "start_preview",
    "start_rebuild",
    "start_scheduled_verify",
    "start_sidecars",
    "start_sort",
    "start_stage",
    "start_sync",
    "start_undo",
    "start_verify",
    "start_workflow",
    "take_in_again",
    "worker_alive",
]
