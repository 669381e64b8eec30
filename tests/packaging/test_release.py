"""A release made from a clone, as the workflow makes it: bundle, list of parts, checksums, notes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = Path("app/web/static/vendor")


def run(*command: str, where: Path, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
    who = {f"GIT_{role}_{part}": "a@b.invalid" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    environment = os.environ | who | {"PYTHON": sys.executable} | variables
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def script(name: str, *arguments: str, where: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, f"scripts/release/{name}.py", *arguments, where=where, check=check)


def committed_copy(folder: Path) -> Path:
    """A repository with one commit of what git knows or would take, and the assets as fetch_assets.sh leaves them."""
    listed = run("git", "ls-files", "-co", "--exclude-standard", "-z", where=ROOT).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(ROOT / VENDOR, folder / VENDOR)
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    (folder / VENDOR / ".package-lock.sha256").write_text(f"{lock}\n")
    run("git", "init", "-q", "-b", "main", where=folder)
    run("git", "add", "-A", where=folder)
    run("git", "commit", "-q", "-m", "First", where=folder)
    return folder


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return committed_copy(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def released(clone: Path) -> Path:
    run("scripts/release/build.sh", where=clone)
    return clone / "dist"


def members(bundle: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(bundle) as archive:
        return {entry.name.split("/", 1)[1]: entry for entry in archive}


def test_the_bundle_holds_the_program_with_its_assets_and_nothing_for_developers(released: Path) -> None:
    names = members(released / "media-pipeline.tar.gz")
    for name in (
        "app/__init__.py",
        "scripts/setup.sh",
        "docker/systemd/media-pipeline.service",
        f"{VENDOR}/htmx.min.js",
    ):
        assert name in names
    assert names["scripts/setup.sh"].mode == 0o755
    assert [name for name in names if name.startswith(("tests/", "bench/", ".git", ".ci/", "dist/"))] == []


def test_an_installation_from_the_bundle_needs_no_npm(released: Path, tmp_path: Path) -> None:
    with tarfile.open(released / "media-pipeline.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "cat", "cut", "env", "sha256sum"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "python3").symlink_to(sys.executable)
    done = run(str(unpacked / "scripts/fetch_assets.sh"), where=tmp_path, PATH=str(tools))
    assert (done.stdout, done.stderr) == ("", "")


def test_the_same_commit_gives_the_same_bundle_and_list_of_parts(clone: Path, released: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    run("git", "clone", "-q", str(clone), str(again), where=tmp_path)
    shutil.copytree(clone / VENDOR, again / VENDOR, dirs_exist_ok=True)
    run("scripts/release/build.sh", where=again)
    for name in ("media-pipeline.tar.gz", "sbom.cdx.json", "SHA256SUMS"):
        assert (again / "dist" / name).read_bytes() == (released / name).read_bytes(), name


def test_a_bundle_without_the_assets_is_refused(clone: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    run("git", "clone", "-q", str(clone), str(bare), where=tmp_path)
    done = script("bundle", "1.0.0", str(tmp_path / "b.tar.gz"), where=bare, check=False)
    assert done.returncode == 1
    assert "run scripts/fetch_assets.sh first" in done.stderr


def test_every_file_of_a_release_has_its_checksum(released: Path) -> None:
    told = dict(reversed(line.split("  ")) for line in (released / "SHA256SUMS").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in released.iterdir()}
    assert told == {name: digest for name, digest in found.items() if name not in {"SHA256SUMS", "NOTES.md"}}
    assert {
        "media-pipeline.tar.gz",
        "install.sh",
        "sbom.cdx.json",
        "icon.png",
        "portainer-templates.json",
    } <= told.keys()


def test_a_folder_that_holds_something_else_is_not_emptied(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("mine")
    done = run("scripts/release/build.sh", str(tmp_path), where=clone, check=False)
    assert done.returncode == 1
    assert (tmp_path / "photo.jpg").read_text() == "mine"


def test_the_list_of_parts_names_what_is_pinned_and_every_reference_leads_somewhere(released: Path) -> None:
    document: dict[str, Any] = json.loads((released / "sbom.cdx.json").read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", document["serialNumber"])
    parts = {part["name"]: part["version"] for part in document["components"]}
    pinned = re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    expected = {name.lower().replace("_", "-"): version for name, version in pinned if name != "pytest"}
    assert expected.items() <= parts.items()
    assert {"werkzeug", "flask-openapi-swagger", "htmx.org", "@picocss/pico"} <= parts.keys()
    assert not {"pytest", "ruff", "axe-core"} & parts.keys()
    references = [part["bom-ref"] for part in document["components"]] + [document["metadata"]["component"]["bom-ref"]]
    assert len(set(references)) == len(references)
    assert [each["ref"] for each in document["dependencies"] if each["ref"] not in references] == []
    assert {to for each in document["dependencies"] for to in each.get("dependsOn", [])} <= set(references)


def tagged(folder: Path, base: str, *tags: str) -> str:
    """The next version of a repository whose pyproject.toml says `base`."""
    scripts = folder / "scripts" / "release"
    scripts.mkdir(parents=True)
    for name in ("names.py", "version.py"):
        shutil.copy(ROOT / "scripts" / "release" / name, scripts / name)
    (folder / "pyproject.toml").write_text(f'[project]\nversion = "{base}"\n')
    (folder / "app").mkdir()
    (folder / "app" / "__init__.py").write_text('__version__ = "0"\n')
    run("git", "init", "-q", where=folder)
    run("git", "add", "-A", where=folder)
    run("git", "commit", "-q", "-m", "First", where=folder)
    for tag in tags:
        run("git", "tag", tag, where=folder)
    return script("version", "--write", where=folder).stdout.strip()


@pytest.mark.parametrize(
    ("base", "tags", "expected"),
    [
        ("0.1.0", [], "0.1.0"),
        ("0.1.0", ["v0.1.0"], "0.1.1"),
        ("0.1.0", ["v0.1.0", "v0.1.9", "v0.1.10", "nightly"], "0.1.11"),
        ("0.2.0", ["v0.1.7"], "0.2.0"),
        ("0.1.5", ["v0.1.2"], "0.1.5"),
    ],
)
def test_each_release_has_a_version_of_its_own(tmp_path: Path, base: str, tags: list[str], expected: str) -> None:
    assert tagged(tmp_path, base, *tags) == expected
    assert f'version = "{expected}"' in (tmp_path / "pyproject.toml").read_text()
    assert (tmp_path / "app" / "__init__.py").read_text() == f'__version__ = "{expected}"\n'


def test_the_notes_tell_only_what_the_release_before_did_not(tmp_path: Path) -> None:
    folder = committed_copy(tmp_path)
    changelog = folder / "CHANGELOG.md"
    changelog.write_text(
        "# C\n\n## [Unreleased]\n\n### Added\n\n- A page.\n\n### Fixed\n\n- A fault.\n\n## [0.0.1]\n\n- Old.\n"
    )
    run("git", "commit", "-q", "-am", "Second", where=folder)
    run("git", "tag", "v0.1.0", where=folder)
    first = script("notes", "0.1.0", where=folder).stdout
    assert first.startswith("### Added\n- A page.\n### Fixed\n- A fault.\n")
    assert "Old." not in first
    changelog.write_text(changelog.read_text().replace("- A fault.\n", "- A fault.\n- Another.\n"))
    assert script("notes", "0.1.1", "--since", "v0.1.0", where=folder).stdout.startswith("### Fixed\n- Another.\n\n")


def recorded(folder: Path, name: str, answers: str) -> str:
    """A program of that name that writes down how it was called; the PATH that finds it first."""
    (folder / name).write_text(f'#!/bin/sh\necho "$@" >>{folder}/{name}.calls\n{answers}\n')
    (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_a_release_is_published_once_with_every_file_and_its_notes(clone: Path, released: Path, tmp_path: Path) -> None:
    path = recorded(tmp_path, "gh", '[ "$2" != view ] || [ -e "$(dirname "$0")/there" ]')
    run("scripts/release/publish.sh", "0.1.0", where=clone, PATH=path)
    (tmp_path / "there").touch()
    run("scripts/release/publish.sh", "0.1.0", where=clone, PATH=path)
    viewed, created, again = (tmp_path / "gh.calls").read_text().splitlines()
    assert viewed == again == "release view v0.1.0"
    assert "--notes-file dist/NOTES.md" in created
    assert {f"dist/{path.name}" for path in released.iterdir()} - {"dist/NOTES.md"} <= set(created.split())


def test_a_damaged_file_is_not_published(clone: Path, released: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "dist"
    shutil.copytree(released, damaged)
    (damaged / "install.sh").write_text("echo hello")
    path = recorded(tmp_path, "gh", "exit 1")
    assert run("scripts/release/publish.sh", "0.1.0", str(damaged), where=clone, check=False, PATH=path).returncode != 0
    assert not (tmp_path / "gh.calls").exists()


def test_the_image_is_built_for_both_processors_under_its_public_name(clone: Path, tmp_path: Path) -> None:
    path = recorded(tmp_path, "docker", "")
    run("scripts/release/image.sh", "0.1.0", where=clone, PATH=path)
    call = (tmp_path / "docker.calls").read_text()
    for part in (
        "buildx build", "--platform linux/amd64,linux/arm64", "--push", "--tag mediapipeline/media-pipeline:0.1.0",
        "--tag mediapipeline/media-pipeline:latest", "--build-arg VERSION=0.1.0",
    ):  # fmt: skip
        assert part in call
