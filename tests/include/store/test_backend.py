"""Which addresses of stores and what goes wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.clock import Clock
from include.errors import SettingsError
from include.store.backend import open_store
from include.store.dynamodb import DynamoStore
from include.store.sqlite import SqliteStore


def test_store_opens_at_an_absolute_path(tmp_path: Path, clock: Clock) -> None:
    store = open_store(f"sqlite://{tmp_path}/new folder/state 100%.sqlite", clock)

    assert isinstance(store, SqliteStore)
    assert (tmp_path / "new folder" / "state 100%.sqlite").exists()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param("/var/lib/strava/state.sqlite", id="no scheme"),
        pytest.param("sqlite://state.sqlite", id="relative"),
        pytest.param("sqlite:///", id="no file"),
        pytest.param("sqlite:///var/lib/", id="a folder"),
        pytest.param("postgres:///x", id="another scheme"),
        pytest.param("dynamodb://", id="no prefix"),
        pytest.param("dynamodb://strava/", id="prefix with a slash"),
        pytest.param("dynamodb://strava ingest", id="prefix with a space"),
        pytest.param(f"dynamodb://{'x' * 201}", id="prefix too long"),
    ],
)
def test_other_addresses_are_refused_with_an_example(url: str, clock: Clock) -> None:
    with pytest.raises(SettingsError, match=r"STATE_URL .* for example: sqlite:///var/lib/strava/state.sqlite"):
        open_store(url, clock)


def test_tables_are_opened_by_their_prefix(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in [("DEFAULT_REGION", "eu-central-1"), ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x")]:
        monkeypatch.setenv(f"AWS_{variable}", value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # so that these credentials do not stay

    assert isinstance(open_store("dynamodb://strava-ingest_1.", clock), DynamoStore)


def test_setting_is_named_when_the_file_is_something_else(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "state.sqlite").write_text("this is not a database, and long enough to be looked at" * 20)

    with pytest.raises(SettingsError, match=r"STATE_URL: .*state\.sqlite cannot be opened"):
        open_store(f"sqlite://{tmp_path}/state.sqlite", clock)


def test_setting_is_named_when_the_folder_cannot_be_made(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(SettingsError, match="STATE_URL"):
        open_store(f"sqlite://{tmp_path}/file/state.sqlite", clock)
