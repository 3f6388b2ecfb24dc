"""Replay over the lake of the version before: every row becomes what it would be, had the present version loaded it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from include.lake.query import query
from include.lake.schemas import SORT_KEYS, TABLES
from include.pipeline.ingest.sync import SyncItem, sync
from include.pipeline.replay import plan, replay
from include.pipeline.retention.audit import athlete_ids
from include.state.activities.ledger import ActivityState, LedgerEntry
from local.demo.row_truth import row_differences
from local.strava_simulator.world.activity import SimulatedActivity

pytestmark = pytest.mark.network

HAS_ROWS = (ActivityState.SYNCED, ActivityState.NO_STREAMS)
RENAMED_SINCE = {"plain": "Lunch ride", "copied_to_rex": "Morning run with Rex"}
"""Activities that were given another title after that version had fetched them, and the one they had."""
OF_THE_FETCH = {"activities": {"updated_at"}}
"""Columns that a fresh load fills otherwise: when Strava was asked."""


def entries(installation) -> list[LedgerEntry]:
    """What the ledger says has rows, of everybody but Ute, whose erasure is under way."""
    ledger = installation.services.state.activities
    known = (entry for athlete_id in athlete_ids(installation.services) for entry in ledger.of_athlete(athlete_id))
    return [entry for entry in known if entry.state in HAS_ROWS and entry.athlete_id != installation.athletes["ute"]]


def replay_all(installation) -> None:
    services = installation.services
    done = [replay(services, chunk) for athlete_id in athlete_ids(services) for chunk in plan(services, athlete_id)]
    assert sum(each.activities for each in done) > 5
    assert not any(each.unreadable for each in done)


def rows_of(installation, table: str) -> list[dict[str, Any]]:
    order = ", ".join(SORT_KEYS[table])
    rows = query(f"SELECT * FROM {table} ORDER BY {order}", installation.settings.lake_url).to_pylist()  # noqa: S608 - own names
    return [row for row in rows if row.get("athlete_id") != installation.athletes["ute"]]


def answers(installation) -> dict[int, tuple[bytes, bytes | None]]:
    """What the raw zone has of each activity, as it came."""
    raw = installation.services.lake.raw
    found = {}
    for entry in entries(installation):
        detail, streams = (read(entry.athlete_id, entry.activity_id) for read in (raw.detail, raw.streams))
        found[entry.activity_id] = (detail.body, streams.body if streams else None)
    return found


def load_into_an_empty_lake(installation) -> None:
    """Lose the lake and the ledger of activities, and fetch each anew as an event of it would have it fetched."""
    services, known = installation.services, entries(installation)
    for name, title in RENAMED_SINCE.items():
        installation.control.rename(installation.activities[name], title)
    for table in (*TABLES, "raw"):
        shutil.rmtree(installation.place.lake / table, ignore_errors=True)
    for entry in known:
        assert services.state.activities.forget(entry.athlete_id, entry.activity_id)
    services.lake.copy_rows.repair([athlete.athlete_id for athlete in services.state.athletes.all()])
    for entry in known:
        item = SyncItem(entry.athlete_id, entry.activity_id, int(installation.system.clock()))
        assert sync(services, item, source="webhook").state == entry.state


def differences(table: str, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[str]:
    for old, new in zip(before, after, strict=True):
        for column in new.keys() - OF_THE_FETCH.get(table, set()):
            if old[column] != new[column]:
                yield f"{column}: {old[column]!r}, freshly loaded {new[column]!r}"


@pytest.fixture
def replayed_and_loaded(installation) -> Mapping[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """The rows of each table, as replay left them and as a fresh load of the same answers makes them."""
    replay_all(installation)
    replayed, answered = {table: rows_of(installation, table) for table in TABLES}, answers(installation)
    load_into_an_empty_lake(installation)
    assert answers(installation) == answered
    return {table: (rows, rows_of(installation, table)) for table, rows in replayed.items()}


def test_replay_makes_every_row_as_a_fresh_load_would(replayed_and_loaded):
    for table, (replayed, loaded) in replayed_and_loaded.items():
        assert list(differences(table, replayed, loaded)) == [], table
    assert {table: len(loaded) for table, (_, loaded) in replayed_and_loaded.items()} == {
        "streams": 2476,
        "activities": 14,
        "laps": 14,
        "copies": 9,
        "freshness": 0,  # which only lists fill, that this version asks for
    }
    assert any(row["is_copy"] for row in replayed_and_loaded["activities"][0])


def test_raw_zone_makes_the_same_points_again(installation):
    before = rows_of(installation, "streams")

    replay_all(installation)

    assert rows_of(installation, "streams") == before


def test_replay_makes_every_row_say_what_strava_shows(installation):
    replay_all(installation)

    stored = {row["activity_id"]: row for row in rows_of(installation, "activities")}
    renamed = {installation.activities[name] for name in RENAMED_SINCE}
    for entry in entries(installation):
        answer = installation.control.activity(entry.activity_id)
        truth = SimulatedActivity(answer["detail"], answer["streams"])
        name = (truth.detail["external_id"] or "").split("-")
        parent = int(name[1]) if name[0] == "sdi" else None  # as the file was named, whatever the ledger knows by now
        found = list(row_differences(truth, stored[entry.activity_id], parent))
        assert found == [] or entry.activity_id in renamed
