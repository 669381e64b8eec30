"""Files that earlier versions wrote: every setting in them stays, and what they did not know yet changes nothing."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import Any

import pytest

from app.config.parse import parse
from app.config.render import render
from app.config.settings import all_settings
from app.model.original_order import DEFAULT_ORDER

MAKES = ("Canon", "Casio", "DJI", "Fujifilm", "GoPro", "Nikon", "Olympus", "Panasonic", "Pentax")
#: Which settings each version brought, the newest first, with the value by which nothing changes for who had none.
BROUGHT: tuple[dict[str, Any], ...] = (
    {"notify.urls": (), "notify.quiet_hours": "", "notify.group_minutes": 15, "notify.webhooks": (),
     "notify.events.run_failed": True, "notify.events.batch_delivered": True, "notify.events.waiting_too_long": True,
     "notify.events.peer_unseen": True, "notify.events.room_low": True, "notify.events.damage_found": True,
     "notify.events.update_finished": False, "hooks.after_batch": "", "hooks.after_sync": "", "hooks.after_sort": "",
     "hooks.timeout_seconds": 300},
    {"mqtt.host": "", "mqtt.port": 1883, "mqtt.username": "", "mqtt.password": "", "mqtt.tls": False,
     "mqtt.tls_ca_file": "", "mqtt.prefix": "media_pipeline", "mqtt.discovery_prefix": "homeassistant"},
    {"workflow.hours": (), "system.worker_nice": 0},
    {"workflow.schedule": (), "workflow.watch": "off", "workflow.watch_seconds": 60},
    {"backup.schedule": "", "backup.dir": "", "backup.keep_count": 14, "backup.keep_days": 0, "system.url_prefix": ""},
    {"dedup.paranoid": False, "dedup.remember_removed": False, "dedup.read_order": "auto", "dedup.reference_dirs": (),
     "dedup.original_order": DEFAULT_ORDER},
    {"system.thumbnail_cache_mb": 500},
    {"scan.lone_sidecars": "wait"},
    {"sorter.date_sidecars": "none"},
    {"sorter.source_label": ""},
    {"sorter.filename_dates": (), "sorter.video_time": "auto", "sorter.local_video_makes": MAKES},
    {"sorter.language": "en", "sorter.name_pattern": "", "sorter.safe_names": "auto"},
    {"sync.peer_room_gb": 0.0, "syncthing.device_ids": ()},
    {"syncthing.batch_dir": "", "sync.peer_unseen_days": 7, "sync.no_delivery_days": 30, "verify.max_minutes": 360.0},
    {"verify.schedule": "", "verify.max_mb_per_second": 0.0, "verify.older_than_days": 30},
    {"auth.keys": ()},
)
FIRST = {
    "paths": "source_dir duplicates_dir batch_dir sorted_dir",
    "scan": "settle_seconds ignore_patterns",
    "dedup": "hash_algorithm threads duplicate_policy",
    "batch": "max_size_gb max_files selection_mode naming_pattern allow_parallel transfer_mode",
    "sync": "target folder_dir peer_policy grace_seconds",
    "syncthing": "api_url api_key folder_id device_id gui_url poll_interval_sec rescan_delay_sec auto_sort_after_sync",
    "sorter": "folder_pattern exif_fallback transfer_mode timezone weak_dates",
    "auth": "api_key header_name",
    "system": "db_path log_dir port_api port_dbui bind_host dbui_enabled allowed_hosts cleanup_empty_batches log_level "
              "log_max_mb log_keep",
    "cleanup": "trash_days temp_days",
    "workflow": "debug.enabled debug.auto_advance debug.step_timeout_sec delays.syncthing_settle_sec "
                "delays.post_sync_sec trace.syncthing_samples",
}  # fmt: skip
#: Lines of the first version that are settings no more.
RETIRED = "  temp_dir: ''\n", "  max_parallel_fs_ops: 4\n"
VALUES: dict[str, Any] = {
    "paths": {"source_dir": "/data/ingest", "batch_dir": "/data/batches", "sorted_dir": "/data/archive"},
    "batch": {"max_size_gb": 3.5, "max_files": 7, "naming_pattern": "b{index:05d}"},
    "sorter": {"folder_pattern": "{year}/{month:02d}", "exif_fallback": False, "timezone": "Europe/Berlin"},
    "syncthing": {"api_url": "http://nas:8384", "folder_id": "photos", "auto_sort_after_sync": False},
    "sync": {"peer_policy": "mirror", "grace_seconds": 60},
    "system": {"port_api": 9090, "allowed_hosts": ["nas.example.org"]},
}


def written_before(version: int) -> str:
    """The settings file of a version that lacked all that so many later ones brought."""
    lines = render(VALUES).splitlines(keepends=True)
    lacking = {path for brought in BROUGHT[:version] for path in brought}
    sections = {path.rpartition(".")[0] for path in lacking if path.count(".") > 1}
    # A section within a section came with the first of its settings.
    for path in [*sorted(lacking), *sorted(sections)]:
        place = 0
        for depth, name in enumerate(path.split(".")):
            place = next(n for n in range(place, len(lines)) if re.match(rf"{'  ' * depth}{name}:", lines[n]))
        del lines[place]
    return "".join(lines)


@pytest.mark.parametrize("version", range(1, len(BROUGHT) + 1))
def test_a_file_of_an_earlier_version_means_what_it_meant(version: int) -> None:
    text = written_before(version)
    if version == len(BROUGHT):
        for section, line in zip(("paths", "system"), RETIRED, strict=True):
            text = text.replace(f"\n{section}:\n", f"\n{section}:\n{line}", 1)
    found = parse(text, {})
    assert found.config == parse(render(VALUES), {}).config
    for path, value in {path: value for brought in BROUGHT[:version] for path, value in brought.items()}.items():
        assert attrgetter(path)(found.config) == value, path
    retired = {"system.max_parallel_fs_ops"} if version == len(BROUGHT) else set()
    assert {warning.path for warning in found.warnings} == retired


def test_every_setting_of_the_first_version_still_has_its_name() -> None:
    """One that gets another name, or goes, needs a line in app/config/legacy.py and here."""
    since = {path for brought in BROUGHT for path in brought}
    first = {f"{section}.{name}" for section, names in FIRST.items() for name in names.split()}
    assert first | since == set(all_settings()) and not first & since
