"""The documents are true: commands exist, links lead somewhere, nothing is left undone or machine-bound."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md")])
SCRIPT = re.compile(r"(?<!tests)(?:^|[\s`/])((?:\.?/)?(?:scripts|docker|bench|\.ci)/[\w./-]+\.(?:sh|py|conf|yaml))")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"```bash\n(.*?)```", re.DOTALL)
ROUTE = re.compile(r"https?://localhost:8080(/[\w/.-]*)")


def tracked() -> list[Path]:
    """Every file of the repository that git knows or would take."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [ROOT / name for name in names.decode().split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="ignore")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_to_a_file(document: Path) -> None:
    targets = [target for target in LINK.findall(text_of(document)) if "://" not in target]
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_script_that_a_document_names_exists(document: Path) -> None:
    named = {name.removeprefix("./").removeprefix("/") for name in SCRIPT.findall(text_of(document))}
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_script_in_the_readme_can_be_executed() -> None:
    commands = [line.split()[0] for block in CODE.findall(text_of(ROOT / "README.md")) for line in block.splitlines()]
    scripts = {command for command in commands if command.startswith("./")}
    assert scripts
    assert sorted(name for name in scripts if not (ROOT / name).stat().st_mode & 0o111) == []


def test_every_address_in_the_readme_is_a_route() -> None:
    from app.web import create_app

    rules = create_app(str(ROOT / "no-such-config.yaml")).url_map
    adapter = rules.bind("localhost")
    paths = {path for block in CODE.findall(text_of(ROOT / "README.md")) for path in ROUTE.findall(block)}
    assert paths
    unknown = [path for path in sorted(paths) if not any(adapter.test(path, method=m) for m in ("GET", "POST"))]
    assert unknown == []


def test_every_make_target_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {name for path in DOCUMENTS for name in re.findall(r"`?make ([a-z-]+)`", text_of(path))}
    assert sorted(named - targets) == []


def test_nothing_is_left_undone_and_no_machine_is_named() -> None:
    undone = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X:"]))
    machine = re.compile(r"(?<![\w/])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", r"home/(?!user|me)\w+"]) + ")/")
    found = []
    for path in tracked():
        if path.suffix in {".png", ".jpg", ".heic"}:
            continue
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if undone.search(line) or machine.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_the_requirements_of_the_program_name_the_test_runner_too() -> None:
    named = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("pytest==") for line in named)


def test_every_python_requirement_is_pinned_and_explained() -> None:
    architecture = text_of(ROOT / "docs" / "architecture.md").lower()
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        lines = [line for line in text_of(ROOT / name).splitlines() if line and not line.startswith(("#", "-"))]
        assert [line for line in lines if "==" not in line] == []
        if name == "requirements.txt":
            packages = [re.split(r"[\[=]", line)[0].lower() for line in lines]
            assert [package for package in packages if package not in architecture] == []


def test_browser_assets_are_pinned_without_naming_a_host() -> None:
    package = json.loads(text_of(ROOT / "package.json"))
    wanted = package["dependencies"] | package["devDependencies"]
    locked = json.loads(text_of(ROOT / "package-lock.json"))["packages"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert "://" not in text_of(ROOT / "package-lock.json")


def test_the_version_is_the_same_everywhere() -> None:
    from app import __version__

    assert tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"] == __version__


def test_every_variable_of_the_compose_file_is_explained() -> None:
    used = set(re.findall(r"\$\{(\w+)", text_of(ROOT / "compose.yaml")))
    explained = set(re.findall(r"^#?(\w+)=", text_of(ROOT / ".env.example"), re.MULTILINE))
    assert used == explained


def test_the_state_table_in_the_architecture_is_the_one_in_the_code() -> None:
    from app.model import BATCH_CHANGES

    text = text_of(ROOT / "docs" / "architecture.md")
    for status, allowed in BATCH_CHANGES.items():
        cells = ", ".join(each.value for each in allowed)
        assert re.search(rf"^\| {status.value} \| {cells} ?\|$", text, re.MULTILINE), status


def test_a_date_about_which_nothing_is_sure_has_one_name() -> None:
    """Only keys and values that are older than the word say otherwise; they stand in code."""
    code = re.compile(r"```.*?```|`[^`]*`|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
    other = re.compile(r"\b(weak|uncertain|certain date)\b", re.IGNORECASE)
    places = [*ROOT.glob("docs/*.md"), ROOT / "README.md", *ROOT.glob("templates/**/*.html")]
    assert {str(path): found for path in places if (found := other.findall(code.sub("", text_of(path))))} == {}
