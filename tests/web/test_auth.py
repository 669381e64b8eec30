"""With a key set, everything is closed to whoever does not have it, and open to whoever does."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from app.admission.keys import COOKIE_NAME, MAX_WRONG_KEYS, make_session
from app.web.auth import OPEN_ENDPOINTS
from tests.web.conftest import KEY, Site

OTHER_KEY = "another-key-for-tests-987654"


def urls(site: Site) -> list[tuple[str, str, str]]:
    """(endpoint, method, a real path) of every route."""
    found = []
    for rule in site.app.url_map.iter_rules():
        path = re.sub(r"<[^>]*>", "1", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((rule.endpoint, method, path))
    return found


def test_every_route_is_closed_without_the_key(locked: Site) -> None:
    client = locked.client()
    for endpoint, method, path in urls(locked):
        expected_open = endpoint in OPEN_ENDPOINTS
        status = client.open(path, method=method).status_code
        assert (status != 401) == expected_open or (endpoint == "pages.send_key" and status == 401), (method, path)


def test_even_unknown_addresses_are_closed(locked: Site) -> None:
    assert locked.client().get("/api/nothing").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{"x-api-key": KEY}, {"X-Api-Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer  {KEY}"}],
)
def test_the_key_opens_the_api(locked: Site, headers: dict[str, str]) -> None:
    assert locked.client().get("/api/workflow/status", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": ""},
        {"x-api-key": KEY[:-1]},
        {"x-api-key": KEY + "x"},
        {"x-api-key": "\xff\xfe"},
        {"x-api-key": "k" * 1_000_000},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": "Bearer"},
        {"X-Other": KEY},
        {"Cookie": f"{COOKIE_NAME}={KEY}"},
        {"Cookie": f"{COOKIE_NAME}=9999999999.00"},
        {"Cookie": f"{COOKIE_NAME}=\xff.\xff"},
    ],
)
def test_a_wrong_key_is_refused_without_an_error(locked: Site, headers: dict[str, str]) -> None:
    answer = locked.app.test_client(use_cookies=False).get("/api/workflow/status", headers=headers)
    assert answer.status_code == 401
    assert KEY not in answer.get_data(as_text=True)


def test_a_key_in_the_address_does_not_count(locked: Site) -> None:
    assert locked.client().get(f"/api/workflow/status?api_key={KEY}").status_code == 401


def test_a_key_with_letters_beyond_ascii_works(make_site: Callable[..., Site]) -> None:
    key = "schl\u00fcssel-0123456789abcdef"
    client = make_site(auth={"api_key": key}).client()
    as_sent = key.encode().decode("latin-1")
    assert client.get("/api/workflow/status", headers={"x-api-key": as_sent}).status_code == 200
    assert client.post("/login", data={"key": key}).status_code == 303


def test_another_header_name_can_be_set(make_site: Callable[..., Site]) -> None:
    client = make_site(auth={"api_key": KEY, "header_name": "x-photo-key"}).client()
    assert client.get("/api/workflow/status", headers={"x-photo-key": KEY}).status_code == 200
    assert client.get("/api/workflow/status", headers={"x-api-key": KEY}).status_code == 401


def test_a_page_asks_for_the_key_and_then_works(locked: Site) -> None:
    client = locked.client()
    asked = client.get("/control", headers={"Accept": "text/html"})
    assert asked.status_code == 401
    assert 'name="key"' in asked.get_data(as_text=True)
    assert 'value="/control"' in asked.get_data(as_text=True)
    answer = client.post("/login", data={"key": KEY, "next": "/control"})
    assert (answer.status_code, answer.location) == (303, "/control")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert KEY not in cookie
    for path in ("/control", "/dashboard", "/partials/overview", "/api/workflow/overview"):
        assert client.get(path).status_code == 200
    assert client.post("/api/workflow/run").status_code == 202
    client.post("/logout")
    assert client.get("/dashboard").status_code == 401


def test_a_wrong_key_at_the_page_asks_again(locked: Site) -> None:
    answer = locked.client().post("/login", data={"key": "wrong"}, headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "That key is not right." in answer.get_data(as_text=True)


@pytest.mark.parametrize("target", ["//evil.com", "https://evil.com", "/\\evil.com", "evil", "", "/a\nSet-Cookie: x=1"])
def test_login_never_leads_to_another_site(locked: Site, target: str) -> None:
    answer = locked.client().post("/login", data={"key": KEY, "next": target})
    assert answer.location == "/dashboard"


def test_a_page_whose_session_has_ended_asks_for_the_key_in_place_and_goes_on(locked: Site) -> None:
    client, page = locked.client(), {"HX-Request": "true", "Origin": "http://localhost"}
    for endpoint, method, path in urls(locked):
        if endpoint in OPEN_ENDPOINTS:
            continue
        answer = client.open(path, method=method, headers=page)
        assert (answer.status_code, answer.headers["HX-Retarget"]) == (401, "#notices"), (method, path)
        assert 'hx-post="/login"' in answer.text and "<html" not in answer.text and "HX-Refresh" not in answer.headers
    answer = client.post("/login", data={"key": "wrong"}, headers=page)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (401, "#notices")
    assert "That key is not right." in answer.text and "Set-Cookie" not in answer.headers
    answer = client.post("/login", data={"key": KEY}, headers=page)
    assert (answer.status_code, answer.headers["HX-Trigger"], "Location" in answer.headers) == (200, "refresh", False)
    assert client.get("/partials/journal", headers=page).status_code == 200


@pytest.mark.parametrize(("origin", "is_secure"), [("https://nas.local", True), ("http://nas.local", False)])
def test_over_https_the_cookie_goes_nowhere_else_also_behind_a_proxy(
    locked: Site, origin: str, is_secure: bool
) -> None:
    headers = {"Origin": origin, "Host": "nas.local"}
    answer = locked.client().post("/login", data={"key": KEY}, headers=headers)
    assert ("; Secure" in answer.headers["Set-Cookie"]) == is_secure


def test_a_person_is_told_whose_key_it_is_and_what_it_may_do(make_site: Callable[..., Site]) -> None:
    client = make_site(auth={"keys": [{"name": "wall", "key": KEY, "scope": "read"}]}).client()
    client.post("/login", data={"key": KEY})
    assert "the key wall, which may look at everything, change nothing." in client.get("/journal").text


def test_a_changed_key_counts_at_once_and_logs_browsers_out(locked: Site) -> None:
    client = locked.client()
    client.post("/login", data={"key": KEY})
    changed = client.put("/api/config", json={"auth": {"api_key": OTHER_KEY}}, headers={"x-api-key": KEY})
    assert changed.status_code == 200
    assert client.get("/dashboard").status_code == 401
    assert client.get("/api/workflow/status", headers={"x-api-key": KEY}).status_code == 401
    assert client.get("/api/workflow/status", headers={"x-api-key": OTHER_KEY}).status_code == 200


def test_a_session_ends(locked: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = locked.services.config.auth
    monkeypatch.setattr("app.admission.keys.SESSION_SECONDS", -1)
    client = locked.client()
    client.set_cookie(COOKIE_NAME, make_session(auth.every_key[0]))
    assert client.get("/dashboard").status_code == 401


def test_guessing_is_slowed_down_and_does_not_lock_others_out(locked: Site) -> None:
    client = locked.client()
    for _ in range(MAX_WRONG_KEYS):
        assert client.get("/api/runs", headers={"x-api-key": "guess"}).status_code in (401, 429)
    blocked = client.get("/api/runs", headers={"x-api-key": KEY})
    assert blocked.status_code == 429
    assert blocked.headers["Retry-After"] == "60"
    for headers in ({"Accept": "text/html"}, {"HX-Request": "true"}):
        page = client.post("/login", data={"key": KEY}, headers=headers)
        assert (page.status_code, page.headers["Retry-After"]) == (429, "60")
        assert "Wait a minute" in page.text and "Set-Cookie" not in page.headers
    other = {"REMOTE_ADDR": "192.168.1.77"}
    assert client.get("/api/runs", headers={"x-api-key": KEY}, environ_overrides=other).status_code == 200


def test_with_the_key_the_pages_need_no_script_to_send_it(locked: Site) -> None:
    """The first product's control page broke when a key was set, because its script never sent one."""
    client = locked.client()
    client.post("/login", data={"key": KEY})
    answer = client.post(
        "/api/workflow/run",
        headers={"Accept": "text/html", "Referer": "http://localhost/control", "Origin": "http://localhost"},
        content_type="application/x-www-form-urlencoded",
    )
    assert (answer.status_code, answer.location) == (303, "/control")
