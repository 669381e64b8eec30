"""The systemd units: rendered, verified, rated, and what they open."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.packaging.units import ROOT, configuration, python, rendered

SERVICES = ("media-pipeline", "media-pipeline-web", "media-pipeline-worker", "media-pipeline-dbui")

#: `systemd-analyze security` rates from 0 (best) to 10; the units were at 2.1.
MOST_EXPOSURE = 2.5


def writable(unit: str) -> str:
    return re.findall(r"^ReadWritePaths=(.*)$", unit, re.MULTILINE)[0]


def test_every_unit_passes_systemds_own_check_and_is_rated_well(tmp_path: Path) -> None:
    config = configuration(tmp_path, str(tmp_path))
    units = rendered(config, tmp_path / "units")
    told = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / "units" / name) for name in units)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stdout + told.stderr) == (0, "")
    for service in SERVICES:
        rating = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={int(MOST_EXPOSURE * 10)}", "--no-pager",
             str(tmp_path / "units" / f"{service}.service")],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert rating.returncode == 0, rating.stdout


def test_paths_with_odd_signs_pass_systemds_check_too(tmp_path: Path) -> None:
    odd = tmp_path / 'a $HOME 100% "place"'
    config = configuration(odd, str(odd))
    units = rendered(config, tmp_path / "units", install_dir=str(odd))
    odd.joinpath("docker").mkdir()
    told = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / "units" / name) for name in units)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stdout + told.stderr) == (0, "")


def test_no_mark_of_a_template_is_left(tmp_path: Path) -> None:
    for name, text in rendered(configuration(tmp_path, "/srv/pipeline"), tmp_path / "units").items():
        assert re.findall(r"@[A-Z_]+@", text) == [], name


def test_the_media_folders_are_opened_as_one_so_that_a_move_stays_a_rename(tmp_path: Path) -> None:
    units = rendered(configuration(tmp_path, "/srv/pipeline"), tmp_path / "units")
    assert writable(units["media-pipeline-worker.service"]) == (
        f"-/srv/pipeline/media -/srv/pipeline/state -{tmp_path}/etc"
    )


def test_deliveries_and_backups_may_be_written_where_they_go(tmp_path: Path) -> None:
    places = ("sync.target=folder", "sync.folder_dir=/mnt/usb/photos", "backup.dir=/mnt/usb/backups")
    units = rendered(configuration(tmp_path, "/srv/pipeline", *places), tmp_path / "units")
    paths = writable(units["media-pipeline-worker.service"]).split()
    assert {"-/mnt/usb/photos", "-/mnt/usb/backups"} <= set(paths)


def test_the_database_browser_may_not_write_where_photos_are(tmp_path: Path) -> None:
    units = rendered(configuration(tmp_path, "/srv/pipeline"), tmp_path / "units")
    assert "media" not in writable(units["media-pipeline-dbui.service"]).replace(str(tmp_path), "")


def test_folders_that_only_share_a_folder_of_the_system_are_opened_one_by_one(tmp_path: Path) -> None:
    config = configuration(
        tmp_path, "/var/lib/pipeline", "paths.sorted_dir=/home/archive", "paths.duplicates_dir=/home/archive-2"
    )
    paths = writable(rendered(config, tmp_path / "units")["media-pipeline-worker.service"]).split()
    assert "-/" not in paths
    assert {"-/home/archive", "-/home/archive-2", "-/var/lib/pipeline/media/ingest"} <= set(paths)


def test_a_faulty_configuration_is_told_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("paths: 3\n")
    done = python(
        "scripts/system_units.py", "--install-dir", str(ROOT), "--user", "media",
        "--config", str(tmp_path / "config.yaml"), "--into", str(tmp_path / "units"), check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "paths" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "units").exists()
