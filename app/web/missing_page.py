"""The page of what a peer does not have yet: every file of a batch that is not proven there, and why."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, render_template, request

from app.db import batches
from app.overview.delivery_devices import missing_at
from app.web.context import services
from app.web.models import MAX_ID
from app.web.run_pages import read_id

blueprint = Blueprint("missing_page", __name__)

LISTED = 100
LONGEST_DEVICE = 200


@blueprint.get("/batches/<int:batch_id>/missing")
def missing(batch_id: int) -> str:
    """The files of a batch that are not proven at a device, a page at a time."""
    device_id, after_id = request.args.get("device_id", "")[:LONGEST_DEVICE], read_id("after_id") or 0
    with services().db.reading() as conn:
        batch = batches.get(conn, min(batch_id, MAX_ID))
        found = missing_at(conn, batch, device_id, after_id, LISTED)
    following = urlencode({"device_id": device_id, "after_id": found["next_after_id"]}, errors="replace")
    return render_template(
        "batch_missing.html",
        batch=batch,
        found=found,
        first=f"?{urlencode({'device_id': device_id}, errors='replace')}" if after_id else "",
        following=f"?{following}" if found["next_after_id"] else "",
    )
