"""Small systems whose data carries a mark."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition
from include.store.backend import open_store
from include.store.store import ABSENT, Key
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.state_dir import StateDir

NOW = 1_800_000_000.0
ROW = Key("links", "1", "2")
OBJECT = "activities/athlete_id=1/year=2026/month=06.parquet"


def clock() -> float:
    return NOW


def made(root: Path, mark: str) -> StateDir:
    """A system that has run, all of whose data carries the mark."""
    place = StateDir(root)
    with place.hold():
        (place.root / "strava").write_text("simulated Strava\n")
        (place.root / "simulator.sqlite").write_text("goes on")
        GeneratedSecrets.of(place)
        place.keep_private("token.key", {"key": mark})
        with closing(open_store(f"sqlite://{place.database}", clock)) as store:
            store.put(ROW, {"parent_id": 1, "child_id": 2, "mark": mark}, expected_version=ABSENT)
        FileObjects(place.lake).put(OBJECT, mark.encode(), expected=Condition.ANYTHING)
        (place.airflow / "airflow.db").write_text(mark)
    return place


def marks(place: StateDir) -> tuple[str, str, str]:
    """The marks of state, keys and lake."""
    with closing(open_store(f"sqlite://{place.database}", clock)) as store:
        item = store.get(ROW)
    assert item is not None
    return item.fields["mark"], place.kept("token.key")["key"], (place.lake / OBJECT).read_text()
