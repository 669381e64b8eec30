"""How the parts of the program are, in words and with what to do: from rows, facts and file sizes alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from app.config.cron import next_after
from app.config.schema import Config
from app.db import facts, runs
from app.db.clock import now
from app.model import Run, RunStatus
from app.model.counting import counted, size_in_words
from app.model.instants import instant_in_words
from app.services import Services
from app.syncthing import known, telling

OK, NOTE, WARNING, FAULT = "ok", "note", "warning", "fault"
LEVELS = (FAULT, WARNING, NOTE, OK)
#: A run that is queued for longer than this while a worker lives is stuck.
STUCK = timedelta(minutes=2)
#: A write-ahead log beyond this is not folded into the database any more.
LARGE_LOG_BYTES = 256_000_000
#: As the doctor judges it.
OLD_BACKUP = timedelta(days=30)


@dataclass(frozen=True)
class Part:
    """One part: `state` is ok, note, warning or fault; `fix` says what to do, `link` is the page where."""

    key: str
    label: str
    state: str
    words: str
    fix: str = ""
    link: str = ""


def health(conn: Connection, services: Services, seen: dict[str, Any]) -> list[Part]:
    """The worker, the queue, Syncthing, the folders, the database, backups and settings; `seen` is the overview."""
    return [
        _worker(seen),
        _queue(conn, seen),
        _syncthing(conn, services.config, seen),
        _folders(seen["roots"]),
        _database(services),
        _backup(conn, services),
        _settings(seen["config"]),
    ]


def _worker(seen: dict[str, Any]) -> Part:
    worker = seen["worker"]
    if worker["alive"]:
        return Part("worker", "Worker", OK, "Running.")
    since = f"not seen since {instant_in_words(worker['heartbeat_at'])}" if worker["heartbeat_at"] else "not running"
    state = FAULT if seen["running"] else WARNING
    return Part("worker", "Worker", state, f"The worker is {since}.", "Start it with ./scripts/restart.sh.", "/logs")


def _queue(conn: Connection, seen: dict[str, Any]) -> Part:
    found = runs.list_by_status(conn, [RunStatus.QUEUED, RunStatus.WAITING])
    queued = [run for run in found if run.status is RunStatus.QUEUED]
    waiting = [run for run in found if run.status is RunStatus.WAITING]
    held = f"; {counted(len(waiting), 'run waits', 'runs wait')} for a delivery or its turn" if waiting else ""
    if not queued:
        return Part("queue", "Queue", OK, f"Nothing is queued{held}.", link="/runs")
    words = f"{counted(len(queued), 'run is', 'runs are')} queued since {_oldest(queued)}{held}."
    if seen["worker"]["alive"] and datetime.fromisoformat(now()) - _asked_at(queued) < STUCK:
        return Part("queue", "Queue", OK, words, link="/runs")
    return Part("queue", "Queue", WARNING, words, "The worker takes it up; if it does not, look at its log.", "/logs")


def _asked_at(queued: Sequence[Run]) -> datetime:
    return min(datetime.fromisoformat(run.requested_at) for run in queued)


def _oldest(queued: Sequence[Run]) -> str:
    return instant_in_words(min(run.requested_at for run in queued))


def _syncthing(conn: Connection, config: Config, seen: dict[str, Any]) -> Part:
    if config.sync_target != "syncthing":
        state = NOTE if config.sync_target == "none" else OK
        return Part("syncthing", "Delivery", state, _elsewhere(config), link="/peer")
    told, found = telling.load(conn), known.load(conn)
    if told.lost:
        return Part("syncthing", "Syncthing", FAULT, told.lost, "The page Peer says what to do.", "/peer")
    if found.folder_id != config.syncthing.folder_id or not found.version:
        words = "Not heard yet." if seen["worker"]["alive"] else "Not known: the worker, which listens to it, is away."
        return Part("syncthing", "Syncthing", WARNING, words, "The page Peer connects it.", "/peer")
    if not seen["worker"]["alive"]:
        words = f"{found.version} when it was last heard; the worker, which listens to it, is away."
        return Part("syncthing", "Syncthing", WARNING, words, "", "/peer")
    return _peers(told, found)


def _elsewhere(config: Config) -> str:
    if config.sync_target == "folder":
        return f"To the folder {config.sync.folder_dir}; Syncthing is not used."
    return "Nothing is delivered: files go straight to the archive."


def _peers(told: telling.Told, found: known.Known) -> Part:
    trouble = "The folder is paused in Syncthing." if told.paused else told.fault
    away = [peer for peer in found.peers.values() if not peer.connected]
    words = [f"{found.version} answers.", *(_peer(peer) for peer in found.peers.values()), trouble]
    said = " ".join(part for part in words if part)
    if not found.peers:
        fix = "The folder is shared with no other device yet; the page Peer connects one."
        return Part("syncthing", "Syncthing", WARNING, said, fix, "/peer")
    state = WARNING if trouble else NOTE if away else OK
    return Part("syncthing", "Syncthing", state, said, "The page Peer says what to do." if trouble else "", "/peer")


def _peer(peer: known.PeerKnown) -> str:
    if peer.connected:
        return f"{peer.name} is connected."
    if peer.paused:
        return f"{peer.name} is paused."
    seen = f", last seen {instant_in_words(peer.last_seen_at)}" if peer.last_seen_at else ""
    return f"{peer.name} is not connected{seen}."


def _folders(looks: Sequence[dict[str, Any]]) -> Part:
    away = [look for look in looks if look["fault"]]
    if not looks:
        return Part("folders", "Folders", WARNING, "No folder is set up yet.", "Set them up.", "/welcome")
    if away:
        words = "; ".join(f"{look['kind']}: {look['fault']}" for look in away)
        return Part("folders", "Folders", FAULT, f"{words}.", "Mount the share; nothing moves until it is back.")
    return Part("folders", "Folders", OK, f"All {len(looks)} are there and ours.")


def _database(services: Services) -> Part:
    path = services.db.path
    words = f"{size_in_words(_size(path))}, in {os.path.dirname(os.path.abspath(path))}."
    log = _size(f"{path}-wal")
    if log > LARGE_LOG_BYTES:
        fix = "Restart the service: that folds it into the database."
        return Part("database", "Database", WARNING, f"{words} Its write-ahead log has {size_in_words(log)}.", fix)
    return Part("database", "Database", OK, f"{words} Its write-ahead log is folded in.")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _backup(conn: Connection, services: Services) -> Part:
    fix = "Back up now on the page Control, or `media-pipeline backup`, makes one beside a running service."
    failure = facts.find(conn, facts.BACKUP_FAILED)
    if failure:
        return Part("backup", "Backup", WARNING, failure, fix, "/control")
    made, coming = newest_backup_at(services.backup_dir), _next_backup(services)
    if made is None:
        words = f"There is no backup of settings and database yet.{coming}"
        return Part("backup", "Backup", WARNING, words, fix, "/control")
    words = f"The newest was made at {instant_in_words(made)}.{coming}"
    is_old = datetime.fromisoformat(now()) - datetime.fromisoformat(made) > OLD_BACKUP
    return Part("backup", "Backup", WARNING if is_old else OK, words, fix if is_old else "", "/control")


def _next_backup(services: Services) -> str:
    expression = services.config.backup.schedule.strip()
    coming = next_after(expression, datetime.fromisoformat(now()), services.config.zone) if expression else None
    return f" The next one is due at {instant_in_words(coming.astimezone(UTC).isoformat())}." if coming else ""


def newest_backup_at(folder: Path) -> str | None:
    """When the newest backup was made, by its name."""
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".tar.gz")]
    except OSError:
        return None
    stamps = sorted(stamp for name in names for stamp in [name.removesuffix(".tar.gz").split("-")[3:4]] if stamp)
    try:
        return datetime.strptime(stamps[-1][0], "%Y%m%dT%H%M%S%z").isoformat() if stamps else None
    except ValueError:
        return None


def _settings(config: dict[str, Any]) -> Part:
    if config["fault"]:
        return Part("settings", "Settings", FAULT, config["fault"], "Mend them on the page Settings.", "/settings/text")
    if config["warnings"]:
        words = f"In force, with {counted(len(config['warnings']), 'remark', 'remarks')}."
        return Part("settings", "Settings", NOTE, words, "", "/settings")
    return Part("settings", "Settings", OK, "In force as the file says.", link="/settings")
