"""The kinds of problem that an answer can tell of: a stable name, a title, and what to do. docs/api.md lists them.

`type` in an answer is `/problems/<name>`; GET /problems shows this table to people.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from app import errors

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One kind of problem. `sentence` says what it means and what to do."""

    name: str
    status: int
    title: str
    sentence: str

    @property
    def type(self) -> str:
        """The URI reference that stands in answers."""
        return f"/problems/{self.name}"


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("bad-request", 400, "Bad request", "It cannot be understood; `detail` says what to send instead."),
        Kind("key-needed", 401, "Key needed", "Send an API key in the configured header, or as a Bearer token."),
        Kind("forbidden", 403, "Forbidden", "The request is not allowed here."),
        Kind("other-site", 403, "Other site", "A page of another web site made the request."),
        Kind("scope-needed", 403, "Scope needed", "The key may not do this; use one with the scope in `scope_needed`."),
        Kind("not-found", 404, "Not found", "There is no such batch, run, file or other thing."),
        Kind("no-such-route", 404, "No such address", "Nothing is served here; /openapi.json lists what is."),
        Kind("method-not-allowed", 405, "Method not allowed", "The address takes other methods; `Allow` lists them."),
        Kind("conflict", 409, "Conflict", "It does not fit the present state; `detail` says what stands in the way."),
        Kind("run-in-progress", 409, "Run in progress", "Run `run_id` is in flight; wait for it to end or cancel it."),
        Kind("open-batch-exists", 409, "Open batch exists", "An earlier batch has not ended; see `blocking_batch_id`."),
        Kind("illegal-transition", 409, "Illegal transition", "Its present status does not allow what was asked."),
        Kind("idempotency-key-in-use", 409, "Idempotency key in use",
             "A request with this key is being carried out; send it again in a moment."),
        Kind("revision-changed", 412, "Revision changed", "The settings were changed meanwhile; read them again."),
        Kind("body-too-large", 413, "Body too large", "The body is larger than this address takes."),
        Kind("unsupported-media-type", 415, "Unsupported media type", "Send the body in the documented media type."),
        Kind("other-host", 421, "Other host", "Use the server's IP address, or add the name to system.allowed_hosts."),
        Kind("invalid-request", 422, "Invalid request", "Parameters have faults; `errors` lists all of them."),
        Kind("invalid-settings", 422, "Invalid settings", "The settings sent have faults; `errors` lists all of them."),
        Kind("idempotency-key-reused", 422, "Idempotency key reused",
             "This key was sent with another request; use a new key for each new request."),
        Kind("too-many-wrong-keys", 429, "Too many wrong keys", "Wait as long as `Retry-After` says."),
        Kind("unexpected", 500, "Unexpected error", "This was not foreseen; the log tells more under the `id`."),
        Kind("syncthing-unreachable", 502, "Syncthing unreachable", "Syncthing does not answer; is it running?"),
        Kind("syncthing-refused", 502, "Syncthing refused", "Syncthing refused; GET /api/sync/diagnostics says why."),
        Kind("settings-unreadable", 503, "Settings unreadable", "The configuration file has faults; see `errors`."),
        Kind("folder-unavailable", 503, "Folder unavailable", "A folder is not mounted; mount it and try again."),
        Kind("file-unreadable", 503, "File trouble", "One file could not be read or written; `detail` names it."),
        Kind("database-unusable", 503, "Database unusable", "It is damaged, locked, full or of another version."),
        Kind("mover-busy", 503, "Mover busy", "Another process moves files; try again when it is done."),
        Kind("not-ready", 503, "Not ready", "The server cannot do its work now; `cause` says why."),
        Kind("unavailable", 503, "Unavailable", "It cannot be done now; `detail` says why."),
        Kind("no-room", 507, "No room", "There is not enough free space; make room and try again."),
    )
}  # fmt: skip

#: The first class that an error is an instance of decides; special ones come before general ones.
KINDS_OF_ERRORS: tuple[tuple[type[errors.MediaPipelineError], str], ...] = (
    (errors.BadRequest, "bad-request"),
    (errors.NotFound, "not-found"),
    (errors.RevisionChanged, "revision-changed"),
    (errors.RunInProgress, "run-in-progress"),
    (errors.OpenBatchExists, "open-batch-exists"),
    (errors.IllegalTransition, "illegal-transition"),
    (errors.Conflict, "conflict"),
    (errors.ConfigError, "invalid-settings"),
    (errors.NoSpace, "no-room"),
    (errors.FileError, "file-unreadable"),
    (errors.RootUnavailable, "folder-unavailable"),
    (errors.StateError, "database-unusable"),
    (errors.MoverBusy, "mover-busy"),
    (errors.SyncthingUnreachable, "syncthing-unreachable"),
    (errors.SyncthingError, "syncthing-refused"),
    (errors.MediaPipelineError, "unavailable"),
)

#: What a status alone tells.
KINDS_OF_STATUSES = {
    400: "bad-request",
    401: "key-needed",
    403: "forbidden",
    404: "no-such-route",
    405: "method-not-allowed",
    409: "conflict",
    412: "revision-changed",
    413: "body-too-large",
    415: "unsupported-media-type",
    421: "other-host",
    422: "invalid-request",
    429: "too-many-wrong-keys",
    500: "unexpected",
    502: "syncthing-refused",
    503: "unavailable",
    507: "no-room",
}


def kind_of_error(error: errors.MediaPipelineError) -> Kind:
    """The kind of problem that an error of ours is."""
    return KINDS[next(name for cls, name in KINDS_OF_ERRORS if isinstance(error, cls))]


def kind_of_status(status: int) -> Kind | None:
    """The kind of problem that a status stands for, None for one that we do not answer by ourselves."""
    name = KINDS_OF_STATUSES.get(status)
    return KINDS[name] if name else None


def body_of(kind: Kind | None, status: int, title: str, detail: str, instance: str, **more: Any) -> bytes:
    """A problem as problem details (RFC 9457)."""
    found = {
        "type": kind.type if kind else "about:blank",
        "title": kind.title if kind else title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "retryable": False,
        **more,
    }
    return json.dumps(found, default=str).encode()
