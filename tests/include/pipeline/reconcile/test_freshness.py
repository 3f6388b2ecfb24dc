"""What `freshness` says after a list, and when it says nothing any more."""

from __future__ import annotations

import math
from datetime import UTC
from typing import Any

import pytest

from include.errors import ObjectConflict, StravaUnavailable
from include.lake import cookbook
from include.lake.rows.freshness import FreshnessRows, Month
from include.pipeline.erasure.coverage import remove_unwanted
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import list_athletes
from include.pipeline.retention.expiry import expire
from include.state.erasures.entry import EraseReason, ErasureGrounds
from include.store.store import Key
from include.strava.client import StravaClient, Unreadable

pytestmark = pytest.mark.network

PARENT_ID = 71
HOUR_S, DAY_S = 3600, 86_400


def synced(world: Any, **values: Any) -> int:
    activity_id: int = world.finish(announce=False, **values)
    sync(world.services, world.item(activity_id), source="webhook")
    return activity_id


def told(world: Any) -> list[tuple[int, int, int, float]]:
    """Month, listed, held and when compared, of all rows."""
    rows = world.sql("SELECT * FROM freshness ORDER BY athlete_id, year, month").to_pylist()
    return [
        (row["month"], row["listed_count"], row["held_count"], row["compared_at"].replace(tzinfo=UTC).timestamp())
        for row in rows
    ]


def ask(world: Any) -> list[tuple[Any, ...]]:
    statement = cookbook.load("freshness").for_duckdb({"athlete_id": str(PARENT_ID)})
    return [tuple(row.values())[1:5] for row in world.sql(statement).to_pylist()]


def test_months_are_told_as_soon_as_a_page_ends_them_at_no_call(world: Any) -> None:
    for hours_ago in (24 * 70, 24 * 35, 24 * 36, 1):
        synced(world, hours_ago=hours_ago)
    world.clock.advance(HOUR_S)
    at = world.clock.now_epoch_s
    before = sum(world.calls().values())
    list_athletes(world.services, world.settings)

    assert sum(world.calls().values()) == before + 2
    months = [Month.of(int(at - days * DAY_S)).month for days in (35, 0)]
    assert told(world) == [(months[0], 2, 2, at), (months[1], 1, 1, at)]


def test_first_month_of_all_is_told_when_the_rotation_has_come_to_the_beginning(world: Any) -> None:
    synced(world)
    world.clock.advance(HOUR_S)
    first = world.clock.now_epoch_s
    for _ in range(3):
        list_athletes(world.services, world.settings)
        world.clock.advance(HOUR_S)

    assert told(world) == [(Month.of(int(first)).month, 1, 1, first)]
    assert ask(world) == [(Month.of(int(first)).month, 1, 1, 1)]


def test_what_strava_lists_and_the_lake_lacks_shows_and_so_does_what_has_come_since(world: Any) -> None:
    synced(world, hours_ago=24 * 70)
    lacking = world.finish(announce=False)
    month = Month.of(int(world.clock.now_epoch_s)).month
    list_athletes(world.services, world.settings)
    assert ask(world)[-1] == (month, 1, 0, 0)

    sync(world.services, world.item(lacking), source="reconcile")
    assert ask(world)[-1] == (month, 1, 0, 1)


def test_month_that_no_list_has_shown_whole_says_so(world: Any) -> None:
    synced(world)
    assert ask(world) == [(Month.of(int(world.clock.now_epoch_s)).month, None, None, 1)]


def test_activity_that_strava_no_longer_lists_is_counted_no_more(world: Any) -> None:
    synced(world, hours_ago=24 * 70)
    gone = synced(world)
    world.clock.advance(HOUR_S)
    list_athletes(world.services, world.settings)
    world.control.delete_activity(gone)
    world.clock.advance(HOUR_S)
    list_athletes(world.services, world.settings)
    month = Month.of(int(world.clock.now_epoch_s)).month

    assert told(world)[-1][:3] == (month, 0, 1)

    sync(world.services, world.item(gone), source="reconcile")
    assert [each for each in ask(world) if each[0] == month] in ([], [(month, 0, 1, 0)])


def test_athlete_without_activities_has_no_rows(world: Any) -> None:
    list_athletes(world.services, world.settings)
    assert (told(world), ask(world)) == ([], [])


def test_row_that_cannot_be_read_keeps_its_page_from_being_counted(world: Any, monkeypatch: Any) -> None:
    for hours_ago in (24 * 70, 1):
        synced(world, hours_ago=hours_ago)
    pages = StravaClient.activities

    def with_an_odd_row(self: StravaClient, athlete_id: int, *, unreadable: Any, **bounds: Any) -> Any:
        unreadable(Unreadable(athlete_id, None, "no id"))
        yield from pages(self, athlete_id, unreadable=unreadable, **bounds)

    monkeypatch.setattr(StravaClient, "activities", with_an_odd_row)
    world.clock.advance(HOUR_S)
    list_athletes(world.services, world.settings)

    assert told(world) == []


def test_listing_that_dies_before_its_end_leaves_true_rows_and_the_next_tells_the_rest(
    world: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("include.strava.client.PER_PAGE", 2)
    for hours_ago in (24 * 72, 24 * 71, 24 * 70, 24 * 36, 24 * 35, 1):
        synced(world, hours_ago=hours_ago)
    finish = world.services.state.listings.finish
    dies = iter((False, True, False, True, True) + (False,) * 9)

    def dying(turn: Any, listing: Any) -> None:
        if next(dies):
            raise StravaUnavailable("the process died")
        finish(turn, listing)

    monkeypatch.setattr(type(world.services.state.listings), "finish", lambda self, turn, listing: dying(turn, listing))
    for _ in range(9):
        world.clock.advance(HOUR_S)
        try:
            list_athletes(world.services, world.settings)
        except StravaUnavailable:
            continue

    assert [each[1:3] for each in told(world)] == [(3, 3), (2, 2), (1, 1)]


def test_row_of_an_older_version_s_rotation_is_gone_on_with(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("include.strava.client.PER_PAGE", 2)
    for hours_ago in (24 * 72, 24 * 71, 24 * 70, 24 * 36, 24 * 35, 1):
        synced(world, hours_ago=hours_ago)
    world.clock.advance(HOUR_S)
    list_athletes(world.services, world.settings)
    store = world.services.state.listings._store
    item = store.get(Key("listings", str(PARENT_ID)))
    fields = {name: value for name, value in item.fields.items() if name != "older_newer_part"}
    store.put(item.key, fields, expected_version=item.version)
    for _ in range(5):
        world.clock.advance(HOUR_S)
        list_athletes(world.services, world.settings)

    assert {each[1:3] for each in told(world)} <= {(3, 3), (2, 2), (1, 1)}


def test_fault_of_the_lake_s_keeps_nothing_else_of_the_listing(world: Any, monkeypatch: Any) -> None:
    def refuse(*_: Any) -> None:
        raise ObjectConflict("others were always first")

    monkeypatch.setattr(FreshnessRows, "note", refuse)
    synced(world, hours_ago=24 * 70)
    world.finish(announce=False)
    found = list_athletes(world.services, world.settings)

    assert (found.athletes, found.lacking, told(world)) == (1, 1, [])


@pytest.fixture
def listed(world: Any) -> Any:
    for hours_ago in (24 * 70, 24 * 35, 1):
        synced(world, hours_ago=hours_ago)
    world.clock.advance(HOUR_S)
    list_athletes(world.services, world.settings)
    assert len(told(world)) == 2
    return world


def test_months_expire_as_long_after_their_list_as_activities_after_their_fetch(listed: Any) -> None:
    services = listed.services
    listed.clock.advance(7 * DAY_S - 1)
    expire(services, PARENT_ID, 7, dry_run=False)
    assert len(told(listed)) == 2

    listed.clock.advance(1)
    expire(services, PARENT_ID, 7, dry_run=True)
    expire(services, PARENT_ID, None, dry_run=False)
    assert len(told(listed)) == 2
    expire(services, PARENT_ID, 7, dry_run=False)
    assert told(listed) == []


def test_counts_go_with_what_the_athlete_gave_up_and_had_removed(listed: Any) -> None:
    listed.connect(PARENT_ID, ("read", "activity:write"), removes=True)
    remove_unwanted(listed.services)

    assert (told(listed), ask(listed)) == ([], [])


def test_listing_beside_an_erasure_leaves_nothing(listed: Any, monkeypatch: Any) -> None:
    note = FreshnessRows.note

    def note_while_erased(self: FreshnessRows, athlete_id: int, months: Any) -> None:
        confirm_erasure(listed)
        self.expire(athlete_id, math.inf)  # what the erasure finds
        note(self, athlete_id, months)

    monkeypatch.setattr(FreshnessRows, "note", note_while_erased)
    listed.clock.advance(HOUR_S)
    list_athletes(listed.services, listed.settings)

    assert told(listed) == []


def test_nothing_is_told_of_an_athlete_who_asked_to_be_erased(listed: Any) -> None:
    before = told(listed)
    listed.services.state.erasures.ask(PARENT_ID, ErasureGrounds(EraseReason.ATHLETE, int(listed.clock.now_epoch_s)))
    listed.clock.advance(HOUR_S)
    list_athletes(listed.services, listed.settings)

    assert told(listed) == before


def confirm_erasure(world: Any) -> None:
    world.services.state.erasures.ask(PARENT_ID, ErasureGrounds(EraseReason.ATHLETE, int(world.clock.now_epoch_s)))
    with world.services.state.erasures.held(PARENT_ID) as lease:
        world.services.state.erasures.advance(lease.confirmed())
