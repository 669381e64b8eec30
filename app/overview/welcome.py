"""How far the set-up of the program is, step by step, told from facts: nothing remembers who looked when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.config.schema import Config
from app.db import facts, pairing_tests, runs, totals
from app.db.connection import Connection
from app.db.migrate import DATABASE_ID
from app.files.roots import configured_roots
from app.model import RunKind, RunStatus
from app.model.counting import counted
from app.model.pairing import PairingState
from app.overview.roots import in_words, look_at_roots
from app.services import Services

State = Literal["done", "open", "wrong"]
NAMES = ("folders", "target", "peer", "rehearsal", "start")
TITLES = {
    "folders": "Folders",
    "target": "Where batches go",
    "peer": "Connect the peer",
    "rehearsal": "Rehearsal",
    "start": "First run",
}


@dataclass(frozen=True)
class SetUpStep:
    """One step: `words` say what was found, in a few words."""

    name: str
    state: State
    words: str

    @property
    def title(self) -> str:
        """What the step is called."""
        return TITLES[self.name]


def set_up_steps(services: Services) -> list[SetUpStep]:
    """Every step in its order."""
    with services.db.reading() as conn:
        database_id = facts.find(conn, DATABASE_ID) or ""
        peer = _peer(conn, services.config)
        rehearsal, start = _rehearsal(conn), _start(conn)
    return [_folders(services, database_id), _target(services.config), peer, rehearsal, start]


def next_step(steps: list[SetUpStep]) -> str:
    """Where a person goes on: at the folders as long as nothing was chosen, then at the first step that is open."""
    by_name = {step.name: step for step in steps}
    if by_name["target"].state == "open":
        return "folders"
    return next((step.name for step in steps if step.state != "done"), "start")


def is_target_chosen(config: Config) -> bool:
    """Whether somebody has said where batches go."""
    return config.sync.target != "auto" or bool(config.syncthing.required_ids)


def files_known(conn: Connection) -> int:
    """How many files the program has ever seen."""
    return sum(files for files, _ in totals.read(conn).values())


def _folders(services: Services, database_id: str) -> SetUpStep:
    known = {(root.kind, root.path): root for of_kind in services.roots.values() for root in of_kind}
    wanted = configured_roots(services.config)
    missing = [kind for kind, path in wanted if (kind, path) not in known]
    if missing:
        return SetUpStep("folders", "open", f"{counted(len(missing), 'folder is', 'folders are')} not set up yet.")
    faults = [look for look in look_at_roots(known.values(), database_id) if look["fault"]]
    if faults:
        return SetUpStep("folders", "wrong", in_words(faults[0]))
    return SetUpStep("folders", "done", f"{counted(len(wanted), 'folder is', 'folders are')} set up.")


def _target(config: Config) -> SetUpStep:
    if not is_target_chosen(config):
        return SetUpStep("target", "open", "Nobody has chosen yet.")
    words = {
        "syncthing": "To another device, through Syncthing.",
        "folder": f"To the folder {config.sync.folder_dir}.",
        "none": "Nowhere: files go straight to the archive.",
    }[config.sync_target]
    return SetUpStep("target", "done", words)


def _peer(conn: Connection, config: Config) -> SetUpStep:
    if not is_target_chosen(config):
        return SetUpStep("peer", "open", "That comes after the choice of where batches go.")
    if config.sync_target != "syncthing":
        return SetUpStep("peer", "done", "None is needed.")
    test = pairing_tests.find(conn)
    if test is not None and test.state in (PairingState.ARRIVED, PairingState.PASSED):
        return SetUpStep("peer", "done", "A test file has arrived there.")
    if config.syncthing.required_ids:
        return SetUpStep("peer", "open", "A peer is named; a test file has not arrived there yet.")
    return SetUpStep("peer", "open", "No peer is named yet.")


def _rehearsal(conn: Connection) -> SetUpStep:
    last = runs.find_last(conn, RunKind.PREVIEW)
    if last is None:
        return SetUpStep("rehearsal", "open", "Nothing was rehearsed yet.")
    if last.status is RunStatus.DONE:
        return SetUpStep("rehearsal", "done", "A rehearsal was made.")
    state: State = "wrong" if last.status is RunStatus.FAILED else "open"
    return SetUpStep("rehearsal", state, last.error or "It is going on.")


def _start(conn: Connection) -> SetUpStep:
    last = runs.find_last(conn, RunKind.WORKFLOW)
    if last is None:
        return SetUpStep("start", "open", "No run was started yet.")
    return SetUpStep("start", "done", f"{counted(files_known(conn), 'file is', 'files are')} known.")
