"""The whole installation, piped, on fresh root file systems of Debian: real apt, real pip, a user of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.conftest import ROOT, free_port

pytestmark = [pytest.mark.torture, pytest.mark.timeout(1800)]

#: Mounts are seen by this process and its children alone, so nothing stays mounted whatever happens.
ENTER = 'mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"; exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin '
ENTER += 'HOME=/root MEDIA_PIPELINE_RELEASES=file:///releases MEDIA_PIPELINE_SYSTEM__PORT_API=$2 '
ENTER += 'MEDIA_PIPELINE_SYSTEM__PORT_DBUI=$3 PORT=$2 chroot "$0" bash -euxc "$1"'
THERE = "/opt/media-pipeline/scripts"
STEPS = f"""
apt-get update -qq && apt-get install -y -qq curl >/dev/null
cat /install.sh | bash
test "$(stat -c %U /etc/media-pipeline/config.yaml /var/lib/media-pipeline/db.sqlite | sort -u)" = media-pipeline
test -d /opt/media-pipeline/run -a -x /opt/media-pipeline/.venv/bin/media-pipeline -a -d /var/log/media-pipeline
grep -rqF '<address>0.0.0.0:8384</address>' --include config.xml /var/lib/media-pipeline
{THERE}/setup.sh
{THERE}/run.sh
curl -fsS http://127.0.0.1:$PORT/health
test -z "$(find /var/lib/media-pipeline ! -user media-pipeline)"
echo mine >/opt/media-pipeline/mine.txt
{THERE}/upgrade.sh
curl -fsS http://127.0.0.1:$PORT/health
ls /var/lib/media-pipeline/backups/*.tar.gz
{THERE}/uninstall.sh
test "$(find /opt/media-pipeline -type f)" = /opt/media-pipeline/mine.txt
test -s /var/lib/media-pipeline/db.sqlite -a -s /etc/media-pipeline/config.yaml
test -d /var/lib/media-pipeline/media/ingest
echo all is well
"""


def release(folder: Path) -> None:
    """A release of what lies here, as the release workflow makes it."""
    build = [str(ROOT / "scripts" / "release" / "build.sh"), str(folder)]
    subprocess.run(build, env=os.environ | {"PYTHON": sys.executable}, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_it_is_installed_started_upgraded_and_removed(suite: str, tmp_path: Path) -> None:
    machine = tmp_path / suite
    command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", suite, str(machine)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    release(machine / "releases" / "latest" / "download")
    shutil.copy(ROOT / "scripts" / "install.sh", machine / "install.sh")
    for name in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(Path("/") / name, machine / name)
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", ENTER, str(machine), STEPS,
         str(free_port()), str(free_port())],
        env=dict(os.environ), capture_output=True, text=True, timeout=1500, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.endswith("all is well\n"), done.stdout[-4000:] + done.stderr[-4000:]
    shutil.rmtree(machine)
