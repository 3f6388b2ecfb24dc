"""The services of a process: what the settings say, on one clock."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.errors import QuotaSpent
from include.lake.objects.objects import Condition
from include.pipeline.ingest.sync import sync
from include.pipeline.services import open_services
from include.settings import Settings
from include.state.partitions import Partition
from include.strava.client import Priority
from include.strava.quota import DAY_S, Bucket
from local.testbed.manual_clock import ManualClock
from local.testbed.settings import NO_STRAVA, settings_in

NOW = 1_780_000_000.0


@pytest.fixture
def alone(tmp_path: Path) -> Settings:
    """Settings of an installation for which nothing answers."""
    return settings_in(tmp_path, NO_STRAVA)


def test_services_tell_the_time_of_the_one_clock_and_wait_as_they_are_told(alone: Settings) -> None:
    clock, waited_s = ManualClock(NOW), list[float]()
    with open_services(alone, clock=clock, wait=waited_s.append) as services:
        services.wait(3.0)
        services.lake.partitions.note(Partition("streams", 71, 2026))
        services.state.events.record("e", athlete_id=71, object_id=5, outcome="planned")
        assert services.lake.crawls.take("tables", DAY_S, is_asked_for=False)
        clock.advance(DAY_S - 1)
        assert not services.lake.crawls.take("tables", DAY_S, is_asked_for=False)
        clock.advance(1)
        assert services.lake.crawls.take("tables", DAY_S, is_asked_for=False)

        assert (services.clock(), waited_s) == (NOW + DAY_S, [3.0])
        assert services.state.events.get("e").received_at_epoch_s == NOW  # type: ignore[union-attr]
        assert all(each.is_settled(NOW + DAY_S) for each in services.lake.partitions.waiting())


def test_services_of_a_process_tell_the_real_time(alone: Settings) -> None:
    with open_services(alone) as services:
        assert (services.clock, services.wait) == (time.time, time.sleep)


def test_object_that_is_written_is_noted_for_the_catalogue(alone: Settings) -> None:
    with open_services(alone, clock=ManualClock(NOW)) as services:
        key = "streams/athlete_id=71/year=2026/2026-06.parquet"
        services.lake.objects.put(key, b"x", expected=Condition.ABSENT)
        assert [each.partition for each in services.lake.partitions.waiting()] == [Partition("streams", 71, 2026)]


def test_dead_letters_are_kept_as_long_as_the_setting_says(alone: Settings) -> None:
    clock = ManualClock(NOW)
    with open_services(replace(alone, messages_keep_days="3"), clock=clock) as services:
        services.queue.send("{}")
        [message] = services.queue.receive(1, visibility_s=9)
        services.queue.bury(message, "no JSON")
        clock.advance(3 * DAY_S - 1)
        services.queue.receive(1, visibility_s=9)
        assert len(services.queue.dead()) == 1
        clock.advance(1)
        services.queue.receive(1, visibility_s=9)
        assert len(services.queue.dead()) == 0


@pytest.mark.network
@pytest.mark.parametrize(("priority", "may_call"), [(Priority.LIVE, True), (Priority.BACKFILL, False)])
def test_calls_are_made_at_the_priority_of_the_process(world, priority, may_call):
    for _ in range(95):
        world.services.state.quota.reserve(Bucket.READ, Priority.LIVE)
    with open_services(world.settings, priority=priority, clock=world.clock) as services:
        if may_call:
            assert services.strava.client.athlete(71).athlete_id == 71
        else:
            with pytest.raises(QuotaSpent):
                services.strava.client.athlete(71)


@pytest.mark.network
@pytest.mark.parametrize(("encodings", "is_small"), [("safe", False), ("all", True)])
def test_tables_are_written_in_the_encodings_of_the_settings(world, encodings, is_small, tmp_path):
    settings = replace(world.settings, lake_encodings=encodings)
    with open_services(settings, clock=world.clock) as services:
        sync(services, world.item(world.finish()), source="webhook")
    [path] = (tmp_path / "lake").glob("streams/*/*/*.parquet")
    columns = pq.read_metadata(path).row_group(0)
    used = {encoding for at in range(columns.num_columns) for encoding in columns.column(at).encodings}
    assert ("BYTE_STREAM_SPLIT" in used) is is_small


@pytest.mark.network
def test_token_that_has_run_out_is_renewed_with_the_services_own_connection(world):
    world.clock.advance(DAY_S)
    with open_services(world.settings, clock=world.clock) as services:
        assert services.strava.client.athlete(71).athlete_id == 71
    assert world.calls()["POST /oauth/token"] == 2
