"""What the processes wrote: the last lines of their logs."""

from __future__ import annotations

from typing import Literal

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from app.diagnostics.logs import PROCESSES, read_last
from app.web.context import services
from app.web.models import responses

api = APIBlueprint(
    "logs", __name__, url_prefix="/api/logs", abp_tags=[Tag(name="logs", description="What the processes wrote")]
)


class LogQuery(BaseModel):
    """Which lines."""

    process: Literal["api", "worker", "dbui", "cli"] | None = Field(None, description="Only this process.")
    level: Literal["debug", "info", "warning", "error", "critical"] = Field("debug", description="At least this level.")
    limit: int = Field(50, ge=1, le=1000, description="At most so many, the last ones.")


@api.get("", responses=responses(), summary="The last lines of the logs")
def index(query: LogQuery) -> Response:
    """In the order of their times, the oldest first. Secrets are masked when a line is written."""
    wanted = (query.process,) if query.process else PROCESSES
    return jsonify({"lines": read_last(services().config.system.log_dir, wanted, query.level, query.limit)})
