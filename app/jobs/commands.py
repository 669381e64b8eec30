"""What can be asked for by a word alone, as a button at home does: each acts on the run or batch that is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.backup.making import make_backup
from app.errors import Conflict, NotFound
from app.jobs import control, looking, requests, verify
from app.model import Run, Trigger
from app.overview.home.media import next_batch_id
from app.overview.runs import find_current
from app.services import Services

#: Takes the services and the path of the settings file; answers a sentence.
Command = Callable[[Services, str], str]


def carry_out(services: Services, config_path: str, name: str) -> str:
    """Carry out the command of this name; answers what was done, in a sentence.

    Raises NotFound for a word that is no command, Conflict when there is nothing to act on or a run is in the way, and
    what making a backup raises.
    """
    command = COMMANDS.get(name)
    if command is None:
        raise NotFound("command", name[:40])
    return command(services, config_path)


def _starting(begin: Callable[[Services, Trigger], Run], what: str) -> Command:
    def start(services: Services, _: str) -> str:
        return f"{what} (run {begin(services, Trigger.API).id})."

    return start


def _on_batch(act: str, begin: Callable[[Services, int, Trigger], Run], what: str) -> Command:
    def start(services: Services, _: str) -> str:
        with services.db.reading() as conn:
            batch_id = next_batch_id(conn, act)
        if batch_id is None:
            raise Conflict(f"There is no batch for that: {what} found none.")
        return f"{what} of batch {batch_id} was started (run {begin(services, batch_id, Trigger.API).id})."

    return start


def _steering(steer: Callable[[Services, int], Run], said: str) -> Command:
    def ask(services: Services, _: str) -> str:
        with services.db.reading() as conn:
            found = find_current(conn)
        if found is None:
            raise Conflict("There is no run to act on.")
        return f"Run {steer(services, found.id).id} {said}."

    return ask


def _make_batch(services: Services, _: str) -> str:
    batch, run = requests.create_batch(services, Trigger.API)
    return f"Batch {batch.name} is being made (run {run.id})."


def _back_up(services: Services, config_path: str) -> str:
    return f"The backup {make_backup(services, config_path).name} was made."


def _look_at_deliveries(services: Services, _: str) -> str:
    return looking.look_now(services).sentence


COMMANDS: Mapping[str, Command] = {
    "run": _starting(requests.start_workflow, "The whole workflow was started"),
    "dedup": _starting(requests.start_dedup, "The search for duplicates was started"),
    "batch": _make_batch,
    "sync": _on_batch("sync", requests.start_sync, "The delivery"),
    "sort": _on_batch("sort", requests.start_sort, "The archiving"),
    "cleanup": _starting(requests.start_cleanup, "Cleanup was started"),
    "pause": _steering(control.pause, "pauses at its next safe point"),
    "resume": _steering(control.resume, "goes on"),
    "cancel": _steering(control.cancel, "is being cancelled"),
    "verify": _starting(verify.start_verify, "A verification was started"),
    "backup": _back_up,
    "refresh_sync": _look_at_deliveries,
}
