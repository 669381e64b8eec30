"""Writes the systemd units of an installation: docker/systemd, filled in for its folders, user and ports.

    system_units.py --install-dir DIR --user USER --config PATH --into DIR [--python PATH]

Into /etc/systemd/system for good, or anywhere to look at them. Make them anew after a folder, system.port_api or
system.bind_host was changed in the configuration. Exit code 1 and one sentence when the configuration has faults.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "release"))

from names import ROOT, public_names

from app.config.schema import Config
from app.config.store import ConfigStore
from app.errors import ConfigError

TEMPLATES = ROOT / "docker" / "systemd"

#: Folders of the system itself: to let a service write below one of these would undo ProtectSystem=strict.
SYSTEM = set(
    "/ /bin /boot /dev /etc /home /lib /lib64 /opt /proc /root /run /sbin /sys /usr /var /var/lib".split()  # noqa: SIM905
)


def main() -> int:
    """Write every unit and name it."""
    options = parse()
    try:
        config = ConfigStore(options.config).load().config
        values = filled(config, options)
    except (ConfigError, ValueError) as error:
        print(f"system_units.py: {error}", file=sys.stderr)
        return 1
    options.into.mkdir(parents=True, exist_ok=True)
    for template in sorted([*TEMPLATES.glob("*.service"), *TEMPLATES.glob("*.socket")]):
        unit = options.into / template.name
        unit.write_text(render(template.read_text(encoding="utf-8"), values), encoding="utf-8")
        unit.chmod(0o644)
        print(unit)
    return 0


def parse() -> argparse.Namespace:
    """The arguments, with absolute paths."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--install-dir", type=os.path.abspath, required=True)
    parser.add_argument("--user", required=True, help="who runs it and owns what it writes")
    parser.add_argument("--config", type=os.path.abspath, required=True)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--python", type=os.path.abspath, help="default: .venv/bin/python in the install dir")
    return parser.parse_args()


def filled(config: Config, options: argparse.Namespace) -> dict[str, str]:
    """Mark in a template -> text. Raises ValueError when a path cannot stand in a unit."""
    state = [os.path.dirname(config.system.db_path), config.system.log_dir, os.path.dirname(options.config)]
    host = config.system.bind_host
    return {
        "HARDENING": (TEMPLATES / "hardening.in").read_text(encoding="utf-8").rstrip(),
        "INSTALL_DIR": line(options.install_dir),
        "MODULES": word(f"PYTHONPATH={options.install_dir}"),
        "PYTHON": argument(options.python or f"{options.install_dir}/.venv/bin/python"),
        "CONFIG": word(f"MEDIA_PIPELINE_CONFIG={options.config}"),
        "USER": line(options.user),
        "LISTEN": f"[{host}]:{config.system.port_api}" if ":" in host else f"{host}:{config.system.port_api}",
        "REPOSITORY": public_names().repository,
        "WRITABLE": listed([*state, *media_folders(config)]),
        "WRITABLE_STATE": listed(state),
    }


def media_folders(config: Config) -> list[str]:
    """The folders that files are moved between, as ONE folder above them where that is none of the system's own, and
    those for deliveries and backups.

    systemd mounts each path of ReadWritePaths= by itself, and between two mounts a rename is refused: every move
    would be a copy.
    """
    paths = config.paths
    roots = [paths.source_dir, paths.batch_dir, paths.sorted_dir, paths.duplicates_dir]
    above = os.path.commonpath(roots)
    moved = roots if above in SYSTEM else [above]
    return [*moved, *filter(None, [config.sync.folder_dir, config.backup.dir])]


def listed(folders: list[str]) -> str:
    """Folders for ReadWritePaths=, without those that lie in another; one that is away stops nothing."""
    kept: list[str] = []
    for folder in sorted({os.path.normpath(each) for each in folders}):
        if not any(folder == each or folder.startswith(f"{each}/") for each in kept):
            kept.append(folder)
    return " ".join(word(f"-{folder}") for folder in kept)


def line(text: str) -> str:
    """A text as the whole of a setting. Raises ValueError for a line break, which no unit can express."""
    if "\n" in text or "\r" in text:
        raise ValueError(f"{text!r} holds a line break, which no unit can express; rename it.")
    return text.replace("%", "%%")


def word(text: str) -> str:
    """One word of a list, in quotes where it needs them."""
    if not any(sign in text for sign in " \t\"'\\;"):
        return line(text)
    return '"' + line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def argument(text: str) -> str:
    """One word of a command, where $ would begin a variable."""
    return word(text).replace("$", "$$")


def render(template: str, values: dict[str, str]) -> str:
    """The template with every mark filled in; HARDENING first, since it holds others."""
    for mark, text in values.items():
        template = template.replace(f"@{mark}@", text)
    return template


if __name__ == "__main__":
    sys.exit(main())
