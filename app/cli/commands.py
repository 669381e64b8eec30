"""Every subcommand: where it is, and the line about it in `--help`. It is loaded when it is called, so that each
command waits for no other's libraries.

A new one is a file of its own beside this one, and one entry here; the line is the first sentence of its own help.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import NamedTuple

import click


class Entry(NamedTuple):
    """One command: the module below app.cli, the name in it, and a line for people."""

    module: str
    attribute: str
    line: str


COMMANDS: dict[str, Entry] = {
    "run": Entry("stages", "run_everything", "Run the whole workflow."),
    "preview": Entry(
        "preview", "preview",
        "Rehearse a run without touching a file: batches, folders, dates, duplicates, room.",
    ),
    "tree": Entry(
        "tree", "tree",
        "Show the folders of the archive with counts, as they are or as another pattern would make them.",
    ),
    "dedup": Entry("dedup", "dedup", "Scan the ingest folder and find duplicates."),
    # Two of its verbs are beside `undo`.
    "batch": Entry("undo", "batch", "Make, list, look at and carry on batches."),
    "sync": Entry("sync", "sync", "Deliver a batch: sync ID."),
    "sort": Entry("stages", "sort", "File a delivered batch into the archive."),
    "cleanup": Entry("stages", "cleanup", "Remove what is finished, stale or expired."),
    "retry": Entry("retry", "retry", "Try everything again that failed: files, batches in ERROR, the last run."),
    "undo": Entry("undo", "undo", "Take a batch back: its files return to where they came from."),
    "verify": Entry("verify", "verify", "Read files again, and compare each with what it should hold."),
    "findings": Entry("findings", "findings", "List what verifications found; take what was found for right."),
    "overview": Entry("show", "overview", "Show the balance sheet, batches, folders and warnings."),
    "assets": Entry("assets", "assets", "Find files, show one with its whole story, try files again."),
    "duplicates": Entry(
        "duplicates", "duplicates",
        "List every original that has duplicates, with the files that hold the same bytes.",
    ),
    "why": Entry(
        "why", "why",
        "Tell the whole story of a file: what it is, where it is and was, why its date, its batch, its proof.",
    ),
    "dates": Entry(
        "dates", "dates",
        "List doubtful dates; accept or set dates, say their time zone, shift them by hours, take that back.",
    ),
    "refile": Entry(
        "refile", "refile", "Move archived files to where they belong by today's dates, patterns and settings.",
    ),
    "runs": Entry("runs", "runs", "List runs, show one with its steps, or steer it."),
    "journal": Entry(
        "journal", "journal",
        "Show what happened, newest first: docs/journal.md tells what each kind means.",
    ),
    "logs": Entry("logs", "logs", "Show the last lines of the logs, in the order of their times."),
    "config": Entry("config", "config", "Show, change, check and take back the settings."),
    "key": Entry("keys", "key", "Make, list and remove access keys, each with a name and a scope."),
    "doctor": Entry(
        "doctor", "doctor",
        "Check everything: settings, database, folders, processes, tools, the work itself, Syncthing.",
    ),
    "setup": Entry(
        "setup", "setup",
        "Make the configuration when there is none, migrate the database, set up the folders of a first start.",
    ),
    "syncthing": Entry(
        "syncthing", "syncthing",
        "Set Syncthing up and connect the peer: status, setup, pending, accept, dismiss, qr.",
    ),
    "pairing-test": Entry(
        "pairing_test", "pairing_test",
        "Send a small file to the peer, see it proven there, and remove it again.",
    ),
    "rebuild": Entry("rebuild", "rebuild", "Make a lost database again from the manifests and the folders."),
    "backup": Entry(
        "backup", "backup",
        "Write configuration, database and manifests to one FILE, beside a running service.",
    ),
    "restore": Entry(
        "backup", "restore_backup",
        "Put the backup in FILE back, then put its rows right from what is on disk.",
    ),
    "completion": Entry("completion", "completion", "Print the lines that make a shell complete this program."),
}


class Commands(MutableMapping[str, click.Command]):
    """The commands by name, each loaded when it is asked for; names are known without loading any."""

    def __init__(self) -> None:
        self._loaded: dict[str, click.Command] = {}
        self._names = dict.fromkeys(COMMANDS)

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            self._loaded[name] = _load(COMMANDS[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._names[name] = None
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _load(entry: Entry) -> click.Command:
    from app.cli.options import complete_command
    from app.log import configure_logging

    # To the terminal alone: several commands may run at once, and a log file has one writer.
    configure_logging("cli", level="warning")
    command = getattr(import_module(f"app.cli.{entry.module}"), entry.attribute)
    assert isinstance(command, click.Command)
    return complete_command(command)
