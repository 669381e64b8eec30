"""The image: what is in it, what is not, and how it presents itself."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.container.sizes import own_layers_mb
from tests.container.stack import ROOT, docker

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]

#: What we lay on the Python image; ffmpeg would be three times as much.
OWN_LAYERS_MAX_MB = 170


def inside(image: str, script: str) -> str:
    return docker("run", "--rm", "--entrypoint", "sh", image, "-c", script)


def test_our_part_of_the_image_stays_small(image: str) -> None:
    assert own_layers_mb(image) < OWN_LAYERS_MAX_MB


def test_no_compiler_cache_test_or_manual_came_with_our_part(image: str) -> None:
    tools = inside(image, "command -v gcc cc c++ make npm node strip git curl || true")
    assert tools == ""
    ours = inside(
        image, "find /opt/venv -name pip -o -type d -name tests -o -name '*.pyi' -o -name '*.h' -o -name '*.a'"
    )
    assert ours == ""
    packages = inside(image, "ls /var/lib/apt/lists /var/cache/apt $HOME/.cache $HOME/.npm 2>/dev/null || true")
    assert [line for line in packages.splitlines() if line and not line.startswith("/")] == []
    assert inside(image, "cd /usr/share/doc/libimage-exiftool-perl && find . -type f") == "./copyright\n"


def test_what_a_start_imports_is_compiled_beforehand(image: str) -> None:
    sources = inside(image, "find /opt/media-pipeline/app -name '*.py' | wc -l")
    compiled = inside(image, "find /opt/media-pipeline/app -name '*.pyc' | wc -l")
    assert sources == compiled
    loose = inside(
        image,
        "cd /opt/media-pipeline && PYTHONPATH=. /opt/venv/bin/python -v -c 'import app.web, worker.__main__' 2>&1"
        " | grep -c 'code object from /' || true",
    )
    assert loose == "0\n"


def test_exiftool_and_every_reader_of_media_work_in_it(image: str) -> None:
    said = inside(
        image,
        "exiftool -ver && exiftool -json /opt/media-pipeline/app/web/static/*.png | head -1 && exiftool -listw | wc -l",
    )
    assert re.match(r"\d+\.\d+\n", said)
    reading = "import pymediainfo, pi_heif, PIL.Image, blake3; assert pymediainfo.MediaInfo.can_parse(); print('all')"
    assert inside(image, f'/opt/venv/bin/python -c "{reading}"') == "all\n"


def test_the_image_says_what_it_is_and_where_it_comes_from(image: str) -> None:
    labels = json.loads(docker("inspect", "-f", "{{json .Config.Labels}}", image))
    revision = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    told = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()}
    assert (
        told.items() >= {"version": "1.2.3", "revision": revision, "title": "Media Pipeline", "licenses": "MIT"}.items()
    )
    assert told["source"].endswith("media-pipeline/media-pipeline")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (("PUID=joe",), "PUID must be a number, not 'joe'"),
        (("UMASK=rwx",), "UMASK must be an octal number as 022, not 'rwx'"),
    ],
)
def test_a_wrong_variable_is_told_in_a_sentence(image: str, variables: tuple[str, ...], sentence: str) -> None:
    given = [part for variable in variables for part in ("-e", variable)]
    done = subprocess.run(
        ["docker", "run", "--rm", *given, image], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr.strip()) == (1, f"entrypoint: {sentence}")
