"""Settings that lie in Secrets Manager, and what is said when they do not."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from include import secret
from include.errors import SettingsError
from include.secret import read_settings
from include.settings import EXAMPLES

SECRETS = ("STRAVA_CLIENT_ID", "STRAVA_CLIENT_SECRET", "WEBHOOK_PATH_SECRET", "WEBHOOK_VERIFY_TOKEN", "COOKIE_KEY")
ENVIRON = {name: value for name, value in EXAMPLES.items() if name not in SECRETS} | {"SECRET_ID": "strava/secret"}
EXTRA = {name: f"hidden-{name}" for name in SECRETS}


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What Secrets Manager answers for each secret; every read is counted under `reads`."""
    stored = {"reads": ""}

    def get(SecretId: str) -> dict[str, Any]:  # noqa: N803 - the name is AWS's
        stored["reads"] += "x"
        return {"SecretString": stored[SecretId]}

    monkeypatch.setattr(secret, "open_client", lambda *_: SimpleNamespace(get_secret_value=get))
    return stored


@pytest.mark.parametrize(
    "connection",
    [
        pytest.param({"conn_type": "generic", "extra": EXTRA}, id="object"),
        pytest.param({"conn_type": "generic", "extra": json.dumps(EXTRA)}, id="text"),
    ],
)
def test_secret_completes_the_environment(stored: dict[str, str], connection: Any) -> None:
    stored["strava/secret"] = json.dumps(connection)

    settings = read_settings(ENVIRON)

    assert settings.cookie_key == "hidden-COOKIE_KEY"
    assert settings.queue_url == EXAMPLES["QUEUE_URL"]
    assert stored["reads"] == "x"


def test_number_is_taken_as_text(stored: dict[str, str]) -> None:
    stored["strava/secret"] = json.dumps({"extra": {**EXTRA, "STRAVA_CLIENT_ID": 12345}})

    assert read_settings(ENVIRON).strava_client_id == "12345"


def test_nothing_is_read_when_no_secret_is_named(stored: dict[str, str]) -> None:
    assert read_settings(EXAMPLES).cookie_key == EXAMPLES["COOKIE_KEY"]
    assert stored["reads"] == ""


def test_missing_key_is_named_with_the_secret_that_lacks_it(stored: dict[str, str]) -> None:
    stored["strava/secret"] = json.dumps({"extra": {**EXTRA, "COOKIE_KEY": ""}})

    with pytest.raises(SettingsError, match=r"COOKIE_KEY .*`extra` in the secret strava/secret") as caught:
        read_settings(ENVIRON)
    assert "hidden" not in str(caught.value)
    assert "STRAVA_CLIENT_ID" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("hidden, and no JSON", id="text"),
        pytest.param('["hidden"]', id="list"),
        pytest.param('{"STRAVA_CLIENT_SECRET": "hidden"}', id="no extra"),
        pytest.param('{"extra": "hidden"}', id="extra is text"),
        pytest.param('{"extra": {}}', id="extra is empty"),
    ],
)
def test_other_contents_are_refused_with_an_example_and_not_shown(stored: dict[str, str], text: str) -> None:
    stored["strava/secret"] = text

    with pytest.raises(SettingsError, match=r"strava/secret .*conn_type") as caught:
        read_settings(ENVIRON)
    assert "hidden" not in str(caught.value)
