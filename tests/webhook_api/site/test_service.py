"""Header and footer of every page: who runs the service, where to ask, and Strava's marks."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from include.settings import Settings
from webhook_api.app import create_app
from webhook_api.site.files import BUTTON, MARK, missing_marks
from webhook_api.site.service import Service


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="start"),
        pytest.param("/callback", id="problem"),
        pytest.param("/nothing", id="not-found"),
        pytest.param("/privacy", id="privacy"),
        pytest.param("/invite/unknown", id="invitation"),
    ],
)
def test_every_page_says_who_runs_the_service(client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    header, footer = page.partition("<main>")[0], page.partition("</main>")[2]

    assert "Activity Archive" in header
    assert "by Ann Example" in header
    assert 'href="mailto:privacy@example.org"' in footer
    assert 'href="/privacy"' in footer
    assert "Powered by Strava" in footer


@pytest.mark.parametrize(
    ("contact", "text", "url"),
    [
        pytest.param("a@example.org", "a@example.org", "mailto:a@example.org", id="mail"),
        pytest.param("https://example.org/@ann", "example.org/@ann", "https://example.org/@ann", id="page"),
        pytest.param("", "", "", id="none"),
    ],
)
def test_contact_leads_to_a_mail_or_a_page(settings: Settings, contact: str, text: str, url: str) -> None:
    service = Service.of(replace(settings, contact=contact))

    assert (service.contact, service.contact_url) == (text, url)


def test_policy_of_the_operator_is_linked_unless_it_is_the_pages_own(settings: Settings) -> None:
    own = replace(settings, public_url="https://a.example", privacy_url="https://a.example/privacy")

    assert Service.of(own).policy_url == ""
    assert Service.of(replace(own, privacy_url="https://b.example/p")).policy_url == "https://b.example/p"


def test_page_names_nobody_and_the_log_says_so_once_when_nobody_is_set(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = replace(settings, operator_name="", contact="", privacy_url="")
    with caplog.at_level(logging.WARNING):
        app = create_app(nobody)

    (line,) = caplog.messages
    assert "OPERATOR_NAME, CONTACT, PRIVACY_URL" in line
    page = app.test_client().get("/privacy").text
    assert "mailto:" not in page
    assert "for trying out" in page


def test_service_starts_silently_when_its_operator_is_named(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    create_app(settings)

    assert caplog.messages == []


def test_buttons_are_stravas_own_once_the_owner_has_put_them_there(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = client.get("/").text
    assert '<button type="submit">Connect with Strava</button>' in words

    known = dict(client.application.extensions["file_versions"]) | {BUTTON: "1", MARK: "2"}
    monkeypatch.setitem(client.application.extensions, "file_versions", known)
    monkeypatch.setitem(client.application.jinja_env.globals, "strava_button", BUTTON)
    monkeypatch.setitem(client.application.jinja_env.globals, "strava_mark", MARK)
    client.application.jinja_env.cache.clear()
    page = client.get("/").text

    assert page.count(f'src="/static/{BUTTON}?v=1" alt=""') == 3
    assert re.findall(r'<button class="official" type="submit" aria-label="([^"]+)"', page) == [
        "Sign in: Connect with Strava",
        "Connect with Strava",
    ]
    assert f'src="/static/{MARK}?v=2" alt="Powered by Strava"' in page


def test_missing_marks_are_named_to_the_owner_until_both_are_there(tmp_path: Path) -> None:
    (tmp_path / "strava").mkdir()
    assert BUTTON in missing_marks(tmp_path)
    assert MARK in missing_marks(tmp_path)

    (tmp_path / BUTTON).touch()
    assert BUTTON not in missing_marks(tmp_path)
    (tmp_path / MARK).touch()

    assert missing_marks(tmp_path) == ""
