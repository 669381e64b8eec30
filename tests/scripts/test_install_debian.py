"""The whole installation, piped, on fresh root file systems of Debian: real apt, real pip, a user of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scripts.bundle import make_release
from tests.scripts.conftest import ROOT

pytestmark = [pytest.mark.torture, pytest.mark.timeout(1800)]

#: Mounts are seen by this process and its children alone, so nothing stays mounted whatever happens.
ENTER = 'mount -t proc proc "$0/proc"; mount --bind /dev "$0/dev"; exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin '
ENTER += 'HOME=/root MEDIA_PIPELINE_RELEASES=file:///releases chroot "$0" bash -euxc "$1"'
THERE = "/opt/media-pipeline/scripts"
STEPS = f"""
apt-get update -qq && apt-get install -y -qq curl >/dev/null
cat /install.sh | bash
test "$(stat -c %U /etc/media-pipeline/config.yaml /var/lib/media-pipeline/db.sqlite | sort -u)" = media-pipeline
test -d /opt/media-pipeline/run -a -x /opt/media-pipeline/.venv/bin/media-pipeline -a -d /var/log/media-pipeline
grep -rqF '<address>0.0.0.0:8384</address>' --include config.xml /var/lib/media-pipeline
{THERE}/setup.sh
{THERE}/run.sh
curl -fsS http://127.0.0.1:8080/health
test -z "$(find /var/lib/media-pipeline ! -user media-pipeline)"
echo mine >/opt/media-pipeline/mine.txt
{THERE}/upgrade.sh
curl -fsS http://127.0.0.1:8080/health
ls /var/lib/media-pipeline/backups/*.tar.gz
{THERE}/uninstall.sh
test "$(find /opt/media-pipeline -type f)" = /opt/media-pipeline/mine.txt
test -s /var/lib/media-pipeline/db.sqlite -a -s /etc/media-pipeline/config.yaml
test -d /var/lib/media-pipeline/media/ingest
echo all is well
"""


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_it_is_installed_started_upgraded_and_removed(suite: str, tmp_path: Path) -> None:
    machine = tmp_path / suite
    command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", suite, str(machine)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    make_release(tmp_path)
    shutil.copytree(tmp_path / "releases", machine / "releases")
    shutil.copy(ROOT / "scripts" / "install.sh", machine / "install.sh")
    for name in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(Path("/") / name, machine / name)
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", ENTER, str(machine), STEPS],
        env=dict(os.environ), capture_output=True, text=True, timeout=1500, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.endswith("all is well\n"), done.stdout[-4000:] + done.stderr[-4000:]
