"""A webhook is signed so that its receiver can check it as docs/notifications.md says, and goes nowhere it must not."""

from __future__ import annotations

import hashlib
import hmac
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.notify.receiver import Receiver
from tests.notify.telling import SECRET, TOKEN, happen, phone, program, states, tell_at_last, telling

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def test_the_signature_covers_the_timestamp_and_the_body(tmp_path: Path, receiver: Receiver) -> None:
    services = telling(tmp_path, webhooks=[program(receiver)])
    happen(services)
    tell_at_last(services)
    path, headers, body = receiver.raw[0]
    stamp = headers["X-Media-Pipeline-Timestamp"]
    wanted = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Media-Pipeline-Signature"] == f"sha256={wanted}"
    assert path == f"/hook/{TOKEN}?token={TOKEN}"
    assert receiver.got[0]["events"][0]["message"] == "run.failed number 1."


def test_the_check_that_the_document_shows_takes_what_is_sent_and_refuses_what_is_not(
    tmp_path: Path, receiver: Receiver
) -> None:
    text = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")
    shown = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert shown is not None
    known: dict[str, Any] = {}
    exec(shown[1], known)
    services = telling(tmp_path, webhooks=[program(receiver)])
    happen(services)
    tell_at_last(services)
    _, headers, body = receiver.raw[0]
    assert known["is_genuine"](SECRET, headers, body)
    assert not known["is_genuine"](SECRET + "x", headers, body)
    assert not known["is_genuine"](SECRET, headers, body + b" ")
    old = {**headers, "X-Media-Pipeline-Timestamp": str(int(headers["X-Media-Pipeline-Timestamp"]) - 3_600)}
    assert not known["is_genuine"](SECRET, old, body)


def test_the_id_stays_the_same_when_it_is_tried_again(tmp_path: Path, receiver: Receiver) -> None:
    receiver.status = 503
    services = telling(tmp_path, webhooks=[program(receiver)])
    happen(services)
    tell_at_last(services)
    receiver.status = 204
    tell_at_last(services)
    assert [got["id"] for got in receiver.got] == [receiver.got[0]["id"]] * 2
    assert {headers["X-Media-Pipeline-Id"] for _, headers, _ in receiver.raw} == {str(receiver.got[0]["id"])}
    assert states(services) == [("program", "run_failed", "sent", 1, 2)]


def test_nobody_follows_a_redirect(tmp_path: Path, receiver: Receiver) -> None:
    with Receiver() as elsewhere:
        receiver.status, receiver.headers = 307, {"Location": f"http://127.0.0.1:{elsewhere.port}/"}
        services = telling(tmp_path, urls=[phone(receiver)], webhooks=[program(receiver)])
        happen(services)
        tell_at_last(services)
        assert elsewhere.raw == []
    assert [state for _, _, state, *_ in states(services)] == ["waiting", "waiting"]


def test_a_name_that_leads_to_a_link_local_address_is_refused(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = telling(
        tmp_path,
        urls=[{"name": "a", "url": "json://metadata.example:80/x"}],
        webhooks=[{"name": "b", "url": f"http://metadata.example:{receiver.port}/x", "secret": SECRET}],
    )

    class Metadata(socket.socket):
        """A connection that was made to where cloud metadata lives."""

        def getpeername(self) -> Any:
            return ("169.254.169.254", 80)

    def resolve(host: str, port: Any, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", port or 0))]

    def connect(*_: Any, **__: Any) -> socket.socket:
        made = Metadata(socket.AF_INET, socket.SOCK_STREAM)
        made.connect(("127.0.0.1", receiver.port))
        return made

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    happen(services)
    tell_at_last(services)
    assert receiver.raw == []
    with services.db.reading() as conn:
        faults = [row[0] for row in conn.exec_driver_sql("SELECT error FROM notices").all()]
    assert all("link-local" in fault for fault in faults)
    assert len(faults) == 2
