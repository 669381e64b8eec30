"""Syncthing's REST API, as far as this program needs it. Works with 1.19 and everything after it.

Every method either returns values or raises SyncthingUnreachable (no usable answer; may pass by itself)
or SyncthingRefused (an answer, but no; someone has to change something). Never follows a redirect, never
reads proxy settings from the environment, never sends the key to any other address than the configured one.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar
from urllib.parse import urlencode, urlsplit

import urllib3

from app.config.schema import Config
from app.errors import SyncthingError, SyncthingRefused, SyncthingUnreachable
from app.syncthing import answers
from app.syncthing.key import Key, KeyRing, find_keys
from app.syncthing.pipelining import Pipeline
from app.syncthing.refusals import NoSuchObject, key_refused, no_key, reason_of, refusal
from app.syncthing.transport import Guard, base_url, guarded_pools

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
#: A whole request, whatever trickles in.
DEADLINE_SECONDS = 30.0
#: A scan is answered when all of it has been hashed. A longer one is asked for again at the next look.
SCAN_SECONDS = 120.0
BODY_CAP_BYTES = 8 * 1024 * 1024

Json = Any
T = TypeVar("T")
A = TypeVar("A")


class SyncthingClient:
    """One Syncthing. Not for several threads at once: it holds one connection."""

    def __init__(self, api_url: str, api_key: str | KeyRing, *, scan_seconds: float = SCAN_SECONDS) -> None:
        self.url = base_url(api_url)
        ring = api_key if isinstance(api_key, KeyRing) else KeyRing(lambda: [Key.of("syncthing.api_key", api_key)])
        self.keys = ring
        self._scan_seconds = scan_seconds
        #: The date of the last answer, by the clock of what answered.
        self.answered_at = ""
        self._guard = Guard()
        self._pools = guarded_pools(self._guard)
        self._pipeline = Pipeline(self.url, ring)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """The client that the configuration describes. Raises SyncthingRefused for an unusable address."""
        return cls(config.syncthing.api_url, KeyRing(lambda: find_keys(config)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._pools.clear()
        self._pipeline.close()

    # --- the system

    def ping(self) -> None:
        """Return when Syncthing answers and accepts the key; raise what is wrong otherwise."""
        self._object("GET", "system/ping")

    def system_status(self) -> dict[str, Any]:
        """`/rest/system/status` as it is."""
        return self.ask("system/status", answers.system_status)

    def version(self) -> str:
        """Syncthing's version, such as v1.19.2."""
        return self.ask("system/version", lambda answer: answers.text_of(answer, "version"))

    def my_id(self) -> str:
        """The device ID of this Syncthing itself."""
        return answers.own_id(self.system_status())

    def connected(self) -> dict[str, bool]:
        """For every known device, whether it is connected now."""
        found = self._object("GET", "system/connections")
        return self._understood(answers.connections, found)

    def last_seen(self) -> dict[str, str]:
        """For every known device, when it was last seen, as Syncthing writes it."""
        return self._understood(answers.last_seen, self._object("GET", "stats/device"))

    # --- the configuration

    def folder(self, folder_id: str) -> answers.FolderView:
        """The folder. Raises SyncthingRefused(not_found)."""
        found = {folder.id: folder for folder in self.folders()}
        if folder_id in found:
            return found[folder_id]
        known = ", ".join(sorted(found)) or "none"
        raise SyncthingRefused(
            "not_found",
            404,
            f"Syncthing has no folder {folder_id!r} (syncthing.folder_id); it has: {known}. Let the page Peer, or "
            "`media-pipeline syncthing setup`, make it, or write the ID of the right one.",
        )

    def folders(self) -> list[answers.FolderView]:
        """Every folder."""
        return [self._understood(answers.folder_view, f) for f in self._list("GET", "config/folders")]

    def devices(self) -> dict[str, dict[str, Any]]:
        """Every device of the configuration by its ID: name, paused and the rest."""
        return self._understood(answers.devices, self._list("GET", "config/devices"))

    # --- the database

    def scan(self, folder_id: str, sub: str) -> bool:
        """Have a relative sub-folder scanned. True when it is done, False when it takes longer than we wait.

        Raises SyncthingRefused when Syncthing cannot scan (unknown folder, marker missing, paused).
        """
        try:
            self._answer("POST", "db/scan", {"folder": folder_id, "sub": sub}, read_seconds=self._scan_seconds)
        except _TookTooLong:
            return False
        return True

    def file(self, folder_id: str, path: str) -> answers.FileView | None:
        """One file as the index has it, or None when the index does not know it."""
        try:
            found = self._object("GET", "db/file", {"folder": folder_id, "file": path})
        except NoSuchObject:
            return None
        return self._understood(answers.file_view, found)

    def files(self, folder_id: str, paths: Iterable[str]) -> Iterator[answers.FileView | None]:
        """Each of these files as `file` tells of it, in this order; several are asked for at once."""
        return self._pipeline.files(folder_id, paths, self.file)

    def folder_status(self, folder_id: str) -> dict[str, Any]:
        """`/rest/db/status` as it is."""
        found = self._object("GET", "db/status", {"folder": folder_id})
        self._understood(answers.sequence_of, found)
        return found

    def folder_errors(self, folder_id: str) -> dict[str, str]:
        """The paths that Syncthing could not handle, with its reasons."""
        found = self._object("GET", "folder/errors", {"folder": folder_id, "perpage": "1000"})
        return self._understood(answers.folder_errors, found)

    def completion(self, folder_id: str, device_id: str) -> answers.Completion:
        """How far a device is with the whole folder. Proves nothing (see app/syncthing/proof.py)."""
        if not device_id:
            raise ValueError("without a device Syncthing answers for itself")
        found = self._object("GET", "db/completion", {"folder": folder_id, "device": device_id})
        return self._understood(answers.completion, found)

    def remote_need(self, folder_id: str, device_id: str, page: int, per_page: int) -> list[str]:
        """The names on one page of what a device lacks."""
        parameters = {"folder": folder_id, "device": device_id, "page": str(page), "perpage": str(per_page)}
        return self._understood(answers.names_needed, self._object("GET", "db/remoteneed", parameters))

    def ignores(self, folder_id: str) -> list[str]:
        """The lines of the folder's ignore list. Raises SyncthingRefused when Syncthing cannot read the list."""
        found = self._object("GET", "db/ignores", {"folder": folder_id})
        if found.get("error"):
            raise SyncthingRefused("other", 200, "Syncthing cannot read the folder's .stignore; correct it there.")
        return self._understood(answers.ignore_lines, found)

    def set_ignores(self, folder_id: str, lines: Sequence[str]) -> None:
        """Replace the folder's whole ignore list."""
        self._answer("POST", "db/ignores", {"folder": folder_id}, body={"ignore": list(lines)})

    # --- one request

    def _object(self, method: str, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        found = self._json(method, path, parameters)
        if not isinstance(found, dict):
            raise self._not_syncthing()
        return found

    def _list(self, method: str, path: str) -> list[dict[str, Any]]:
        found = self._json(method, path, None)
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise self._not_syncthing()
        return found

    def _json(self, method: str, path: str, parameters: Mapping[str, str] | None) -> Json:
        body = self._answer(method, path, parameters)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self._not_syncthing() from error

    def _understood(self, read: Callable[[A], T], found: A) -> T:
        """The answer as values; one that has other things where Syncthing has its own is no answer."""
        try:
            return read(found)
        except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as error:
            raise self._not_syncthing() from error

    def _not_syncthing(self) -> SyncthingError:
        return SyncthingUnreachable(self.url, "what answers there does not speak as Syncthing does; check the address")

    def ask(self, path: str, read: Callable[[Json], T], parameters: Mapping[str, str] | None = None) -> T:
        """What Syncthing answers to a question that only one module asks, as values."""
        return self._understood(read, self._json("GET", path, parameters))

    def send(self, method: str, path: str, parameters: Mapping[str, str] | None = None, body: Json = None) -> None:
        """A change that only one module makes; returns when Syncthing has taken it."""
        self._answer(method, path, parameters, body=body)

    def _answer(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        *,
        body: Json = None,
        read_seconds: float = READ_SECONDS,
    ) -> bytes:
        try:
            return self._one_answer(method, path, parameters, body, read_seconds)
        except SyncthingRefused as error:
            if error.cause != "key" or not self.keys.refuse():
                raise
        return self._answer(method, path, parameters, body=body, read_seconds=read_seconds)

    def _one_answer(
        self, method: str, path: str, parameters: Mapping[str, str] | None, body: Json, read_seconds: float
    ) -> bytes:
        seconds = max(DEADLINE_SECONDS, read_seconds)
        try:
            with self._guard.deadline(seconds):
                content = self._exchange(method, path, parameters, body, read_seconds)
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            raise self._unreachable(error, seconds) from error
        if self._guard.was_cut:
            # What was cut off may look complete: a body without a length ends where the connection ends.
            raise _TookTooLong(self.url, _too_long(seconds))
        return content

    def _exchange(
        self, method: str, path: str, parameters: Mapping[str, str] | None, body: Json, read_seconds: float
    ) -> bytes:
        headers = {"X-API-Key": self._key(), "Accept-Encoding": "identity", "Content-Type": "application/json"}
        query = f"?{urlencode(parameters)}" if parameters else ""
        response = self._pools.connection_from_url(self.url).urlopen(
            method,
            f"{urlsplit(self.url).path}/rest/{path}{query}",
            body=None if body is None else json.dumps(body).encode(),
            headers=headers,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
            redirect=False,
            retries=False,
            preload_content=False,
        )
        self.answered_at = response.headers.get("Date", "")
        try:
            content = self._capped_body(response)
        except BaseException:
            response.close()
            raise
        if response.status != 200:
            found = refusal(self.url, path, response.status, response.headers, content)
            raise key_refused(found, self.keys.words())
        return content

    def _key(self) -> str:
        key = self.keys.current
        if key is None:
            raise no_key(self.keys.words())
        return key.text

    def _capped_body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise self._not_syncthing()
        content = bytearray()
        while part := response.read1(65536, decode_content=False):
            content += part
            if len(content) > BODY_CAP_BYTES:
                raise SyncthingUnreachable(self.url, f"its answer is longer than {BODY_CAP_BYTES >> 20} MiB")
        return bytes(content)

    def _unreachable(self, error: Exception, seconds: float) -> SyncthingUnreachable:
        if self._guard.was_cut or isinstance(error, urllib3.exceptions.ReadTimeoutError):
            return _TookTooLong(self.url, _too_long(seconds))
        return SyncthingUnreachable(self.url, reason_of(error, CONNECT_SECONDS))


class _TookTooLong(SyncthingUnreachable):
    """The answer did not come in time; what was asked for may go on at the other side."""


def _too_long(seconds: float) -> str:
    return f"no complete answer within {seconds:.0f} seconds"
