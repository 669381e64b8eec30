"""install.sh, upgrade.sh and uninstall.sh: fetched, checked, put in place, and nothing of a person's ever removed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.db.migrate import read_revision
from tests.scripts.bundle import make_release
from tests.scripts.conftest import ROOT, free_port

INSTALL = (ROOT / "scripts" / "install.sh").read_text()


class Machine:
    """Where an installation is made, by root, beside whatever else this machine has."""

    def __init__(self, base: Path) -> None:
        assert os.geteuid() == 0, "these tests install a system service: run them as root, as CI does"
        self.base, self.target = base, base / "opt dir"
        self.config, self.state = base / "etc" / "config.yaml", base / "state"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDIA_PIPELINE_")}
        self.environment = kept | {
            "MEDIA_PIPELINE_CONFIG": str(self.config),
            "MEDIA_PIPELINE_STATE": str(self.state),
            "MEDIA_PIPELINE_VENV": sys.prefix,
            "MEDIA_PIPELINE_RELEASES": make_release(base, "app/dropped_later.py"),
            "MEDIA_PIPELINE_SYSTEM__PORT_API": str(free_port()),
            "MEDIA_PIPELINE_SYSTEM__PORT_DBUI": str(free_port()),
        }

    def bash(self, *arguments: str, script: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a script of the installation, or one from standard input, as from curl."""
        return subprocess.run(
            ["bash", *arguments], input=script, cwd=self.base, env=self.environment, capture_output=True, text=True,
            timeout=240, check=False,
        )  # fmt: skip

    def piped(self, *more: str) -> subprocess.CompletedProcess[str]:
        wanted = ("--install-dir", str(self.target), "--user", "root", "--without-syncthing", *more)
        return self.bash("-s", "--", *wanted, script=INSTALL)

    def tree(self) -> set[str]:
        return {str(path.relative_to(self.target)) for path in self.target.rglob("*") if path.is_file()}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_piped_it_installs_the_newest_release_with_the_paths_that_the_manual_names(machine: Machine) -> None:
    done = machine.piped()
    assert done.returncode == 0, done.stderr
    assert {"app/web/static/vendor/htmx.min.js", "scripts/run.sh", "app/dropped_later.py"} <= machine.tree()
    assert (machine.target / "run").is_dir()
    assert read_revision(str(machine.state / "db.sqlite"))
    text = machine.config.read_text()
    assert 'schedule: "30 4 * * 0"' in text or "schedule: 30 4 * * 0" in text
    settings = machine.config.read_bytes()
    assert machine.bash(str(machine.target / "scripts" / "setup.sh")).returncode == 0
    assert machine.config.read_bytes() == settings


def test_a_bundle_that_is_not_what_its_checksum_says_is_refused_and_nothing_is_made(machine: Machine) -> None:
    bundle = machine.base / "releases" / "latest" / "download" / "media-pipeline.tar.gz"
    bundle.write_bytes(bundle.read_bytes()[:-1])
    done = machine.piped()
    assert (done.returncode, "nothing was installed" in done.stderr) == (1, True)
    again = machine.piped("--bundle", str(bundle))
    assert (again.returncode, "nothing was installed" in again.stderr) == (1, True)
    assert not machine.target.exists() and not machine.config.exists() and not machine.state.exists()


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(machine: Machine) -> None:
    before = sorted(machine.base.rglob("*"))
    done = machine.piped("--dry-run")
    assert done.returncode == 0, done.stderr
    assert f"Copying the program to {machine.target}" in done.stdout
    assert "would run:" in done.stdout and "setup.sh --system --user root" in done.stdout
    assert sorted(machine.base.rglob("*")) == before


def test_an_upgrade_makes_a_backup_drops_old_files_and_keeps_what_is_not_ours(machine: Machine) -> None:
    assert machine.piped().returncode == 0
    mine = machine.target / "app" / "mine.txt"
    mine.write_text("mine")
    settings = machine.config.read_bytes()
    (machine.base / "program" / "media-pipeline-0" / "app" / "dropped_later.py").unlink()
    make_release(machine.base, "app/new_module.py")
    done = machine.bash(str(machine.target / "scripts" / "upgrade.sh"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "app/new_module.py" in machine.tree() and "app/dropped_later.py" not in machine.tree()
    assert mine.read_text() == "mine" and machine.config.read_bytes() == settings
    assert len(list((machine.state / "backups").iterdir())) == 1


def test_an_upgrade_that_cannot_make_a_backup_changes_nothing(machine: Machine) -> None:
    assert machine.piped().returncode == 0
    before = machine.tree()
    (machine.state / "backups").write_text("in the way")
    make_release(machine.base, "app/new_module.py")
    done = machine.bash(str(machine.target / "scripts" / "upgrade.sh"))
    assert (done.returncode, "nothing was changed" in done.stderr) == (1, True)
    assert machine.tree() == before


def test_uninstalling_removes_the_program_alone(machine: Machine) -> None:
    assert machine.piped().returncode == 0
    mine = machine.target / "data" / "photo.jpg"
    mine.parent.mkdir()
    mine.write_text("mine")
    kept = {path: path.read_bytes() for path in (machine.config, machine.state / "db.sqlite")}
    done = machine.bash(str(machine.target / "scripts" / "uninstall.sh"))
    assert done.returncode == 0, done.stderr
    assert machine.tree() == {"data/photo.jpg"}
    assert {path: path.read_bytes() for path in kept} == kept
    assert list((machine.state / "media").iterdir())


def test_a_checkout_is_not_uninstalled(machine: Machine) -> None:
    done = machine.bash(str(ROOT / "scripts" / "uninstall.sh"))
    assert (done.returncode, "nothing is removed" in done.stderr) == (1, True)
