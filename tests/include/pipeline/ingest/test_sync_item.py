"""What passes through XCom before and after a sync."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.pipeline.ingest.sync_item import Synced, SyncItem
from include.state.activities.ledger import ActivityState, LedgerEntry

MIDNIGHT = 1_781_654_400  # 2026-06-17T00:00:00Z
ENTRY = replace(
    LedgerEntry.unknown(71, 5),
    state=ActivityState.SYNCED,
    sport_type="Run",
    start_at_epoch_s=MIDNIGHT,
    points=60,
    reason="its own",
)


@pytest.mark.parametrize(
    "item", [SyncItem(71, 5, 9), SyncItem(71, 5, 9, copies_only=True), SyncItem(71, 5, 9, is_announced=True)]
)
def test_item_passes_unchanged(item: SyncItem) -> None:
    assert SyncItem.from_json(item.to_json()) == item


def test_item_of_an_older_version_asks_for_a_fetch_and_announces_nothing() -> None:
    written = {"athlete_id": 71, "activity_id": 5, "event_at_epoch_s": 9}
    assert SyncItem.from_json(written) == SyncItem(71, 5, 9, copies_only=False, is_announced=False)


@pytest.mark.parametrize(
    ("start_at_epoch_s", "start_date"), [(MIDNIGHT, "2026-06-17"), (MIDNIGHT - 1, "2026-06-16"), (0, "1970-01-01")]
)
def test_result_says_what_the_entry_says_with_the_day_in_utc(start_at_epoch_s: int, start_date: str) -> None:
    entry = replace(ENTRY, start_at_epoch_s=start_at_epoch_s)
    assert Synced.of(entry) == Synced(71, 5, "synced", "Run", start_date, 60, "its own")


@pytest.mark.parametrize(("given", "told"), [("", "its own"), ("an outage", "an outage")])
def test_result_gives_the_entrys_reason_unless_there_is_a_nearer_one(given: str, told: str) -> None:
    assert Synced.of(ENTRY, given).to_json() == {
        "athlete_id": 71,
        "activity_id": 5,
        "state": "synced",
        "points": 60,
        "reason": told,
    }


@pytest.mark.parametrize(
    ("entry", "label"),
    [
        pytest.param(ENTRY, "5 · Run · 2026-06-17", id="synced"),
        pytest.param(ENTRY.removed(1.0, "gone"), "5 · Run · 2026-06-17 · removed", id="removed"),
        pytest.param(LedgerEntry.unknown(71, 5), "5 · pending", id="nothing known yet"),
    ],
)
def test_label_shows_what_is_known_and_a_state_that_is_not_the_usual_one(entry: LedgerEntry, label: str) -> None:
    assert Synced.of(entry).label == label
