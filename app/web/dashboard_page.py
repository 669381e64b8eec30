"""The dashboard: everything at a glance, alive."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup

from app.overview.charts import DEFAULT_DAYS, PERIODS
from app.overview.glance import glance
from app.web.context import config_facts, services
from app.web.live import answer_shared, live

blueprint = Blueprint("dashboard_page", __name__)


@blueprint.get("/dashboard")
def dashboard() -> str:
    """See everything at a glance."""
    content, busy = _content()
    return render_template("dashboard.html", **live(content, busy))


@blueprint.get("/partials/overview")
def live_overview() -> Response:
    """The part of the dashboard that renews itself; 204 when nothing has changed since the mark that the page holds."""
    return answer_shared("partials/overview.html", _days(), _content)


def _content() -> tuple[dict[str, Any], bool]:
    days = _days()
    seen = glance(services(), config_facts(), days)
    content = {"seen": seen, "days": days, "usual_days": DEFAULT_DAYS, "periods": list(PERIODS)}
    return content, bool(seen["running"])


def _days() -> int:
    given = request.args.get("days", "")
    return int(given) if given in map(str, PERIODS) else DEFAULT_DAYS


@blueprint.app_template_global("charts")
def charts(seen: Mapping[str, Any], days: int) -> Markup:
    """The charts of what was seen: drawn once for as long as they show the same, for hundreds of bars take a while."""
    shown = {name: seen[name] for name in ("chart", "speed", "charts_begin_at")}
    return _draw(json.dumps(shown, default=str), days, str(services().config.zone))


@lru_cache(maxsize=8)
def _draw(shown: str, days: int, _zone: str) -> Markup:
    context = {"seen": json.loads(shown), "days": days, "periods": list(PERIODS)}
    return Markup(render_template("dashboard/charts.html", **context))


@blueprint.app_template_filter("trace")
def trace(values: Sequence[float], height: int = 100) -> str:
    """The points of a line over these values, one unit apart, as SVG writes them; the greatest is at the top."""
    most = max(values, default=0) or 1
    return " ".join(f"{place},{height - height * value / most:.1f}" for place, value in enumerate(values))
