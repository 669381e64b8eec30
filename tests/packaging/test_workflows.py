"""The workflows of GitHub Actions: what actionlint says, what they pin, what they run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def linted(*files: Path) -> subprocess.CompletedProcess[str]:
    command = ["node", str(ROOT / "tests/packaging/actionlint.mjs"), *(str(file) for file in files)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_actionlint_finds_nothing_in_the_workflows(tmp_path: Path) -> None:
    done = linted(*WORKFLOWS)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("steps.version", "steps.nothing").replace("runs-on", "run-on"))
    assert linted(broken).returncode == 1


def test_every_action_is_pinned_to_a_commit() -> None:
    assert {path.name for path in WORKFLOWS} == {"test.yml", "release.yml"}
    for path in WORKFLOWS:
        used = re.findall(r"uses: (.*)$", path.read_text(), re.MULTILINE)
        assert used
        assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_workflows_run_scripts_of_this_repository_with_least_rights() -> None:
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                # what comes from outside reaches a script by its environment, never as part of its text
                assert "${{" not in step.get("run", "")
                for name in re.findall(r"(?:scripts|\.ci)/[\w./-]+", step.get("run", "")):
                    assert (ROOT / name).is_file(), name
