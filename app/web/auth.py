"""Who may use the doors when a key is set: every route is closed but those listed here, and each needs a scope.

What a key is and how it comes is told in app/admission/keys.py.
"""

from __future__ import annotations

from typing import Any

from app.config.access import SCOPES, AccessKey, Scope

#: Flask endpoints that need no key: liveness and readiness, the page that asks for the key, and its assets.
OPEN_ENDPOINTS = frozenset(
    {"health.health", "health.ready", "health.api_health", "static", "touch_icon.show", "pages.login", "pages.send_key"}
)

#: Flask endpoints that only a key with the scope admin opens: they change settings, hold secrets, take work back or
#: make decisions that cannot be taken back.
ADMIN_ENDPOINTS = frozenset(
    {
        "backup.download",
        "backup.index",
        "backup.make",
        "config.change",
        "date_pages.refile",
        "config.replace_text",
        "findings.accept",
        "findings.accept_all",
        "findings.report",
        "findings_page.accept",
        "findings_page.accept_all",
        # Its answers tell whether a guessed secret is right, as often as somebody asks.
        "config.validate",
        "rebuild.confirm",
        "rebuild.start",
        "refile.start",
        "refile.undo",
        "revisions.roll_back",
        "presets.apply",
        "settings_history.roll_back",
        # Checking and filling in tell what saving would say; see config.validate.
        "settings_page.check",
        "settings_page.fill",
        "settings_page.save",
        "settings_text.check",
        "settings_text.save",
        "setup.roots",
        "syncthing.accept_folder",
        "syncthing.add_device",
        "syncthing.dismiss_device",
        "syncthing.dismiss_folder",
        "syncthing.set_up",
        "undo.cancel",
        "undo.start",
        "welcome_page.save_folders",
        "welcome_page.save_peer",
        "welcome_page.save_target",
    }
)
#: Flask endpoints that a key with the scope read opens although they are no GET: they change nothing.
READ_ENDPOINTS = frozenset({"pages.logout"})
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

SECURITY_SCHEMES: dict[str, Any] = {
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def scope_needed(endpoint: str | None, method: str) -> Scope:
    """What a key must be allowed to do to open a route."""
    if endpoint in ADMIN_ENDPOINTS:
        return "admin"
    return "read" if method in READ_METHODS or endpoint in READ_ENDPOINTS else "run"


def opens(key: AccessKey, scope: Scope) -> bool:
    """Whether a key's scope is, or holds, the one that is needed."""
    return SCOPES.index(key.scope) >= SCOPES.index(scope)


def key_words(key: AccessKey) -> str:
    """Whose session this is and what it may do, for the person who is logged in."""
    may = {"read": "look at everything, change nothing", "run": "start and stop runs", "admin": "do everything"}
    return f"Logged in with the key {key.name}, which may {may[key.scope]}."
