"""Families of metrics in the words of Prometheus: one name, one type, one help text, samples by label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

PREFIX = "media_pipeline_"

#: The values of a family's labels, and the number; None leaves the sample out.
Sample = tuple[Sequence[str], float | None]


def gauge(name: str, words: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    """What may rise and fall."""
    family = GaugeMetricFamily(PREFIX + name, words, labels=labels)
    for values, number in samples:
        if number is not None:
            family.add_metric(values, number)
    return family


def counter(name: str, words: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    """What only grows; `name` without its ending `_total`."""
    family = CounterMetricFamily(PREFIX + name, words, labels=labels)
    for values, number in samples:
        if number is not None:
            family.add_metric(values, number)
    return family


def single(name: str, words: str, number: float | None) -> Metric:
    """A gauge without labels; None leaves it without a sample."""
    return gauge(name, words, (), [((), number)])


def seconds_of(instant: str | None) -> float | None:
    """A stored instant as seconds since 1970 (UTC); None when there is none."""
    return datetime.fromisoformat(instant).timestamp() if instant else None
