"""Backup and restore of files: whole or refused, beside writers, and after a kill at any step."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from include.clock import Clock
from include.errors import BadRequest, SettingsError
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition
from include.store.backend import open_store
from include.store.store import ABSENT, Key
from ops.backup.decisions import TakenOver
from ops.backup.manifest import FILE, read
from ops.backup.restore import Restored, restore
from ops.backup.take import take
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.state_dir import StateDir
from tests.ops.backup.systems import NOW, OBJECT, clock, marks

STEPS = 13
"""How many times a restore over a system moves something."""


def put_back(place: StateDir, folder: Path, *, over: bool = True, at: Clock = clock) -> Restored:
    return restore(place, folder, over=over, clock=at)


def test_backup_is_restored_into_an_empty_directory(tmp_path: Path, backup: Path) -> None:
    elsewhere = StateDir(tmp_path / "elsewhere")

    restored = put_back(elsewhere, backup, over=False)

    assert marks(elsewhere) == ("old", "old", "old")
    assert (elsewhere.root / "strava").read_text() == "simulated Strava\n"
    assert (restored.taken_over, restored.aside) == (None, None)
    with elsewhere.hold():
        assert GeneratedSecrets.of(elsewhere) == GeneratedSecrets.of(StateDir(tmp_path / "system"))


def test_restored_system_replaces_one_that_is_moved_aside_while_strava_stays(place: StateDir, backup: Path) -> None:
    restored = put_back(place, backup)

    assert marks(place) == ("old", "old", "old")
    assert restored.aside is not None
    assert marks(StateDir(restored.aside)) == ("new", "new", "new")
    assert (place.root / "simulator.sqlite").read_text() == "goes on"
    assert (restored.aside / "airflow" / "airflow.db").read_text() == "new"
    assert list(place.airflow.iterdir()) == []


def test_backup_and_what_is_restored_from_it_are_their_owners_alone(tmp_path: Path, backup: Path) -> None:
    elsewhere = StateDir(tmp_path / "elsewhere")
    put_back(elsewhere, backup)

    for root in (backup, elsewhere.root):
        assert root.stat().st_mode & 0o777 == 0o700
        for name in ("state.sqlite", "token.key", "secrets.json"):
            assert (root / name).stat().st_mode & 0o777 == 0o600


def test_backup_of_a_system_without_a_lake_or_key_is_restored(tmp_path: Path) -> None:
    place = StateDir(tmp_path / "fresh")
    with place.hold():
        (place.root / "strava").write_text("real Strava\n")
        open_store(f"sqlite://{place.database}", clock).close()

    take(place, tmp_path / "backup", "0.1", clock)
    put_back(StateDir(tmp_path / "elsewhere"), tmp_path / "backup")

    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} >= {"state.sqlite", "lake", "strava"}


def test_backup_is_refused_without_a_state_and_into_a_folder_with_something_in_it(
    tmp_path: Path, place: StateDir, backup: Path
) -> None:
    with pytest.raises(BadRequest, match="no state"):
        take(StateDir(tmp_path / "nowhere"), tmp_path / "to", "0.1", clock)
    with pytest.raises(BadRequest, match="is not empty"):
        take(place, backup, "0.1", clock)


def test_backup_of_a_damaged_state_is_refused(place: StateDir, tmp_path: Path) -> None:
    content = bytearray(place.database.read_bytes())
    content[4096 : 4096 * 3] = b"\xff" * (4096 * 2)
    place.database.write_bytes(content)

    with pytest.raises((BadRequest, sqlite3.DatabaseError)):
        take(place, tmp_path / "to", "0.1", clock)
    with pytest.raises(BadRequest, match="no whole backup"):
        read(tmp_path / "to")


def test_interrupted_backup_is_never_taken_for_a_whole_one(
    place: StateDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.backup.take.write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))

    with pytest.raises(KeyboardInterrupt):
        take(place, tmp_path / "to", "0.1", clock)

    with pytest.raises(BadRequest, match="no whole backup"):
        put_back(place, tmp_path / "to")
    assert marks(place) == ("old", "old", "old")


def damage_lost(backup: Path) -> None:
    (backup / "lake" / OBJECT).unlink()


def damage_changed(backup: Path) -> None:
    (backup / "lake" / OBJECT).write_text("odd")


def damage_manifest(backup: Path) -> None:
    (backup / FILE).write_text("{")


def damage_format(backup: Path) -> None:
    (backup / FILE).write_text(json.dumps({**json.loads((backup / FILE).read_text()), "format": 2}))


def damage_outside(backup: Path) -> None:
    told = json.loads((backup / FILE).read_text())
    told["files"]["../../passwd"] = told["files"].pop(f"lake/{OBJECT}")
    (backup.parent.parent / "passwd").write_bytes((backup / "lake" / OBJECT).read_bytes())
    (backup / FILE).write_text(json.dumps(told))


@pytest.mark.parametrize(
    "damage",
    [damage_lost, damage_changed, damage_manifest, damage_format, damage_outside],
    ids=lambda one: one.__name__,
)
def test_damaged_backup_is_refused_and_changes_nothing(place: StateDir, backup: Path, damage) -> None:
    damage(backup)

    with pytest.raises(BadRequest):
        put_back(place, backup)

    assert marks(place) == ("new", "new", "new")


def test_restore_is_refused_over_a_system_that_runs_or_lies_there(place: StateDir, backup: Path) -> None:
    with place.hold(), pytest.raises(SettingsError, match="in use by another running system"):
        put_back(place, backup)
    with pytest.raises(BadRequest, match="ARGS=--over"):
        put_back(place, backup, over=False)
    assert marks(place) == ("new", "new", "new")


def test_restore_keeps_simulated_and_real_athletes_apart(place: StateDir, backup: Path) -> None:
    (place.root / "strava").write_text("real Strava\n")

    with pytest.raises(BadRequest, match="set STATE_DIR to another directory"):
        put_back(place, backup)


def test_dry_run_tells_and_changes_nothing(tmp_path: Path, place: StateDir, backup: Path) -> None:
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))

    told = restore(place, backup, over=False, clock=clock, dry_run=True)
    restore(StateDir(tmp_path / "nowhere"), backup, over=False, clock=clock, dry_run=True)

    assert told.aside is None
    assert marks(place) == ("new", "new", "new")
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


def test_damaged_state_is_replaced_without_its_decisions(place: StateDir, backup: Path) -> None:
    place.database.write_bytes(b"no database at all" * 1000)

    restored = put_back(place, backup)

    assert restored.taken_over is None
    assert marks(place) == ("old", "old", "old")


def interrupted(place: StateDir, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore that dies as soon as the next one has to end it."""
    with monkeypatch.context() as patched:
        patched.setattr("ops.backup.restore._move", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            put_back(place, backup)


def test_restore_that_ends_an_interrupted_one_still_says_what_was_taken_over(
    place: StateDir, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(place, backup, monkeypatch)

    foreseen = restore(place, backup, over=True, clock=clock, dry_run=True)
    assert place.restoring.exists()
    ended = put_back(place, backup)

    assert foreseen.taken_over == ended.taken_over == TakenOver(erased=(), links=(), rows=0)
    assert marks(place) == ("old", "old", "old")


def test_interrupted_restore_is_not_taken_for_that_of_another_backup(
    tmp_path: Path, place: StateDir, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(place, tmp_path / "tuesday", "0.1", lambda: NOW + 86_400)
    interrupted(place, backup, monkeypatch)

    with pytest.raises(BadRequest, match=r"another backup, as of 2027-01-15 08:00:00 UTC, was interrupted"):
        put_back(place, tmp_path / "tuesday")

    put_back(place, backup)
    assert marks(place) == ("old", "old", "old")


@pytest.mark.parametrize("steps", range(STEPS + 1))
def test_restore_that_dies_anywhere_is_ended_by_the_next_and_no_system_starts_in_between(
    place: StateDir, backup: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    left, rename = [steps], Path.rename

    def dying(path: Path, target: Path) -> Path:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return rename(path, target)

    with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
        patched.setattr(Path, "rename", dying)
        put_back(place, backup)
        assert steps >= STEPS, "the restore takes fewer steps than are tried here"
    if place.restoring.exists():
        with pytest.raises(SettingsError, match=r"A restore into .* was interrupted"), place.hold():
            pytest.fail("a system started on half a restore")
    if steps < STEPS:
        put_back(place, backup, at=lambda: NOW + 60)

    assert marks(place) == ("old", "old", "old")
    [aside] = [path for path in place.root.parent.iterdir() if ".before-" in path.name]
    assert marks(StateDir(aside)) == ("new", "new", "new")
    with place.hold():
        assert not place.restoring.exists()


def test_backup_beside_writers_is_one_moment_of_the_state_and_no_older_lake(tmp_path: Path, place: StateDir) -> None:
    stop = threading.Event()
    objects = FileObjects(place.lake)

    def write() -> None:
        with closing(open_store(f"sqlite://{place.database}", clock)) as store:
            for number in range(100_000):
                if stop.is_set():
                    return
                objects.put(OBJECT, b"%d" % number, expected=Condition.ANYTHING)
                for table in ("links", "activities"):  # the lake first, then the ledgers
                    key = Key(table, "9", "9")
                    present = store.get(key)
                    store.put(key, {"number": number}, expected_version=present.version if present else ABSENT)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not (place.lake / OBJECT).read_bytes().isdigit():
            time.sleep(0.001)
        for number in range(3):
            take(place, tmp_path / f"to{number}", "0.1", clock)
    finally:
        stop.set()
        writer.join()
    for number in range(3):
        folder = tmp_path / f"to{number}"
        with closing(open_store(f"sqlite://{folder}/state.sqlite", clock)) as store:
            numbers = [
                item.fields["number"] if (item := store.get(Key(table, "9", "9"))) else -1
                for table in ("activities", "links")
            ]
        assert numbers[0] <= numbers[1] <= numbers[0] + 1
        assert int((folder / "lake" / OBJECT).read_bytes()) >= numbers[1]
