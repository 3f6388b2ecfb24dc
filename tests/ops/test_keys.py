"""The command about keys, as an operator types it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from include.crypto.key_file import KeyFileCipher
from include.errors import BadRequest
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.state.accounts.tokens import Tokens
from include.store.backend import open_store
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId
from ops import keys

Run = Callable[..., Result]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(
        Settings.from_environ(EXAMPLES),
        state_url=f"sqlite://{tmp_path}/state.sqlite",
        key_url=f"file://{tmp_path}/token.key",
    )


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(keys, "installed_settings", lambda *_: settings)
    return lambda *arguments: CliRunner().invoke(keys.app, arguments)


@pytest.fixture
def connected(settings: Settings, tmp_path: Path) -> None:
    """Three athletes have connected."""
    store = open_store(settings.state_url, time.time)
    athletes = Athletes(store, KeyFileCipher(tmp_path / "token.key"), time.time)
    for athlete_id in (1, 2, 3):
        athlete = Athlete(AthleteId(athlete_id), "Ann", "Bee")
        grant = TokenGrant(f"access-{athlete_id}", f"refresh-{athlete_id}", int(time.time()) + 9000, athlete)
        athletes.connect(grant, frozenset({"read"}))
    store.close()


def pairs_of(shown: Result) -> dict[str, tuple[int, bool]]:
    """The table: key, how many pairs, whether it is active."""
    rows = re.findall(r"│ (\w{8})\s*│ (\d+)\s*│ (\w*)", shown.output)
    return {key: (int(count), state == "active") for key, count, state in rows}


def test_show_names_the_active_key_when_nobody_has_connected(run: Run) -> None:
    shown = run("show")

    assert shown.exit_code == 0
    assert list(pairs_of(shown).values()) == [(0, True)]


@pytest.mark.usefixtures("connected")
def test_rotate_then_reencrypt_moves_every_pair_to_the_new_key(run: Run, settings: Settings, tmp_path: Path) -> None:
    [(old, _)] = pairs_of(run("show")).items()

    assert run("rotate").exit_code == 0
    rotated = pairs_of(run("show"))
    [new] = set(rotated) - {old}
    assert rotated == {old: (3, False), new: (0, True)}

    done = run("reencrypt")
    assert (done.exit_code, f"3 secrets are sealed with key {new} now" in done.output) == (0, True)
    assert pairs_of(run("show")) == {new: (3, True)}
    assert "0 secrets" in run("reencrypt").output

    store = open_store(settings.state_url, time.time)
    tokens = Tokens(store, KeyFileCipher(tmp_path / "token.key"), time.time, _never, time.sleep)
    assert tokens.access_token(2, scope="read") == "access-2"
    store.close()


@pytest.mark.usefixtures("connected")
def test_reencrypt_names_the_pairs_that_do_not_open_and_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "token.key").unlink()

    done = run("reencrypt")

    assert done.exit_code != 0
    for athlete_id in (1, 2, 3):
        assert f"Athlete {athlete_id}: key" in done.output + str(done.exception)


def test_command_says_that_kms_rotates_by_itself(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "installed_settings", lambda *_: replace(settings, key_url="kms://alias/strava-tokens"))

    with pytest.raises(BadRequest, match="KMS rotates its keys itself"):
        CliRunner().invoke(keys.app, ["rotate"], catch_exceptions=False)


def _never(_athlete_id: int, _refresh_token: str) -> TokenGrant:
    raise AssertionError("no refresh is due")
