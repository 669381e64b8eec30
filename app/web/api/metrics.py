"""What Prometheus scrapes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Response, current_app, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.overview.metrics import Metrics
from app.web.context import config_facts, services
from app.web.models import responses

EXTENSION = "media_pipeline_metrics"

api = APIBlueprint("metrics", __name__, abp_tags=[Tag(name="metrics", description="For Prometheus")])


@dataclass(frozen=True)
class _Collected(Collector):
    """Families that were collected already, as the encoders take them."""

    families: list[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


@api.get("/metrics", responses=responses(503), summary="Metrics for Prometheus")
def metrics() -> Response:
    """Files, batches, deliveries, runs, steps, problems, room, Syncthing and the worker, as they stand now.

    In Prometheus' text format, or in OpenMetrics when `Accept` asks for it; docs/metrics.md tells each metric.
    Needs a key with the scope `read` once any key is set.
    """
    found: Metrics = current_app.extensions[EXTENSION]
    collected = _Collected(found.collect(services(), config_facts()))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(collected), content_type=content_type)
