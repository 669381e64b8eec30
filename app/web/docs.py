"""The API's description, and a page to read it and to try it; both work without the Internet."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, send_from_directory
from flask_openapi.openapi import OpenAPI

blueprint = Blueprint("docs", __name__)

SWAGGER = Path(str(files("flask_openapi_swagger") / "templates" / "swagger"))
#: Swagger UI writes style attributes; scripts stay as closed as everywhere else.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@blueprint.get("/openapi.json")
def document() -> Response:
    """The OpenAPI document."""
    return jsonify(cast(OpenAPI, current_app).api_doc)


@blueprint.get("/docs")
def page() -> Response:
    """The document, readable."""
    answer = make_response(render_template("docs.html"))
    answer.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return answer


@blueprint.get("/docs/assets/<path:name>")
def asset(name: str) -> Any:
    """Swagger UI's own files."""
    return send_from_directory(SWAGGER, name, max_age=3600)
