"""What the own page says of activities."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from include.state.activities.ledger import ActivityState

ADA, REX, EVE = 134815, 22, 33


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"</?(?:time|bdi)>", "", page)).split())


def test_page_asks_to_connect_again_when_strava_refuses_the_tokens(ada: Any, athletes: Any) -> None:
    from include.state.accounts.athletes import AthleteStatus

    athletes.mark(ADA, AthleteStatus.NEEDS_REAUTH)

    assert "Connect again" in ada.client.get("/me").text


@pytest.mark.parametrize("state", ActivityState)
def test_page_has_words_for_every_state_of_an_activity(
    ada: Any, record: Callable[..., None], state: ActivityState
) -> None:
    record(1, state)

    words = re.findall(r'<p class="outcome"><span>(.*?)</span> <a', ada.client.get("/me").text)
    assert len(words) == 1
    assert (words[0] == "under way") is (state is ActivityState.PENDING)


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        pytest.param(
            ActivityState.SYNCED, {}, "Trail Run, 27 September 2025, 19:06 UTC stored View on Strava", id="stored"
        ),
        pytest.param(ActivityState.SYNCED, {"sport_type": "", "start_at_epoch_s": None}, "Activity stored", id="bare"),
        pytest.param(ActivityState.REMOVED, {}, "no longer visible on Strava", id="removed"),
        pytest.param(
            ActivityState.PENDING,
            {"reason": "the call budget is spent", "next_try_epoch_s": 1_760_000_401},
            "waiting until 09:00 UTC: the call budget is spent",
            id="waiting",
        ),
    ],
)
def test_page_says_what_happened_to_an_activity(
    ada: Any, record: Callable[..., None], state: ActivityState, changes: dict[str, Any], words: str
) -> None:
    record(1, state, **changes)

    assert words in text_of(ada.client.get("/me").text)


def test_page_shows_the_twenty_latest_activities_newest_first(ada: Any, record: Callable[..., None]) -> None:
    for activity_id in range(1, 23):
        record(activity_id)

    page = ada.client.get("/me").text

    shown = [int(found) for found in re.findall(r"https://www\.strava\.com/activities/(\d+)", page)]
    assert shown == list(range(22, 2, -1))


def test_activity_that_waits_for_its_first_look_comes_first(ada: Any, record: Callable[..., None]) -> None:
    record(1, ActivityState.PENDING, sport_type="", start_at_epoch_s=None)
    record(2)
    record(3, ActivityState.REMOVED, sport_type="", start_at_epoch_s=None)

    shown = re.findall(r"https://www\.strava\.com/activities/(\d+)", ada.client.get("/me").text)

    assert shown == ["1", "2", "3"]
