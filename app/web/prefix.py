"""A sub-path behind a reverse proxy: system.url_prefix in front of every address in a page, an answer or a cookie.

Routes, templates and tests name addresses as they are without a proxy. Requests are understood with and without the
prefix, so that it does not matter whether the proxy takes it off, and that health checks need not know of it. What a
client says of a prefix (X-Forwarded-Prefix) is never believed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Text of a person stands in a page with its quotation marks escaped: only true attributes look like this.
ADDRESS = re.compile(rb'(\s(?:href|src|action|formaction|hx-(?:get|post|put|patch|delete))=")/(?!/)')
#: Headers by which an answer sends a browser somewhere.
HEADERS = ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "HX-Replace-Url")


class Prefixed:
    """Wraps a WSGI application. `find_prefix` is asked on each request, so that a saved setting counts at once."""

    def __init__(self, wrapped: WSGIApplication, find_prefix: Callable[[], str]) -> None:
        self.wrapped, self.find_prefix = wrapped, find_prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on with the prefix where WSGI has it: in SCRIPT_NAME, and not in PATH_INFO."""
        prefix = self.find_prefix()
        if prefix:
            path = environ.get("PATH_INFO", "")
            if path == prefix or path.startswith(f"{prefix}/"):
                environ["PATH_INFO"] = path.removeprefix(prefix) or "/"
            environ["SCRIPT_NAME"] = prefix
        return self.wrapped(environ, start_response)


def without_prefix(path: str) -> str:
    """A path that a browser told of, as the routes name it."""
    prefix = request.script_root
    return path.removeprefix(prefix) if prefix and path.startswith(f"{prefix}/") else path


def install(app: Flask) -> None:
    """Put the prefix into every answer."""
    app.after_request(_put_in_front)


def _put_in_front(answer: Response) -> Response:
    prefix = request.script_root
    if not prefix:
        return answer
    for name in HEADERS:
        address = answer.headers.get(name, "")
        if address.startswith("/") and not address.startswith("//"):
            answer.headers[name] = prefix + address
    if answer.mimetype == "text/html" and not answer.is_streamed and not answer.direct_passthrough:
        # url_for, which knows the prefix, is used for the pages' own files alone.
        own = f'="{prefix}/static/'.encode()
        body = ADDRESS.sub(rb"\g<1>" + prefix.encode() + b"/", answer.get_data())
        answer.set_data(body.replace(f'="{prefix}{prefix}/static/'.encode(), own))
    return answer
