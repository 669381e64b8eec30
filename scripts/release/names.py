"""The public names of the image and the repository: in pyproject.toml, [tool.media-pipeline], and nowhere else.

MEDIA_PIPELINE_PUBLIC_IMAGE and MEDIA_PIPELINE_PUBLIC_REPOSITORY put others in their place, for a fork.

    names.py image | repository      prints one of them
"""

from __future__ import annotations

import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Names:
    """As `owner/name`, without a host: the image on Docker Hub, the repository on GitHub."""

    image: str
    repository: str

    @property
    def assets(self) -> str:
        """Address under which the files of the newest release are found."""
        return f"https://github.com/{self.repository}/releases/latest/download"

    def fill(self, text: str) -> str:
        """Put the names where a template has @IMAGE@, @REPOSITORY@ and @ASSETS@."""
        for mark, name in (("IMAGE", self.image), ("REPOSITORY", self.repository), ("ASSETS", self.assets)):
            text = text.replace(f"@{mark}@", name)
        return text


def public_names() -> Names:
    """The names in force."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["media-pipeline"]
    return Names(
        image=os.environ.get("MEDIA_PIPELINE_PUBLIC_IMAGE") or settings["image"],
        repository=os.environ.get("MEDIA_PIPELINE_PUBLIC_REPOSITORY") or settings["repository"],
    )


if __name__ == "__main__":
    print(getattr(public_names(), sys.argv[1]))
