"""`security.txt`: where to report a weakness, in the form of RFC 9116."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from flask.testing import FlaskClient

from include.settings import Settings
from local.testbed.manual_clock import ManualClock
from webhook_api.app import create_app

ADDRESS = "/.well-known/security.txt"


def test_contact_is_named_and_expires_half_a_year_from_now(client: FlaskClient, clock: ManualClock) -> None:
    answer = client.get(ADDRESS)

    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    expires = datetime.fromisoformat(fields["Expires"])
    assert answer.content_type == "text/plain; charset=utf-8"
    assert fields["Contact"] == "mailto:privacy@example.org"
    assert fields["Canonical"] == "https://ingest.example.org/.well-known/security.txt"
    assert (expires - datetime.fromtimestamp(clock(), UTC)).days == 180
    clock.now_epoch_s += 86_400
    assert client.get(ADDRESS).text != answer.text


def test_there_is_none_when_nobody_is_named(settings: Settings) -> None:
    app = create_app(replace(settings, contact=""))

    assert app.test_client().get(ADDRESS).status_code == 404
