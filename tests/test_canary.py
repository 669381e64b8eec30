"""A canary in every secret of the settings sings nowhere: in no answer of a command or of an address, in no file but
the settings, their history and the backups, which are their owner's alone."""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.config.settings import secret_keys
from app.services import ServiceContainer
from app.web import create_app
from tests.conftest import make_jpeg, write_tree
from tests.prepared import call
from tests.test_questions import questions
from tests.worker.installation import Installation

CANARY = "CANARY-5c1f-"
KEY = CANARY + "the-key-of-everything"
SECRETS = {
    "auth": {"api_key": KEY, "keys": [{"name": "wall", "key": CANARY + "of-the-wall", "scope": "read"}]},
    "syncthing": {"api_key": CANARY + "of-syncthing", "api_url": "http://127.0.0.1:1", "folder_id": "photos"},
    "mqtt": {"host": "127.0.0.1", "port": 1, "username": "us", "password": CANARY + "of-the-broker"},
    "notify": {
        "urls": [{"name": "phone", "url": f"json://us:{CANARY}of-the-phone@127.0.0.1:1/"}],
        "webhooks": [{"name": "home", "url": f"http://127.0.0.1:1/{CANARY}way", "secret": CANARY + "of-the-webhook"}],
    },
}
#: What may hold secrets, below the installation's folder.
THEIR_OWN = re.compile(r"config\.yaml|revisions/|(state/)?backups/|state/.*\.(ya?ml|tar\.gz)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Photos on their way to a peer that does not answer, a backup, settings that were saved and refused."""
    with Installation(tmp_path_factory.mktemp("canary"), sync={"target": "syncthing"}, **SECRETS) as made:
        photo = make_jpeg(taken="2024:05:06 07:08:09", seed=1)
        write_tree(made.folder("ingest"), {"a.jpg": photo, "b.txt": b"no photo"})
        for words in ("run", "backup", "config set batch.max_files=7", f"config set syncthing.api_url=x{CANARY}"):
            call(made.config_path, *shlex.split(words))
        yield made


@pytest.fixture(scope="module")
def client(site: Installation) -> FlaskClient:
    made = create_app(container=ServiceContainer(str(site.config_path))).test_client()
    made.environ_base["HTTP_X_API_KEY"] = KEY
    return made


def test_every_secret_that_there_is_has_its_canary(site: Installation) -> None:
    values = site.services.config.model_dump(mode="python")
    for place in secret_keys(values):
        found: object = values
        for part in place:
            found = found[int(part)] if isinstance(found, list | tuple) else found[part]  # type: ignore[index]
        assert CANARY in str(getattr(found, "get_secret_value", lambda value=found: value)()), ".".join(place)


def test_no_command_prints_a_secret(site: Installation) -> None:
    commands = [row["command"] for row in questions() if "{" not in row["command"]]
    assert len(commands) > 25
    today = datetime.now(UTC).date().toordinal()
    for number, command in enumerate((*commands, "config show", "config history", "logs --lines 1000"), today):
        # For a person on one day, for a program on the next: both together take twice the time.
        more = ("--json",) if number % 2 else ()
        _, out, err = call(site.config_path, *shlex.split(command), *more)
        assert CANARY not in out + err, command


def test_no_address_answers_with_a_secret(client: FlaskClient) -> None:
    asked = 0
    for rule in client.application.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.arguments and "stream" not in rule.rule:
            answer = client.get(rule.rule, headers={"Accept": "text/html, application/json"})
            assert CANARY.encode() not in answer.data + str(answer.headers).encode(), rule.rule
            asked += answer.status_code == 200
    assert asked > 40


def test_no_other_file_holds_a_secret_and_those_that_do_are_their_owners_alone(site: Installation) -> None:
    holding = []
    for folder, _, names in os.walk(site.base):
        for path in (Path(folder, name) for name in names):
            inside = str(path.relative_to(site.base))
            if THEIR_OWN.match(inside):
                holding.append(inside)
                assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, inside
            else:
                assert CANARY.encode() not in path.read_bytes(), inside
    assert len(holding) >= 2, holding
