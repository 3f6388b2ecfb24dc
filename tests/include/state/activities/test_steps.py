"""What each step leaves of an entry with a value in every field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from include.state.activities.entry import STREAM_LOOKS, LedgerEntry
from include.state.activities.observation import Observation
from include.state.activities.states import ActivityState
from include.store.codec import decode
from include.strava.models import ActivityId, AthleteId
from tests.include.state.activities.whole_entry import OLD

S = ActivityState
SEEN = Observation(1_700_000_000.5, "Ride", 1_699_990_000, "new")
NEW = LedgerEntry(
    athlete_id=AthleteId(42),
    activity_id=ActivityId(7),
    state=S.PENDING,
    sport_type="Ride",
    start_at_epoch_s=1_699_990_000,
    fingerprint="new",
    object_keys=(),
    points=0,
    reason="",
    rounds=0,
    fetched_at_epoch_s=1_700_000_000.5,
    queued=0,
)
"""What an observation alone leaves."""

FETCH_DONE: dict[str, Any] = {"next_try_epoch_s": None, "asked": None, "queued": 0}
NOTHING_DUE: dict[str, Any] = {**FETCH_DONE, "copies_due": None}


def test_synced_entry_is_as_observed() -> None:
    assert OLD.synced(SEEN, 5) == replace(NEW, state=S.SYNCED, points=5)


@pytest.mark.parametrize(
    ("fingerprint", "looks", "wait_s"),
    [pytest.param("new", 1, 900, id="another recording"), pytest.param("old", 4, 7200, id="the same")],
)
def test_entry_without_streams_is_as_observed_and_looked_at_again_while_they_may_come(
    fingerprint: str, looks: int, wait_s: int
) -> None:
    seen = replace(SEEN, fingerprint=fingerprint)
    without = replace(
        NEW, state=S.NO_STREAMS, fingerprint=fingerprint, reason="Strava has no streams for it", rounds=looks
    )

    assert OLD.without_streams(seen, may_come=False) == without
    assert OLD.without_streams(seen, may_come=True) == replace(without, next_try_epoch_s=1_700_000_000 + wait_s)


@pytest.mark.parametrize(("before", "is_due"), [(STREAM_LOOKS - 2, True), (STREAM_LOOKS - 1, False)])
def test_last_look_for_streams_is_followed_by_none(before: int, is_due: bool) -> None:
    entry = replace(OLD, rounds=before).without_streams(replace(SEEN, fingerprint="old"), may_come=True)

    assert (entry.next_try_epoch_s is not None) is is_due


def test_streams_that_were_there_before_are_looked_for_from_the_beginning() -> None:
    synced = replace(OLD, state=S.SYNCED)

    assert synced.without_streams(replace(SEEN, fingerprint="old"), may_come=True).rounds == 1


def test_removed_entry_keeps_nothing_but_what_it_was_and_why_it_went() -> None:
    assert OLD.removed(1_700_000_000.5, "Strava no longer shows it") == replace(
        NEW,
        state=S.REMOVED,
        sport_type="Run",
        start_at_epoch_s=1_600_000_000,
        fingerprint="",
        reason="Strava no longer shows it",
    )


@pytest.mark.parametrize(
    ("stored", "state", "oldest_epoch_s"),
    [
        pytest.param({}, S.SYNCED, 1_640_000_000.5, id="older answer"),
        pytest.param({"oldest_answer_epoch_s": None}, S.SYNCED, 1_650_000_000.5, id="one answer"),
        pytest.param({"points": 0}, S.NO_STREAMS, 1_640_000_000.5, id="no points"),
        pytest.param({"points": 1}, S.SYNCED, 1_640_000_000.5, id="one point"),
    ],
)
def test_answer_that_proves_nothing_leaves_what_is_stored_with_its_age(
    stored: dict[str, Any], state: ActivityState, oldest_epoch_s: float
) -> None:
    entry = replace(OLD, **stored)

    assert entry.unproved(fetched_at_epoch_s=1_700_000_000.5) == replace(
        entry,
        state=state,
        reason="",
        rounds=0,
        round_at_epoch_s=None,
        fetched_at_epoch_s=1_700_000_000.5,
        oldest_answer_epoch_s=oldest_epoch_s,
        **FETCH_DONE,
    )


def test_quarantined_entry_keeps_its_rows_and_the_copies_that_are_due() -> None:
    quarantined = replace(
        OLD, state=S.QUARANTINED, reason="odd", fetched_at_epoch_s=1_700_000_000.5, asked=None, queued=0
    )

    looked_at_again = OLD.quarantined("odd", fetched_at_epoch_s=1_700_000_000.5, look_again_at_epoch_s=1_700_086_400)
    assert looked_at_again == replace(quarantined, next_try_epoch_s=1_700_086_400)
    left = OLD.quarantined("odd", fetched_at_epoch_s=1_700_000_000.5)
    assert left == replace(quarantined, next_try_epoch_s=None)


@pytest.mark.parametrize(
    ("state", "fetched_at_epoch_s"),
    [
        pytest.param(S.SYNCED, 1_650_000_000.5, id="synced"),
        pytest.param(S.REMOVED, 1_650_000_000.5, id="removed"),
        pytest.param(S.EXPIRED, None, id="expired, which would expire again"),
    ],
)
def test_waiting_entry_keeps_what_is_stored_and_the_copies_that_are_due(
    state: ActivityState, fetched_at_epoch_s: float | None
) -> None:
    entry = replace(OLD, state=state)

    assert entry.waiting("Strava is out", next_try_epoch_s=1_700_000_900) == replace(
        entry,
        state=S.PENDING,
        reason="Strava is out",
        fetched_at_epoch_s=fetched_at_epoch_s,
        next_try_epoch_s=1_700_000_900,
        asked=None,
        queued=0,
    )


@pytest.mark.parametrize(
    ("object_keys", "oldest_epoch_s"),
    [pytest.param(("a.parquet",), 1_640_000_000.5, id="with rows"), pytest.param((), None, id="without")],
)
def test_listed_entry_keeps_its_rows_and_all_work_that_was_due(
    object_keys: tuple[str, ...], oldest_epoch_s: float | None
) -> None:
    entry = replace(OLD, object_keys=object_keys)

    assert entry.listed(SEEN) == replace(
        NEW,
        fingerprint="",
        object_keys=object_keys,
        points=9,
        reason="listed by a backfill, not loaded",
        oldest_answer_epoch_s=oldest_epoch_s,
        lost_at_epoch_s=1_649_000_000,
        next_try_epoch_s=1_650_003_600,
        asked=OLD.asked,
        copies_due=OLD.copies_due,
    )


def test_expired_entry_keeps_the_keys_of_the_rows_that_are_still_to_be_removed() -> None:
    assert OLD.expired() == replace(
        OLD,
        state=S.EXPIRED,
        fingerprint="",
        points=0,
        reason="kept as long as the settings allow, then deleted here",
        oldest_answer_epoch_s=None,
        **NOTHING_DUE,
    )


# --- the start in a row --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "start", "rank"),
    [
        pytest.param(S.PENDING, None, 253_370_764_800, id="not fetched yet"),
        pytest.param(S.REMOVED, None, -62_135_596_800, id="never fetched"),
        pytest.param(S.PENDING, 5, 5, id="known"),
        pytest.param(S.REMOVED, 0, 0, id="1970"),
    ],
)
def test_row_holds_a_start_for_the_index_that_every_version_reads_alike(
    state: ActivityState, start: int | None, rank: int
) -> None:
    entry = replace(OLD, state=state, start_at_epoch_s=start)

    fields = entry.to_fields()

    assert fields["start_at_epoch_s"] == rank
    assert decode(LedgerEntry, fields) == entry
