from __future__ import annotations

import stat
from pathlib import Path

import pytest

from include.errors import SettingsError
from ops.machine.state_dir import StateDir


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_state_directory_refuses_a_second_system(tmp_path: Path) -> None:
    place = StateDir(tmp_path / "state")
    with (
        place.hold(),
        pytest.raises(SettingsError, match=r"in use by another running system.*STATE_DIR"),
        StateDir(place.root).hold(),
    ):
        pytest.fail("the second system got in")


def test_state_directory_is_free_again_after_use(tmp_path: Path) -> None:
    place = StateDir(tmp_path / "state")
    with place.hold():
        pass
    with place.hold():
        assert place.logs.is_dir()


def test_state_directories_do_not_disturb_each_other(tmp_path: Path) -> None:
    with StateDir(tmp_path / "one").hold(), StateDir(tmp_path / "two").hold():
        assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_state_directory_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    with StateDir(tmp_path / "state").hold():
        assert mode(tmp_path / "state") == 0o700


def test_private_file_comes_back_whole_and_stays_private(tmp_path: Path) -> None:
    place = StateDir(tmp_path)
    (tmp_path / "note.json").write_text("{}")
    (tmp_path / "note.json").chmod(0o644)
    place.keep_private("note.json", {"key": "Grüße"})
    assert place.kept("note.json") == {"key": "Grüße"}
    assert mode(tmp_path / "note.json") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["note.json"]


def test_kept_is_empty_when_nothing_was_kept(tmp_path: Path) -> None:
    assert StateDir(tmp_path).kept("note.json") == {}


def test_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "note.json").write_text('{"key": ')
    with pytest.raises(SettingsError, match=r"note\.json is not JSON"):
        StateDir(tmp_path).kept("note.json")
