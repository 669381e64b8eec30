"""What is given to Prometheus and Grafana loads there, names documented metrics only, and warns when it should."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "prometheus"
DOCUMENT = FOLDER.parent / "metrics.md"
ALERTS, DASHBOARD, SCRAPE = FOLDER / "alerts.yaml", FOLDER / "dashboard.json", FOLDER / "scrape.yaml"
NAME = re.compile(r"\bmedia_pipeline_\w+")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
#: Labels that Prometheus itself gives to what it scrapes.
SCRAPED = {"job", "instance"}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def expressions() -> list[str]:
    """Every expression, with Grafana's variable as a value that Prometheus understands."""
    shown = [target["expr"].replace("$instance", ".*") for panel in panels() for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + shown


def documented() -> dict[str, set[str]]:
    """The labels of every series that the documented metrics have."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    found = {name: set(re.findall(r"`(\w+)`", labels)) for name, _, labels in rows}
    for name in [name for name, kind, _ in rows if kind == "histogram"]:
        labels = found.pop(name)
        found |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
    return found


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_uses_documented_metrics_and_their_labels_only(expression: str) -> None:
    told = documented()
    names = set(NAME.findall(expression))
    assert names <= set(told)
    assert names or expression.startswith("up{")
    known = SCRAPED.union(*(told[name] for name in names))
    assert set(LABEL.findall(expression)) <= known


def test_every_panel_asks_something_and_has_a_title_of_its_own() -> None:
    titles = [panel["title"] for panel in panels()]
    assert len(titles) == len(set(titles)) and all(panel["targets"] for panel in panels())
    assert len({panel["id"] for panel in panels()}) == len(titles)


def test_prometheus_takes_the_alert_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", ALERTS)


def test_prometheus_takes_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    recorded = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(expressions())]
    rule_file = tmp_path / "panels.yaml"
    rule_file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))
    assert f"{len(recorded)} rules found" in promtool("check", "rules", rule_file)


def test_prometheus_takes_the_scrape_job_with_the_rules(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a-key")
    jobs = yaml.safe_load(SCRAPE.read_text(encoding="utf-8"))
    jobs[0]["authorization"]["credentials_file"] = str(key)
    config = tmp_path / "prometheus.yml"
    config.write_text(yaml.safe_dump({"scrape_configs": jobs, "rule_files": [str(ALERTS)]}))
    promtool("check", "config", config)
    assert [job["job_name"] for job in jobs] == ["media-pipeline"]


#: Of each alert: series that raise it, series that do not, and minutes after which one looks.
CASES: dict[str, tuple[str, str, str, int]] = {
    "MediaPipelineDown": ('up{job="media-pipeline"}', "0x60", "1x60", 10),
    "MediaPipelineWorkerAway": ("media_pipeline_worker_up", "0x60", "1x60", 10),
    "MediaPipelineQueueStuck": (
        'media_pipeline_oldest_run_requested_timestamp_seconds{status="queued"}', "0x60", "1500x60", 40,
    ),
    "MediaPipelineRunFailed": ('media_pipeline_runs_ended_total{result="failed"}', "0x5 1x60", "1x60", 10),
    "MediaPipelineBatchFailed": ('media_pipeline_batches{status="ERROR"}', "1x60", "0x60", 10),
    "MediaPipelinePhotosDamaged": (
        'media_pipeline_problems_total{kind="asset.found_altered",level="error"}', "0x5 1x60", "3x60", 10,
    ),
    "MediaPipelineFolderAway": ("media_pipeline_root_available", "0x60", "1x60", 15),
    "MediaPipelineRoomLow": ("media_pipeline_root_free_bytes", "2x60", "4x60", 40),
    "MediaPipelineDeliveryTakesLong": (
        'media_pipeline_oldest_batch_created_timestamp_seconds{status="SYNCING"}', "-260000x60", "0x60", 10,
    ),
    "MediaPipelineSyncthingAway": ("media_pipeline_syncthing_reachable", "0x60", "1x60", 40),
    "MediaPipelinePeerUnseen": ("media_pipeline_peer_last_seen_timestamp_seconds", "-260000x60", "0x60", 10),
    "MediaPipelineSettingsFaulty": ("media_pipeline_config_valid", "0x60", "1x60", 20),
}  # fmt: skip


def test_every_alert_has_a_case() -> None:
    assert {rule["alert"] for rule in rules()} == set(CASES)


def raised(tmp_path: Path, alert: str, series: str, values: str, minutes: int) -> bool:
    """Whether promtool's own evaluation raises the alert; the disk of every folder has a size of 100."""
    asked = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)'
    series_of_disk = {"series": "media_pipeline_root_size_bytes", "values": "100x60"}
    case = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": series, "values": values}, series_of_disk],
                "promql_expr_test": [
                    {"expr": asked, "eval_time": f"{minutes}m", "exp_samples": [{"labels": "{}", "value": 1}]}
                ],
            }
        ],
    }
    file = tmp_path / "case.yaml"
    file.write_text(yaml.safe_dump(case))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "exp:" in done.stdout + done.stderr, done.stdout + done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("alert", CASES)
def test_an_alert_is_raised_by_what_it_warns_of_and_by_nothing_less(tmp_path: Path, alert: str) -> None:
    series, bad, good, minutes = CASES[alert]
    assert raised(tmp_path, alert, series, bad, minutes)
    assert not raised(tmp_path, alert, series, good, minutes)
