"""The web door: `create_app` makes the pages and the API over one configuration file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from flask import Flask
from flask_openapi.models.info import Info
from flask_openapi.openapi import OpenAPI

from app import __version__
from app.admission.guard import MAX_BODY_BYTES, Guard
from app.config.store import default_path
from app.errors import MediaPipelineError
from app.overview.home import HomeState
from app.overview.metrics import Metrics
from app.services import ServiceContainer
from app.web import (
    auth,
    batch_pages,
    compression,
    control_page,
    dashboard_page,
    date_pages,
    docs,
    entry,
    errors,
    file_pages,
    findings_page,
    idempotency,
    journal_page,
    log_pages,
    log_streams,
    missing_page,
    navigation,
    pages,
    partials,
    prefix,
    preview_page,
    run_pages,
    settings_history,
    settings_page,
    settings_text,
    static_files,
    thumbnails,
    touch_icon,
    tree_page,
    unknown,
    welcome_page,
)
from app.web.api import (
    assets,
    backup,
    batch,
    batches,
    cleanup,
    config,
    dashboard,
    date_runs,
    dates,
    dedup,
    doctor,
    duplicates,
    failed,
    findings,
    ha,
    health,
    journal,
    left_in_place,
    logs,
    metrics,
    moves,
    notify,
    pairing_test,
    presets,
    preview,
    rebuild,
    refile,
    revisions,
    runs,
    set_aside,
    setup,
    sort,
    sync,
    syncthing,
    tree,
    undo,
    verify,
    why,
    workflow,
)
from app.web.context import EXTENSION, htmx
from app.web.filters import FILTERS
from app.web.models import Problem

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
APIS = (
    workflow, dedup, batch, batches, sync, sort, cleanup, runs, journal, assets, dashboard, config, setup, health,
    rebuild, backup, revisions, presets, doctor, why, logs, duplicates, failed, set_aside, left_in_place, moves, undo,
    preview, verify, findings, syncthing, pairing_test, tree, dates, date_runs, refile,
    metrics, notify, ha,
)  # fmt: skip
#: The pages and their parts that renew themselves.
PAGES = (
    navigation.blueprint,
    dashboard_page.blueprint,
    pages.blueprint,
    partials.blueprint,
    date_pages.blueprint,
    tree_page.blueprint,
    settings_page.blueprint,
    settings_text.blueprint,
    settings_history.blueprint,
    thumbnails.blueprint,
    touch_icon.blueprint,
    file_pages.blueprint,
    findings_page.blueprint,
    docs.blueprint,
    journal_page.blueprint,
    log_pages.blueprint,
    welcome_page.blueprint,
    control_page.blueprint,
    run_pages.blueprint,
    batch_pages.blueprint,
    missing_page.blueprint,
    preview_page.blueprint,
)
DESCRIPTION = "Takes photos and videos in, delivers them in batches, archives them, and never loses one."


def create_app(config_path: str | None = None, container: ServiceContainer | None = None) -> Flask:
    """The web application for a configuration file (default: where the environment says).

    Never fails because of the configuration or the database: pages then say what is wrong with them.
    """
    app = OpenAPI(
        __name__,
        info=Info(title="Media Pipeline", version=__version__, description=DESCRIPTION),
        security_schemes=auth.SECURITY_SCHEMES,
        validation_error_model=Problem,
        validation_error_callback=errors.answer_validation,
        doc_ui=False,
        template_folder=str(TEMPLATES),
    )
    app.openapi_version = "3.1.0"
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, SEND_FILE_MAX_AGE_DEFAULT=3600)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions[log_streams.EXTENSION] = log_streams.Slots()
    app.extensions[metrics.EXTENSION] = Metrics()
    app.extensions[ha.EXTENSION] = HomeState()
    app.extensions[EXTENSION] = container or ServiceContainer(config_path or default_path())
    _install(app)
    return app


def _install(app: OpenAPI) -> None:
    # Installed first, it looks at an answer last.
    compression.install(app)
    prefix.install(app)
    static_files.install(app)
    htmx.init_app(app)
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals["version"] = __version__
    errors.install(app)
    app.before_request(entry.require_key)
    unknown.install(app)
    idempotency.install(app)
    for module in APIS:
        app.register_api(module.api)
    for blueprint in PAGES:
        app.register_blueprint(blueprint)
    settings_page.install(app)
    found: ServiceContainer = app.extensions[EXTENSION]
    inner = prefix.Prefixed(app.wsgi_app, lambda: _url_prefix(found))
    app.wsgi_app = Guard(inner, lambda: _allowed_hosts(found))  # type: ignore[method-assign]


def _allowed_hosts(container: ServiceContainer) -> Sequence[str]:
    try:
        return container.store.current().config.system.allowed_hosts
    except (MediaPipelineError, OSError):
        # Without a configuration only addresses and local names are let through, to say what is wrong with it.
        return ()


def _url_prefix(container: ServiceContainer) -> str:
    try:
        return container.store.current().config.system.url_prefix
    except (MediaPipelineError, OSError):
        return ""
