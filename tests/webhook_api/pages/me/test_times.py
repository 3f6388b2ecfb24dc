"""Times are shown in the zone of the reader's latest activity, and the page says which that is."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from include.state.activities.ledger import ActivityLedger
from include.state.listings import Listings
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock
from webhook_api.pages.times import first_day_text

ADA = 134815
SUMMER, WINTER = 1_750_161_600, 1_760_000_000 + 60 * 86_400  # 2025-06-17 12:00 UTC; a day in December


def note_zone(store: SqliteStore, clock: ManualClock, zone: str) -> None:
    listings = Listings(store, clock)
    turn = listings.take(ADA, 0)
    assert turn is not None
    listings.finish(turn, replace(turn.listing, zone=zone))


def page_with(ada: Any, store: SqliteStore, clock: ManualClock, began: int) -> str:
    ledger = ActivityLedger(store, clock)
    ledger.make_due(ADA, 1, asked_at_epoch_s=int(clock()))
    with ledger.held(ADA, 1) as lease:
        assert lease is not None
        assert lease.entry is not None
        ledger.settle(lease, replace(lease.entry, start_at_epoch_s=began))
    return re.sub(r"<[^>]+>", "", ada.client.get("/me").text)


@pytest.mark.parametrize(
    ("zone", "began", "shown"),
    [
        pytest.param("Europe/Berlin", SUMMER, "17 June 2025, 14:00 CEST", id="summer"),
        pytest.param("Europe/Berlin", WINTER, "CET", id="winter"),
        pytest.param("America/Sao_Paulo", SUMMER, "17 June 2025, 09:00 UTC-03", id="zone without a name"),
        pytest.param("", SUMMER, "17 June 2025, 12:00 UTC", id="unknown"),
        pytest.param("No/Where", SUMMER, "17 June 2025, 12:00 UTC", id="none of this system's"),
        pytest.param("../../etc/passwd", SUMMER, "17 June 2025, 12:00 UTC", id="hostile"),
    ],
)
def test_time_is_shown_in_the_zone_of_the_latest_activity(
    ada: Any, store: SqliteStore, clock: ManualClock, zone: str, began: int, shown: str
) -> None:
    note_zone(store, clock, zone)

    assert shown in page_with(ada, store, clock, began)


def test_page_says_which_zone_it_uses(ada: Any, store: SqliteStore, clock: ManualClock) -> None:
    assert "Times are in UTC, because none of your activities" in page_with(ada, store, clock, SUMMER)

    note_zone(store, clock, "America/Sao_Paulo")
    assert "Times are in the zone of your latest activity: America/Sao Paulo." in page_with(ada, store, clock, SUMMER)


def test_visitor_reads_utc(app: Flask) -> None:
    from webhook_api.pages.times import start_text

    with app.test_request_context("/"):
        assert start_text(SUMMER) == "17 June 2025, 12:00 UTC"
        assert start_text(None) == ""


def test_first_day_of_a_link_is_the_same_day_for_everybody(ada: Any, store: SqliteStore, clock: ManualClock) -> None:
    note_zone(store, clock, "America/Sao_Paulo")

    assert first_day_text(1_750_118_400) == "17 June 2025"
