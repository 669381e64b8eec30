"""The pages of the settings: as a form, as text, their history; without scripts, as a browser would send them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from app.config.settings import all_settings
from app.db import batches
from tests.web.conftest import KEY, Site
from tests.web.settings_forms import Form

CANARY = "CANARY-5f2b9c-0123456789"
KEYS = [
    {"name": "anna", "key": "CANARY-ANNA-0123456789", "scope": "admin"},
    {"name": "wall", "key": "CANARY-WALL-0123456789", "scope": "read"},
]
HEADERS = {"x-api-key": KEY}
HTMX = {"HX-Request": "true"}
HOSTILE = ["<script>document.title='broken'</script>*", "\"'><img src=x onerror=alert(1)>", "שלום*", "x" * 3000]


@pytest.fixture
def secretive(make_site: Callable[..., Site]) -> Site:
    """An application whose settings hold secrets."""
    return make_site(
        auth={"api_key": KEY, "keys": KEYS},
        syncthing={"api_key": CANARY, "folder_id": "photos", "api_url": "http://127.0.0.1:1"},
    )


def form_of(client: FlaskClient, **headers: str) -> MultiDict[str, str]:
    """The form as it stands on the page."""
    return Form(client.get("/settings", headers=headers).text, "settings-form").values


def typed(client: FlaskClient, **changes: str) -> MultiDict[str, str]:
    """The form with something typed into it: `batch__max_files="7"`."""
    form = form_of(client)
    for name, text in changes.items():
        form[name.replace("__", ".")] = text
    return form


def text_form(client: FlaskClient) -> MultiDict[str, str]:
    return Form(client.get("/settings/text").text, "settings-text-form").values


def saved(answer: Any) -> str:
    """The address that a save leads to."""
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


# --- the form


def test_every_setting_has_a_control_with_its_description_and_nothing_is_changed_by_sending_it(site: Site) -> None:
    client = site.client()
    before = site.config_path.read_text()
    page = client.get("/settings").text
    for path, setting in all_settings().items():
        assert f'name="was.{path}"' in page, path
        assert setting.description.replace("'", "&#39;").replace('"', "&#34;") in page, path
    answer = client.post("/settings", data=form_of(client))
    assert (answer.status_code, "Nothing is changed." in answer.text) == (200, True)
    assert site.config_path.read_text() == before


def test_only_what_was_changed_is_saved_and_told_with_its_values(site: Site) -> None:
    client = site.client()
    form = typed(client, batch__max_files="7", scan__ignore_patterns="@eaDir\r\n\r\n #recycle ", sorter__timezone="")
    form.poplist("syncthing.auto_sort_after_sync")
    looked = client.post("/settings/check", data=form).text
    assert "3 settings are changed, not saved yet" in looked
    assert site.services.config.batch.max_files == 0
    page = client.get(saved(client.post("/settings", data=form))).text
    config = site.services.config
    assert (config.batch.max_files, config.scan.ignore_patterns) == (7, ("@eaDir", "#recycle"))
    assert config.syncthing.auto_sort_after_sync is False
    assert "Saved. 3 settings have changed, in force now." in page
    assert form_of(client)["batch.max_files"] == "7"


def test_all_faults_stand_at_their_fields_and_nothing_typed_is_lost(site: Site) -> None:
    client = site.client()
    form = typed(client, batch__max_files="many", batch__max_size_gb="", paths__sorted_dir="relative",
                 sorter__folder_pattern="{year}/{mnoth}", dedup__threads="3")  # fmt: skip
    answer = client.post("/settings", data=form)
    assert answer.status_code == 422
    again = Form(answer.text, "settings-form").values
    assert {name: again[name] for name in form} == dict(form)
    for path, words in {
        "batch.max_files": "must be a whole number, not many", "batch.max_size_gb": "is empty; write a number",
        "paths.sorted_dir": "", "sorter.folder_pattern": "{mnoth} cannot be used here",
    }.items():  # fmt: skip
        slot = re.search(rf'<p class="fault" id="fault-set-{path.replace(".", "-")}">(.+?)</p>', answer.text)
        assert slot is not None and words in slot[1], path
        assert f'href="#set-{path.replace(".", "-")}"' in answer.text
    assert 'id="fault-set-dedup-threads"></p>' in answer.text
    marked = re.findall(r'class="setting differs" id="row-set-([\w-]+)"', answer.text)
    assert not {"sorter-local_video_makes", "scan-ignore_patterns"} & set(marked) and "dedup-threads" in marked
    assert site.services.config.dedup.threads == 2


def test_a_setting_goes_back_to_its_default_and_follows_it_from_then_on(site: Site) -> None:
    client = site.client()
    saved(client.post("/settings", data=typed(client, batch__max_files="7")))
    assert client.get("/settings?differs=yes").text.count("batch.max_files</code>") == 1
    filled = client.post("/settings/fill", data={**form_of(client), "default": "batch.max_files"})
    assert site.services.config.batch.max_files == 7
    saved(client.post("/settings", data=Form(filled.text, "settings-form").values))
    assert site.services.config.batch.max_files == 0
    assert "batch.max_files</code>" not in client.get("/settings?differs=yes").text


def test_a_preset_is_put_into_the_form_and_saved_with_what_was_typed(site: Site) -> None:
    client = site.client()
    filled = client.post("/settings/fill", data={**typed(client, batch__max_files="9"), "preset": "copy-only"})
    form = Form(filled.text, "settings-form").values
    assert (form["batch.transfer_mode"], form["batch.max_files"]) == ("copy", "9")
    assert site.services.config.batch.transfer_mode == "move"
    saved(client.post("/settings", data=form))
    assert (site.services.config.batch.transfer_mode, site.services.config.batch.max_files) == ("copy", 9)


def test_settings_are_found_by_words_without_scripts(client: FlaskClient) -> None:
    page = client.get("/settings", query_string={"q": "largest BATCH"}).text
    assert "batch.max_size_gb</code>" in page and "dedup.threads</code>" not in page
    assert "No setting is called so" in client.get("/settings?q=<script>x").text
    assert "<script>x" not in client.get("/settings?q=<script>x").text


def test_hostile_values_stay_text_and_come_back_as_they_are(site: Site) -> None:
    client = site.client()
    form = typed(client, scan__ignore_patterns="\r\n".join(HOSTILE), sorter__source_label=HOSTILE[0])
    assert "<script>doc" not in client.post("/settings/check", data=form).text
    page = client.get(saved(client.post("/settings", data=form))).text
    assert list(site.services.config.scan.ignore_patterns) == HOSTILE
    for address in ("/settings", "/settings/text", "/settings/history"):
        page = client.get(address).text
        assert "<script>doc" not in page and "<img src=x" not in page, address
    assert form_of(client)["scan.ignore_patterns"].split("\r\n") == HOSTILE
    too_long = client.post("/settings", data=typed(client, sorter__source_label="x" * 5000))
    assert too_long.status_code == 422 and "is longer than 4096 characters" in too_long.text


def test_what_the_environment_sets_is_shown_and_cannot_be_typed_over(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_PIPELINE_BATCH__MAX_FILES", "12")
    monkeypatch.setenv("MEDIA_PIPELINE_AUTH__API_KEY", KEY)
    site = make_site()
    client = site.client()
    page = client.get("/settings", headers=HEADERS).text
    form = Form(page, "settings-form")
    assert "batch.max_files" in form.disabled and "was.batch.max_files" not in form.values
    assert page.count("Set by the environment variable") == 2 and KEY not in page
    sent = {**form.values, "batch.max_files": "3", "was.batch.max_files": "12"}
    answer = client.post("/settings", data=sent, headers=HEADERS)
    assert answer.status_code == 422
    assert "is set by MEDIA_PIPELINE_BATCH__MAX_FILES and cannot be changed here" in answer.text


def test_what_counts_from_the_next_start_only_is_told_until_then(site: Site) -> None:
    client = site.client()
    page = client.get(saved(client.post("/settings", data=typed(client, system__port_api="9090")))).text
    assert "Saved. 1 setting has changed, in force at the next start." in page
    assert "not in force before the next start. Until then: <code><bdi>8080</bdi></code>" in page


def test_a_change_of_the_peer_policy_names_the_batches_that_it_changes(make_site: Callable[..., Site]) -> None:
    site = make_site(sync={"target": "syncthing"}, syncthing={"folder_id": "photos", "api_url": "http://127.0.0.1:1"})
    with site.services.db.transaction() as conn:
        batches.reserve(conn, naming_pattern="batch_{index:03d}", allow_parallel=False, target="syncthing",
                        transfer_mode="move", peer_policy="keep", device_id=None)  # fmt: skip
    client = site.client()
    looked = client.post("/settings/check", data=typed(client, sync__peer_policy="mirror"), headers=HTMX).text
    assert "batches that are not sorted yet (batch_001)" in looked


def test_settings_can_be_mended_while_the_database_cannot_be_used(site: Site) -> None:
    client = site.client()
    site.services.close()
    saved(client.post("/settings", data=typed(client, sync__grace_seconds="7200")))
    site.container.close()
    database = site.config_path.parent / "state" / "db.sqlite"
    good = database.read_bytes()
    database.write_bytes(b"no database at all" * 300)
    page = client.get("/settings").text
    assert "= 2 hours" in page
    answer = client.post("/settings", data=typed(client, sorter__folder_pattern="{year}", sync__peer_policy="mirror"))
    assert client.get(saved(answer)).status_code == 200
    assert site.container.store.current().config.sorter.folder_pattern == "{year}"
    database.write_bytes(good)


# --- keys


def test_a_secret_is_in_no_page_whatever_is_sent(secretive: Site) -> None:
    client = secretive.client()
    new = "CANARY-NEW-0123456789"
    form = form_of(client, **HEADERS)
    pages = [client.get(path, headers=HEADERS).text for path in ("/settings", "/settings/text", "/settings/history")]
    wrong = {**form, "syncthing.api_key": new, "auth.keys.2.name": "new", "auth.keys.2.key": new, "dedup.threads": "0"}
    pages.append(client.post("/settings", data=wrong, headers=HEADERS).text)
    assert "A key that was typed is not shown again" in pages[-1]
    text = Form(pages[1], "settings-text-form").values
    text["text"] = text["text"].replace('"********"', new).replace("threads: 2", "threads: 0") + f"# key: {new}"
    for faulty in (text["text"], text["text"] + "\n  : [", f"auth:\n  api_key: {new}\n  oops"):
        answer = client.post("/settings/text", data={**text, "text": faulty}, headers=HEADERS)
        assert answer.status_code == 422
        pages += [answer.text, client.post("/settings/text/check", data={**text, "text": faulty},
                                           headers={**HEADERS, **HTMX}).text]  # fmt: skip
    right = {**form, "syncthing.api_key": new}
    pages.append(client.get(saved(client.post("/settings", data=right, headers=HEADERS)), headers=HEADERS).text)
    history = client.get("/settings/history", headers=HEADERS).text
    for revision in re.findall(r"/settings/history/([0-9a-f]{64})", history):
        pages.append(client.get(f"/settings/history/{revision}", headers=HEADERS).text)
    assert secretive.services.config.syncthing.api_key == new
    for page in [*pages, history]:
        assert "CANARY" not in page and KEY not in page


def test_access_keys_are_added_kept_renewed_and_removed(secretive: Site) -> None:
    client = secretive.client()
    form = form_of(client, **HEADERS)
    form["auth.keys.0.scope"] = "run"
    form["remove.auth.keys.1"] = "yes"
    new = {"auth.keys.2.name": "frame", "auth.keys.2.key": "frame-key-0123456789", "auth.keys.2.scope": "read"}
    saved(client.post("/settings", data={**form, **new}, headers=HEADERS))
    found = {key.name: (key.key, key.scope) for key in secretive.services.config.auth.keys}
    assert found == {"anna": (KEYS[0]["key"], "run"), "frame": ("frame-key-0123456789", "read")}
    form = form_of(client, **HEADERS)
    form["auth.keys.1.name"] = "an-other"
    form["remove.auth.keys.0"] = "yes"
    answer = client.post("/settings", data=form, headers=HEADERS)
    slot = re.search(r'id="fault-set-auth-keys-1-key">(.+?)</p>', answer.text)
    assert slot is not None and "no key is kept under this name" in slot[1]


def test_a_secret_is_kept_unless_it_is_cleared(secretive: Site) -> None:
    client = secretive.client()
    saved(client.post("/settings", data={**form_of(client, **HEADERS), "dedup.threads": "4"}, headers=HEADERS))
    assert secretive.services.config.syncthing.api_key == CANARY
    cleared = {**form_of(client, **HEADERS), "clear.syncthing.api_key": "yes"}
    saved(client.post("/settings", data=cleared, headers=HEADERS))
    assert secretive.services.config.syncthing.api_key == ""


def test_who_gives_up_the_keys_is_told_what_that_means(secretive: Site) -> None:
    client = secretive.client()
    form = {**form_of(client, **HEADERS), "clear.auth.api_key": "yes", "remove.auth.keys.0": "yes",
            "remove.auth.keys.1": "yes"}  # fmt: skip
    looked = client.post("/settings/check", data=form, headers=HEADERS).text
    assert "No key is needed any more" in looked
    assert "This browser is logged in with a key that changes" in looked


def test_a_key_that_may_only_look_sees_the_settings_and_is_told_so(secretive: Site) -> None:
    client = secretive.client()
    wall = {"x-api-key": KEYS[1]["key"]}
    page = client.get("/settings", headers=wall).text
    assert "shows the settings and does not change them" in page
    assert "batch.max_files" in Form(page, "settings-form").disabled
    assert client.post("/settings", data={}, headers=wall).status_code == 403


# --- somebody else saves meanwhile


def test_a_change_of_somebody_else_is_kept_and_told_and_mine_is_saved_beside_it(site: Site) -> None:
    client, other = site.client(), site.client()
    mine = typed(client, batch__max_files="7", dedup__threads="3")
    theirs = {"batch": {"max_size_gb": 99}, "dedup": {"threads": 8}}
    assert other.put("/api/config", json=theirs, headers={"X-Actor": "<b>bo"}).status_code == 200
    answer = client.post("/settings", data=mine)
    assert answer.status_code == 412
    assert site.services.config.batch.max_files == 0
    assert "You both changed dedup.threads." in answer.text and "by api (-b-bo)" in answer.text
    assert "<code><bdi>99</bdi></code>" in answer.text
    again = Form(answer.text, "settings-form").values
    assert (again["batch.max_files"], again["batch.max_size_gb"]) == ("7", "15")
    over = re.search(r'name="over" value="(\w+)"', answer.text)
    assert over is not None
    saved(client.post("/settings", data={**again, "over": over[1]}))
    config = site.services.config
    assert (config.batch.max_files, config.batch.max_size_gb, config.dedup.threads) == (7, 99.0, 3)


def test_a_page_hears_of_a_save_elsewhere_and_nothing_while_nothing_happens(site: Site) -> None:
    client = site.client()
    page = client.get("/settings").text
    found = re.search(r'hx-get="(/partials/settings\?seen=\w+&(?:amp;)?mark=\w+)"', page)
    assert found is not None
    address = found[1].replace("&amp;", "&")
    assert client.get(address, headers=HTMX).status_code == 204
    site.client().put("/api/config", json={"batch": {"max_files": 3}})
    heard = client.get(address, headers=HTMX)
    assert heard.status_code == 200
    assert "The settings were saved meanwhile, <bdi>over the API</bdi>" in heard.text


# --- as text


def test_the_text_is_saved_to_the_letter_with_its_own_line_breaks(site: Site) -> None:
    client = site.client()
    form = text_form(client)
    form["text"] = "# my words: ü\r\n" + form["text"].replace("max_files: 0", "max_files: 5")
    looked = client.post("/settings/text/check", data=form, headers=HTMX).text
    assert "1 setting is changed, not saved yet" in looked
    saved(client.post("/settings/text", data=form))
    kept = site.config_path.read_bytes()
    assert kept.startswith("# my words: ü\n".encode()) and b"\r" not in kept
    assert site.services.config.batch.max_files == 5
    site.config_path.write_bytes(kept.replace(b"\n", b"\r\n"))
    form = text_form(client)
    form["text"] = form["text"].replace("max_files: 5", "max_files: 6")
    saved(client.post("/settings/text", data=form))
    assert b"max_files: 6\r\n" in site.config_path.read_bytes()


def test_faults_of_the_text_are_told_with_their_lines_and_the_text_is_kept(site: Site) -> None:
    client = site.client()
    form = text_form(client)
    form["text"] = form["text"].replace("max_files: 0", "max_flies: 0")
    line = form["text"].split("\r\n").index("  max_flies: 0") + 1
    answer = client.post("/settings/text", data=form)
    assert answer.status_code == 422
    assert f"Line {line}: <code>batch.max_flies</code></a> is not a setting; did you mean max_files" in answer.text
    assert Form(answer.text, "settings-text-form").values["text"] == form["text"]


def test_a_text_is_not_saved_over_that_of_somebody_else_unasked(site: Site) -> None:
    client = site.client()
    form = text_form(client)
    form["text"] = form["text"].replace("max_files: 0", "max_files: 5")
    site.client().put("/api/config", json={"batch": {"max_size_gb": 99}})
    answer = client.post("/settings/text", data=form)
    assert (answer.status_code, "Look at their text" in answer.text) == (412, True)
    assert Form(answer.text, "settings-text-form").values["text"] == form["text"]
    over = re.search(r'name="over" value="(\w+)"', answer.text)
    assert over is not None
    saved(client.post("/settings/text", data={**form, "over": over[1]}))
    assert (site.services.config.batch.max_files, site.services.config.batch.max_size_gb) == (5, 15.0)


def test_a_file_with_faults_is_told_with_its_lines_and_what_is_in_force_and_mended_as_text(site: Site) -> None:
    client = site.client()
    client.get("/settings")
    good = site.config_path.read_text()
    site.config_path.write_text(good.replace("max_files: 0", "max_files: none at all"))
    line = good[: good.index("max_files: 0")].count("\n") + 1
    for address in ("/settings", "/settings/text", "/settings/history"):
        page = client.get(address).text
        assert "The settings file has faults: the last good one stays in force." in page, address
        assert f'href="/settings/text?line={line}&amp;column=3">Line {line}</a>' in page, address
    assert "batch.max_files" in Form(client.get("/settings").text, "settings-form").disabled
    form = text_form(client)
    assert f"Line {line}: " in client.get("/settings/text").text
    form["text"] = form["text"].replace("none at all", "4")
    saved(client.post("/settings/text", data=form))
    assert site.services.config.batch.max_files == 4
    assert "has faults" not in client.get("/settings").text


# --- history


def test_each_revision_is_shown_with_what_it_changed_and_gone_back_to(site: Site) -> None:
    client = site.client()
    assert "No revision is kept yet." in client.get("/settings/history").text
    assert site.services.config.batch.max_files == 0
    assert "The oldest one that is kept." in client.get("/settings/history").text
    browser = {"Accept": "text/html"}
    for number in ("5", "6"):
        saved(client.post("/settings", data=typed(client, batch__max_files=number), headers=browser))
    page = client.get("/settings/history").text
    revisions = re.findall(r'href="/settings/history/([0-9a-f]{64})"', page)
    assert len(revisions) == 3
    assert page.count("Saved <bdi>on these pages</bdi>") == 2
    shown = client.get(f"/settings/history/{revisions[1]}").text
    assert "Go back to these settings" in shown and "<bdi>6</bdi>" in shown
    stale = client.post(f"/settings/history/{revisions[1]}", data={"revision": "0" * 64}, headers=browser)
    assert stale.status_code == 412
    assert site.services.config.batch.max_files == 6
    address = saved(client.post(f"/settings/history/{revisions[1]}", data={"revision": revisions[0]}))
    assert site.services.config.batch.max_files == 5
    assert "Saved. 1 setting has changed, in force now." in client.get(address).text
    assert client.get("/settings/history/" + "f" * 64).status_code == 404


def test_whoever_saves_a_key_is_told_that_the_next_click_asks_for_it(make_site: Callable[..., Site]) -> None:
    client = make_site().client()
    answer = client.post("/settings", data=typed(client, auth__api_key=KEY), headers=HTMX)
    assert "The next click asks for a key: the one that you have just saved" in answer.text
    assert client.get("/settings").status_code == 401


def test_without_scripts_the_page_that_asks_for_the_key_says_why(make_site: Callable[..., Site]) -> None:
    client = make_site().client()
    address = saved(client.post("/settings", data=typed(client, auth__api_key=KEY)))
    asking = client.get(address, headers={"Accept": "text/html"}, follow_redirects=True)
    assert "Your settings are saved. From now on a key is asked for" in asking.text
    client.post("/login", data={"key": KEY, "next": "/settings"})
    again = client.post("/settings", data=typed(client, batch__max_files="7"), follow_redirects=True)
    assert "Saved. 1 setting has changed" in again.text
    assert "asks for a key" not in again.text
