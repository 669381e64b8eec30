"""From an error to an answer: problem details for programs (see problems.py), a sentence in place for people."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from flask import Flask, Response, make_response, render_template, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from app import errors
from app.admission.problems import KINDS, MEDIA_TYPE, Kind, body_of, kind_of_error, kind_of_status
from app.web.context import htmx, wants_page

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Answer every error from here."""
    app.register_error_handler(errors.MediaPipelineError, answer_error)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)


def kind_of(error: errors.MediaPipelineError) -> Kind:
    """The kind of problem. A configuration that cannot be read is our fault, one that was sent is not."""
    if isinstance(error, errors.ConfigError) and request.method == "GET":
        return KINDS["settings-unreadable"]
    return kind_of_error(error)


def answer_error(error: errors.MediaPipelineError) -> Response:
    """The answer to one of our own errors."""
    more: dict[str, Any] = {"retryable": error.retryable}
    if isinstance(error, errors.ConfigError):
        more["errors"] = [
            {"path": p.path, "message": p.message, "line": p.line, "column": p.column} for p in error.problems
        ]
    if isinstance(error, errors.OpenBatchExists):
        more |= {"blocking_batch": error.name, "blocking_batch_id": error.batch_id, "blocking_status": error.status}
    if isinstance(error, errors.RunInProgress):
        more |= {"run_id": error.run_id}
    kind = kind_of(error)
    if kind.status >= 500:
        log.warning("Answered %s %s with %s: %s", request.method, request.path, kind.status, error)
    return problem(kind.status, _sentence(str(error)), kind=kind, **more)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def answer_validation(error: ValidationError) -> Response:
    """The answer to parameters that do not fit; says where and why, and never repeats what was sent."""
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    listed = [{"path": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]} for fault in faults]
    return problem(422, "The request has faults; see errors.", errors=listed)


def problem(status: int, detail: str, *, kind: Kind | None = None, **more: Any) -> Response:
    """An answer that says what is wrong, as problem details (RFC 9457) or, for a person, as a page or a notice.

    Without a kind the status says which one it is.
    """
    found = kind or kind_of_status(status)
    title = HTTP_STATUS_CODES.get(status, "Error")
    if wants_page():
        return _page(status, found.title if found else title, detail, more)
    body = body_of(found, status, title, detail, request.path, **more)
    return Response(body, status=status, content_type=MEDIA_TYPE)


def _page(status: int, title: str, detail: str, more: dict[str, Any]) -> Response:
    template = "partials/problem.html" if htmx else "problem.html"
    answer = make_response(render_template(template, status=status, title=title, detail=detail, more=more), status)
    if htmx:
        # A failed refresh must not replace what it was to refresh: the notice area takes the sentence.
        answer.headers["HX-Retarget"] = "#notices"
        answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def _answer_http(error: HTTPException) -> Response:
    if error.response is not None:
        return make_response(error.response)
    if error.code in (301, 302, 303, 307, 308):
        return make_response(error.get_response())
    kind = kind_of_status(error.code or 500)
    answer = problem(error.code or 500, kind.sentence if kind else error.description or error.name)
    for name, value in error.get_headers():
        if name in ("Allow", "Location", "Retry-After"):
            answer.headers[name] = value
    return answer


def _answer_unexpected(error: Exception) -> Response:
    # The request door: whatever was not foreseen is logged with an id, and only the id leaves the house.
    error_id = secrets.token_hex(6)
    log.exception("Unexpected error %s on %s %s", error_id, request.method, request.path, exc_info=error)
    return problem(
        500, f"Something went wrong that was not foreseen. The log has the details under {error_id}.", id=error_id
    )
