"""Settings that lie in Secrets Manager, and what is said when they do not."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from include import secret
from include.errors import RetryLater, SettingsError
from include.secret import CACHED_S, TRY_AGAIN_S, CachedSettings, read_settings
from include.setting_values import EXAMPLES
from local.testbed.manual_clock import ManualClock

SECRETS = ("STRAVA_CLIENT_ID", "STRAVA_CLIENT_SECRET", "WEBHOOK_PATH_SECRET", "WEBHOOK_VERIFY_TOKEN", "COOKIE_KEY")
ENVIRON = {name: value for name, value in EXAMPLES.items() if name not in SECRETS} | {"SECRET_ID": "strava/secret"}
EXTRA = {name: f"hidden-{name}" for name in SECRETS}


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What Secrets Manager answers for each secret; every read is counted under `reads`."""
    stored = {"reads": ""}

    def get(SecretId: str) -> dict[str, Any]:  # noqa: N803 - the name is AWS's
        stored["reads"] += "x"
        if "fault" in stored:
            raise RetryLater(stored["fault"])
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


def connection(**extra: str) -> str:
    return json.dumps({"extra": {**EXTRA, **extra}})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000.0)


@pytest.fixture
def kept(stored: dict[str, str], clock: ManualClock) -> CachedSettings:
    """Settings that were read a moment ago."""
    stored["strava/secret"] = connection()
    return CachedSettings(ENVIRON, clock)


def test_secret_is_read_again_when_it_is_five_minutes_old(
    kept: CachedSettings, stored: dict[str, str], clock: ManualClock
) -> None:
    stored["strava/secret"] = connection(COOKIE_KEY="hidden-new")
    before = kept.current().cookie_key
    clock.advance(CACHED_S - 1)
    still = kept.current().cookie_key
    clock.advance(1)

    assert (before, still, kept.current().cookie_key) == ("hidden-COOKIE_KEY", "hidden-COOKIE_KEY", "hidden-new")
    assert stored["reads"] == "xx"


def test_secret_that_did_not_change_gives_equal_settings(kept: CachedSettings, clock: ManualClock) -> None:
    before = kept.current()
    clock.advance(CACHED_S)

    assert kept.current() == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"fault": "SECRET_ID: AWS did not answer"}, id="silent"),
        pytest.param({"strava/secret": "hidden, and no JSON"}, id="damaged"),
        pytest.param({"strava/secret": json.dumps({"extra": {"COOKIE_KEY": "hidden-new"}})}, id="incomplete"),
    ],
)
def test_secret_before_stays_in_use_and_the_log_says_so_when_reading_it_again_fails(
    kept: CachedSettings,
    stored: dict[str, str],
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
    change: dict[str, str],
) -> None:
    stored.update(change)
    clock.advance(CACHED_S)

    assert kept.current().cookie_key == "hidden-COOKIE_KEY"
    (said,) = caplog.records
    assert said.levelno == logging.WARNING
    assert "so the cached one stays in use" in said.getMessage()
    assert "hidden" not in said.getMessage()

    stored.pop("fault", None)
    stored["strava/secret"] = connection(COOKIE_KEY="hidden-new")
    clock.advance(TRY_AGAIN_S - 1)
    assert kept.current().cookie_key == "hidden-COOKIE_KEY"
    clock.advance(1)
    assert kept.current().cookie_key == "hidden-new"


def test_first_read_has_to_succeed(stored: dict[str, str], clock: ManualClock) -> None:
    stored["fault"] = "SECRET_ID: AWS did not answer"

    with pytest.raises(RetryLater):
        CachedSettings(ENVIRON, clock)
