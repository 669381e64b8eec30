"""The parts of debug.sh that need Python; nothing here writes.

    debug_state.py versions    of the program and of what it stands on, against requirements.txt
    debug_state.py config      the configuration in force, secrets masked
    debug_state.py database    schema, integrity, rows, totals
    debug_state.py health      what the service answers
    debug_state.py syncthing   every check of the delivery, and Syncthing's own answers; needs no running service
    debug_state.py mask        copies standard input, secrets masked
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
import urllib.error
import urllib.request
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import yaml

from app import __version__
from app.config.parse import secret_values
from app.config.store import ConfigStore, Snapshot, default_path, masked
from app.diagnostics import diagnose
from app.errors import MediaPipelineError
from app.services import ServiceContainer

TIMEOUT_SECONDS = 5

#: In log lines and addresses: a secret's name, and what follows it.
SECRET = re.compile(
    r"((?:api[_-]?key|password|passwd|secret|token|authorization|cookie)[\"']?\s*[:=]\s*[\"']?(?:bearer\s+)?)[^\s\"',}]+",
    re.IGNORECASE,
)


REQUIREMENTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "requirements.txt")


def show_versions() -> None:
    """The program, SQLite, and each required package with the version that is wanted where another is installed."""
    print(f"Media Pipeline {__version__}, SQLite {sqlite3.sqlite_version}")
    for name, wanted in requirements():
        print(f"{name:14} {_installed(name, wanted)}")


def requirements() -> list[tuple[str, str]]:
    """Each package of requirements.txt with the version it is pinned to."""
    with open(REQUIREMENTS, encoding="utf-8") as file:
        pins = [line.strip().partition("==") for line in file if "==" in line and not line.startswith("#")]
    return [(name.partition("[")[0], pinned) for name, _, pinned in pins]


def _installed(name: str, wanted: str) -> str:
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"is missing; requirements.txt asks for {wanted}"
    return found if found == wanted else f"{found}; requirements.txt asks for {wanted}"


def loaded() -> Snapshot:
    """The configuration in force. Raises ConfigError."""
    return ConfigStore(default_path()).load()


def show_config() -> None:
    """The masked configuration, where it came from and what is odd about it."""
    store = ConfigStore(default_path())
    snapshot = store.load()
    for problem in store.fault.problems if store.fault else ():
        print(f"fault, so that a kept revision is in force: {problem.placed(store.path)}")
    print(f"revision {snapshot.revision}")
    for warning in snapshot.warnings:
        print(f"warning: {warning.sentence()}")
    if snapshot.environment_keys:
        print("from the environment:", ", ".join(sorted(snapshot.environment_keys)))
    print(yaml.safe_dump(masked(snapshot.config), sort_keys=False).rstrip())


def show_database() -> None:
    """Schema revision, integrity and how many rows there are."""
    path = loaded().config.system.db_path
    print(path)
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            print("integrity:", db.execute("PRAGMA quick_check").fetchone()[0])
            names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
            for name in names:
                count = db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                print(f"  {name:20} {count} rows")
            print("schema:", *[row[0] for row in db.execute("SELECT version_num FROM alembic_version")])
            for row in db.execute("SELECT status, file_count, size_bytes FROM totals ORDER BY status"):
                print(f"  {row[0]:20} {row[1]} files, {row[2]} bytes")
    except sqlite3.Error as error:
        print(f"cannot be read: {error}")


def show_health() -> None:
    """What the running service says of itself and of Syncthing."""
    config = loaded().config
    base = f"http://127.0.0.1:{config.system.port_api}"
    for path in ("/health", "/ready", "/api/workflow/status"):
        request = urllib.request.Request(base + path)
        if config.auth.every_key:
            request.add_header(config.auth.header_name, config.auth.every_key[0].key)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                print(f"{path}: {answer.status}\n{hidden(indented(answer.read()))}")
        except urllib.error.HTTPError as error:
            print(f"{path}: {error.code}\n{hidden(indented(error.read()))}")
        except OSError as error:
            print(f"{path}: no answer ({error})")


def show_syncthing() -> None:
    """The checks of the delivery in words, then the facts behind them. Asks Syncthing itself, not the service."""
    container = ServiceContainer(default_path())
    try:
        found = diagnose(container.services, container.store.path)
    finally:
        container.close()
    for check in found.pop("checks"):
        more = f" What to do: {check['fix']}" if check["fix"] else ""
        print(without_known_secrets(f"{check['state']:8} {check['name']}: {check['cause']}{more}"))
    print(hidden(json.dumps(found, indent=2, ensure_ascii=False)))


def indented(body: bytes) -> str:
    """JSON made readable; anything else as it is."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode("utf-8", "replace")


def hidden(text: str) -> str:
    """The text with secrets replaced: those of the configuration wherever they stand, and what looks like one."""
    return SECRET.sub(r"\1********", without_known_secrets(text))


def without_known_secrets(text: str) -> str:
    """The text with the secrets of the configuration replaced, wherever they stand."""
    for secret in secret_values(loaded().config):
        text = text.replace(secret, "********")
    return text


def main() -> int:
    """Run the part that is asked for."""
    parts = {
        "versions": show_versions,
        "config": show_config,
        "database": show_database,
        "health": show_health,
        "syncthing": show_syncthing,
        "mask": lambda: print(hidden(sys.stdin.read()), end=""),
    }
    if len(sys.argv) != 2 or sys.argv[1] not in parts:
        print(__doc__)
        return 2
    try:
        parts[sys.argv[1]]()
    except MediaPipelineError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
