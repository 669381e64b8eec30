"""Which commands go to APT, DNF, YUM and Homebrew: stand-ins on PATH write down what they are asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scripts.conftest import ROOT, Checkout

TOOLS = ("bash", "chmod", "dirname", "id", "sh")
#: What a stand-in does: note its words, and bring the Python that it is asked for.
STAND_IN = """#!/bin/sh
echo "{name} $*" >>"{log}"
case "$*" in *{brings}*) printf '#!/bin/sh\\nexit 0\\n' >"{bin}/{python}"; chmod +x "{bin}/{python}" ;; esac
"""


def asked(base: Path, manager: str, brings: str, python: str = "python3", **variables: str) -> list[str]:
    """The commands that the package manager got on a machine without anything."""
    programs, log = base / "bin", base / "log"
    programs.mkdir()
    for tool in TOOLS:
        (programs / tool).symlink_to(str(shutil.which(tool)))
    for name in (manager, "sudo"):
        text = STAND_IN.format(name=name, log=log, bin=programs, brings=brings, python=python)
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    done = subprocess.run(
        [str(shutil.which("bash")), "-euc",
         f'. "{ROOT}/scripts/environment.sh"; . scripts/packages.sh; install_requirements'],
        env={"PATH": str(programs), **variables}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return log.read_text().splitlines()


@pytest.fixture(autouse=True)
def as_root() -> None:
    assert os.geteuid() == 0, "package managers are only asked by root: run these tests as root, as CI does"


def test_apt(tmp_path: Path) -> None:
    install = "apt-get install -y -qq --no-install-recommends"
    assert asked(tmp_path, "apt-get", "python3") == [
        "apt-get update -qq", f"{install} python3 python3-venv", "apt-get update -qq", f"{install} tar",
        "apt-get update -qq", f"{install} libimage-exiftool-perl", "apt-get update -qq", f"{install} syncthing",
    ]  # fmt: skip


@pytest.mark.parametrize("manager", ["dnf", "yum"])
def test_dnf_and_yum(tmp_path: Path, manager: str) -> None:
    install = f"{manager} install -y -q"
    assert asked(tmp_path, manager, "python3") == [
        f"{install} python3", f"{install} tar", f"{install} perl-Image-ExifTool", f"{install} syncthing",
    ]  # fmt: skip


def test_dnf_where_python3_is_an_old_one(tmp_path: Path) -> None:
    found = asked(tmp_path, "dnf", "python3.12", "python3.12")
    assert found[:2] == ["dnf install -y -q python3", "dnf install -y -q python3.12"]


def test_homebrew_is_never_asked_as_root(tmp_path: Path) -> None:
    install = "sudo -u somebody brew install --quiet"
    assert asked(tmp_path, "brew", "python@3.13", "python3.13", SUDO_USER="somebody") == [
        f"{install} python@3.13", f"{install} tar", f"{install} exiftool", f"{install} syncthing",
    ]  # fmt: skip


def test_npm_is_installed_where_the_assets_are_of_an_earlier_version(checkout: Checkout, tmp_path: Path) -> None:
    stamp = checkout.path / "app/web/static/vendor/.package-lock.sha256"
    stamp.write_text("an earlier one\n")
    programs, log = tmp_path / "bin", tmp_path / "log"
    programs.mkdir()
    for path in Path("/usr/bin").iterdir():
        if path.name not in ("npm", "apt-get"):
            (programs / path.name).symlink_to(path)
    (programs / "apt-get").write_text(f'#!/bin/sh\necho "$*" >>"{log}"\n')
    (programs / "apt-get").chmod(0o755)
    done = checkout.run("scripts/setup.sh", check=False, PATH=str(programs))
    assert "install -y -qq --no-install-recommends nodejs npm" in log.read_text()
    # this apt-get brings nothing
    assert (done.returncode, "npm is missing" in done.stderr) == (1, True)
