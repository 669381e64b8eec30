"""Turning a status code and a body of Syncthing into one error with a sentence that a person can act on."""

from __future__ import annotations

from collections.abc import Mapping

import urllib3

from app.errors import SyncthingError, SyncthingRefused, SyncthingUnreachable

#: Only what is known to come from Syncthing itself is quoted, and not more than this.
QUOTE_LENGTH = 200
#: A server that asks for more patience than this is asked again all the same.
RETRY_AFTER_MAX_SECONDS = 3600


class NoSuchObject(SyncthingRefused):
    """The folder is there, but what was asked for is not in its index."""

    def __init__(self) -> None:
        super().__init__("not_found", 404, "Syncthing does not know that object.")


def refusal(url: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> SyncthingError:
    """The error for an answer that is not 200."""
    text = body[:2000].decode("utf-8", "replace")
    if 300 <= status < 400:
        return SyncthingRefused("other", status, _redirect(url))
    if status in (401, 403):
        return _forbidden(url, status, text)
    if status == 404:
        return _not_found(url, status, headers, text)
    if status == 429 or status in (502, 503, 504):
        reason = f"it is overloaded or not ready (HTTP {status})"
        return SyncthingUnreachable(url, reason, _retry_after_seconds(headers))
    if "no such folder" in text:
        return SyncthingRefused("not_found", status, _no_folder())
    if "folder marker missing" in text:
        return SyncthingRefused("other", status, _marker())
    if "folder is paused" in text or "folder paused" in text:
        return SyncthingRefused("other", status, "The folder is paused in Syncthing; resume it there.")
    return SyncthingRefused("other", status, _other(path, status, headers, text))


def key_refused(error: SyncthingError, sources: str) -> SyncthingError:
    """The error, with the sources whose keys Syncthing does not accept when that is what it is about."""
    if not isinstance(error, SyncthingRefused) or error.cause != "key" or not sources:
        return error
    return SyncthingRefused("key", error.status, f"{error} Tried: {sources}.")


def no_key(faults: str) -> SyncthingRefused:
    """There is nothing to send; `faults` are the sources that should hold a key and do not."""
    words = f" ({faults})" if faults else ""
    return SyncthingRefused("key", 0, f"There is no Syncthing API key{words}; write it in syncthing.api_key.")


def _retry_after_seconds(headers: Mapping[str, str]) -> float:
    """What `Retry-After` asks for in seconds, within reason; a date there is not heeded."""
    wanted = headers.get("Retry-After", "").strip()
    return float(min(int(wanted), RETRY_AFTER_MAX_SECONDS)) if wanted.isascii() and wanted.isdigit() else 0.0


def _redirect(url: str) -> str:
    return (
        f"{url} answers with a redirect, which is not followed; write the final address in syncthing.api_url "
        "(https:// when Syncthing's GUI uses TLS)."
    )


def _forbidden(url: str, status: int, text: str) -> SyncthingRefused:
    if "Host check" in text:
        return SyncthingRefused(
            "host_check",
            status,
            f"Syncthing refuses the name in {url} (Host check error): its GUI listens on a loopback address only. "
            "Let it listen on 0.0.0.0:8384, or switch on insecureSkipHostcheck.",
        )
    return SyncthingRefused(
        "key",
        status,
        f"Syncthing does not accept the API key (HTTP {status}). Copy the key from Actions > Settings in Syncthing's "
        "GUI to syncthing.api_key.",
    )


def _not_found(url: str, status: int, headers: Mapping[str, str], text: str) -> SyncthingError:
    if "no such folder" in text.lower():
        return SyncthingRefused("not_found", status, _no_folder())
    if is_syncthing(headers) or "no such object" in text.lower():
        return NoSuchObject()
    return SyncthingUnreachable(url, "what answers there is not Syncthing (HTTP 404); check the address")


def is_syncthing(headers: Mapping[str, str]) -> bool:
    """Whether the answer carries the header that Syncthing puts on its own answers."""
    return "X-Syncthing-Version" in headers or "X-Syncthing-Id" in headers


def _no_folder() -> str:
    return "Syncthing has no folder with the ID in syncthing.folder_id."


def _marker() -> str:
    return (
        "Syncthing misses the marker .stfolder in the folder: its disk may not be mounted. Mount it, or make "
        "the marker again if the folder is really the right one."
    )


def _other(path: str, status: int, headers: Mapping[str, str], text: str) -> str:
    if not is_syncthing(headers):
        return f"What answers at syncthing.api_url failed (HTTP {status} on {path})."
    first = "".join(c if c.isprintable() else " " for c in text.strip().partition("\n")[0])
    return f"Syncthing could not do {path} (HTTP {status}): {first[:QUOTE_LENGTH]}."


def reason_of(error: Exception, connect_seconds: float) -> str:
    """Why a connection failed, in words; never the URL or the request, which may hold secrets."""
    if isinstance(error, urllib3.exceptions.SSLError):
        return "its certificate is not trusted here (use http:// inside your own network)"
    text = str(error)
    for sign, words in SIGNS.items():
        if sign in text:
            return words
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return f"no connection within {connect_seconds:.0f} seconds"
    return "the connection broke off"


SIGNS = {
    "Connection refused": "the connection is refused; is Syncthing running, and is the port right",
    "Name or service not known": "this host name is not known",
    "Temporary failure in name resolution": "host names cannot be looked up at the moment",
    "No address associated": "this host name is not known",
    "No route to host": "there is no route to this host",
    "Network is unreachable": "the network is unreachable",
}
