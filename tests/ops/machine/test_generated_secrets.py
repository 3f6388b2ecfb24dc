from __future__ import annotations

import base64
import stat
from dataclasses import asdict
from pathlib import Path

from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.state_dir import StateDir


def test_secrets_stay_the_same_in_one_state_directory(tmp_path: Path) -> None:
    assert GeneratedSecrets.of(StateDir(tmp_path)) == GeneratedSecrets.of(StateDir(tmp_path))


def test_secrets_differ_between_state_directories(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    first, second = (asdict(GeneratedSecrets.of(StateDir(place))) for place in (one, two))
    assert [name for name in first if first[name] == second[name]] == []


def test_secrets_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    GeneratedSecrets.of(StateDir(tmp_path))
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_secret_that_an_older_file_lacks_is_added_and_the_others_stay(tmp_path: Path) -> None:
    place = StateDir(tmp_path)
    before = asdict(GeneratedSecrets.of(place))
    place.keep_private("secrets.json", {name: value for name, value in before.items() if name != "cookie_key"})
    after = asdict(GeneratedSecrets.of(place))
    assert len(after["cookie_key"]) == 64
    assert {**before, "cookie_key": ""} == {**after, "cookie_key": ""}
    assert GeneratedSecrets.of(place).cookie_key == after["cookie_key"]


def test_secrets_have_the_shapes_their_readers_want(tmp_path: Path) -> None:
    generated = GeneratedSecrets.of(StateDir(tmp_path))
    assert int(generated.strava_client_id) >= 100_000
    assert len(base64.urlsafe_b64decode(generated.airflow_fernet_key)) == 32
    assert min(len(value) for name, value in asdict(generated).items() if name != "strava_client_id") >= 12


def test_secrets_show_nothing_in_their_repr(tmp_path: Path) -> None:
    generated = GeneratedSecrets.of(StateDir(tmp_path))
    shown = repr(generated)
    assert [name for name, value in asdict(generated).items() if value in shown] == []
