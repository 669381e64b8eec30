"""The header Idempotency-Key: a POST that is sent again under the same key is carried out once.

What succeeded is kept for a day and answered again, marked `Idempotent-Replayed: true`. A refusal changed nothing, so
it is not kept: the same request under the same key is looked at anew. The same key under another request is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading

from flask import Flask, Response, g, make_response, request

from app.admission.problems import KINDS
from app.db import idempotency
from app.db.idempotency import Busy, Claim, Reused, Stored
from app.errors import StateError
from app.log import get_logger
from app.web.context import services
from app.web.errors import problem

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY_PATTERN = re.compile(r"[\x21-\x7e]{1,255}")
#: A larger answer is not kept.
MAX_ANSWER_BYTES = 1_000_000
RETRY_AFTER_SECONDS = 1

#: Keys whose requests this process is carrying out, however long they take.
_active: set[str] = set()
_lock = threading.Lock()


def install(app: Flask) -> None:
    """Look at the header of each POST, after it was let in."""
    app.before_request(take_up)
    app.after_request(keep)
    app.teardown_request(_let_go)


def take_up() -> Response | None:
    """Claim the key of a request; else answer what is known of the request that had it before."""
    idempotency.work_under(None)
    given = request.headers.get(HEADER)
    if given is None or request.method != "POST" or not request.path.startswith("/api/"):
        return None
    if KEY_PATTERN.fullmatch(given) is None:
        return problem(400, f"{HEADER} must be 1 to 255 visible ASCII characters.")
    key = f"{_who()} {given}"
    try:
        found = _claim(key)
    except Busy as error:
        answer = problem(409, str(error), kind=KINDS["idempotency-key-in-use"], retryable=True)
        answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer
    except Reused as error:
        return problem(422, str(error), kind=KINDS["idempotency-key-reused"])
    if isinstance(found, Stored):
        return _replay(found)
    g.idempotency_claim = found
    idempotency.work_under(found)
    return None


def _who() -> str:
    """Each key of the installation has idempotency keys of its own."""
    access_key = g.get("access_key")
    return str(access_key.name) if access_key is not None else ""


def _claim(key: str) -> Claim | Stored:
    with _lock:
        if key in _active:
            raise Busy("A request with this idempotency key is being carried out; send it again in a moment.")
        _active.add(key)
        g.idempotency_active = key
    with services().db.transaction() as conn:
        return idempotency.claim(conn, key, _fingerprint())


def _fingerprint() -> str:
    """What makes two requests the same: method, address and body."""
    body = request.get_data(cache=True, parse_form_data=False)
    parts = (request.method.encode(), request.full_path.encode("utf-8", "surrogateescape"), body)
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _replay(found: Stored) -> Response:
    if found.status is None or found.answer is None:
        body = json.dumps({"started": True, "run_id": found.run_id})
        answer = make_response(body, 202)
    else:
        answer = make_response(found.answer, found.status)
    answer.headers["Content-Type"] = "application/json"
    answer.headers[REPLAYED] = "true"
    return answer


def keep(answer: Response) -> Response:
    """Keep the answer of a request that had an effect; forget one that had none."""
    mine: Claim | None = g.pop("idempotency_claim", None)
    if mine is None:
        return answer
    try:
        with services().db.transaction() as conn:
            if _had_an_effect(answer):
                idempotency.store(conn, mine, answer.status_code, answer.get_data(as_text=True))
            else:
                idempotency.release(conn, mine)
    except StateError as error:
        # What was done is done; a repeat finds the claim, and the run if one was started.
        get_logger().warning("an answer could not be kept for its idempotency key", why=str(error))
    return answer


def _had_an_effect(answer: Response) -> bool:
    if not 200 <= answer.status_code < 300 or answer.mimetype != "application/json" or answer.is_streamed:
        return False
    if len(answer.get_data()) > MAX_ANSWER_BYTES:
        return False
    body = answer.get_json(silent=True)
    return not (isinstance(body, dict) and body.get("started") is False)


def _let_go(_error: BaseException | None) -> None:
    idempotency.work_under(None)
    with _lock:
        _active.discard(g.pop("idempotency_active", ""))
