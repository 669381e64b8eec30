"""The API's description, and a page to read it and to try it; both work without the Internet."""

from __future__ import annotations

import copy
import re
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    make_response,
    render_template,
    request,
    send_from_directory,
)
from flask_openapi.openapi import OpenAPI

from app.admission.problems import KINDS
from app.errors import MediaPipelineError
from app.web.auth import OPEN_ENDPOINTS, SECURITY_SCHEMES, scope_needed
from app.web.context import container
from app.web.openapi import complete

blueprint = Blueprint("docs", __name__)

SWAGGER = Path(str(files("flask_openapi_swagger") / "templates" / "swagger"))
#: Swagger UI writes style attributes; scripts stay as closed as everywhere else.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@blueprint.get("/openapi.json")
def document() -> Response:
    """The OpenAPI document; each operation says which scope a key needs for it, as `x-scope`."""
    described = copy.deepcopy(cast(OpenAPI, current_app).api_doc)
    endpoints = _endpoints()
    for path, item in described["paths"].items():
        for method, operation in item.items():
            _say_access(operation, endpoints.get((path, method.upper())), method.upper())
    complete(described)
    if request.script_root:
        described["servers"] = [{"url": request.script_root}]
    with suppress(MediaPipelineError, OSError):
        header = container().store.current().config.auth.header_name
        described["components"]["securitySchemes"]["key"]["name"] = header
    return jsonify(described)


def _endpoints() -> dict[tuple[str, str], str]:
    """(path as the document writes it, method) to the name of the route."""
    rules = current_app.url_map.iter_rules()
    return {
        (re.sub(r"<(?:[^<>:]+:)?([^<>]+)>", r"{\1}", rule.rule), method): rule.endpoint
        for rule in rules
        for method in rule.methods or ()
    }


def _say_access(operation: dict[str, Any], endpoint: str | None, method: str) -> None:
    if endpoint in OPEN_ENDPOINTS:
        operation["security"] = []
        return
    operation["x-scope"] = scope_needed(endpoint, method)
    operation["security"] = [{name: []} for name in SECURITY_SCHEMES]


@blueprint.get("/docs")
def page() -> Response:
    """The document, readable."""
    answer = make_response(render_template("docs.html"))
    answer.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return answer


@blueprint.get("/problems")
@blueprint.get("/problems/<name>")
def problems(name: str = "") -> str:
    """What each kind of problem means, so that the `type` of an answer leads somewhere; an unknown name shows all."""
    return render_template("problems.html", kinds=[KINDS[name]] if name in KINDS else KINDS.values())


@blueprint.get("/docs/assets/<path:name>")
def asset(name: str) -> Any:
    """Swagger UI's own files."""
    return send_from_directory(SWAGGER, name, max_age=3600)
