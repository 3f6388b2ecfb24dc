"""What the own page says of copies, and how one is tried again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.copying.eligibility import LASTING_REASONS
from include.copying.reasons import QUOTA_WORDS
from include.queue.sqlite import SqliteQueue
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import NOT_MADE_STATES, CopyLedger, CopyState, Original
from include.state.links import Link, Links, LinkStatus
from local.testbed.manual_clock import ManualClock
from webhook_api.guards.brakes import TRY_EVERY_S

ADA, REX, EVE = 134815, 22, 33
LINK = Link(ADA, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"</?(?:time|bdi)>", "", page)).split())


@pytest.mark.parametrize("hidden", [True, False])
def test_copy_without_its_track_says_so(
    ada: Any, links: Links, copies: CopyLedger, record: Any, hidden: bool, copy: Callable[..., Any]
) -> None:
    links.save(LINK)
    record(1)
    copy(copies, 1, CopyState.DONE, child_activity_id=5, track_hidden=hidden)
    assert ("copied to Rex, without its track, which is too close" in text_of(ada.client.get("/me").text)) is hidden


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        pytest.param(CopyState.DONE, {"child_activity_id": 77}, "copied to Rex View on Strava", id="done"),
        pytest.param(CopyState.DUPLICATE, {}, "already in the account of Rex", id="duplicate"),
        pytest.param(
            CopyState.SKIPPED, {"reason": "Only you can see it."}, "not copied to Rex: Only you", id="skipped"
        ),
        pytest.param(CopyState.FAILED, {"reason": "Strava <b>."}, "failed for Rex: Strava &lt;b&gt;. Try", id="failed"),
        pytest.param(
            CopyState.UNFINISHED, {"reason": "Given up."}, "not finished for Rex: Given up. Try", id="unfinished"
        ),
        pytest.param(
            CopyState.WAITING_FOR_ACCESS,
            {"reason": "Not connected.", "next_try_epoch_s": 2_000_000_000},
            "copy to Rex waits for access: Not connected.",
            id="waiting for access",
        ),
        pytest.param(
            CopyState.PLANNED,
            {"reason": "the call budget is spent.", "next_try_epoch_s": 1_760_000_401},
            "copy to Rex: waiting until 09:00 UTC: the call budget is spent.",
            id="waiting",
        ),
        pytest.param(CopyState.PROCESSING, {"next_try_epoch_s": 1_759_999_999}, "copy to Rex: under way", id="running"),
    ],
)
def test_page_says_what_happened_to_a_copy(
    ada: Any,
    record: Callable[..., None],
    links: Links,
    copies: CopyLedger,
    state: CopyState,
    changes: dict[str, Any],
    words: str,
    *,
    copy: Callable[..., Any],
) -> None:
    links.save(LINK)
    record(1)
    copy(copies, 1, state, **changes)

    page = ada.client.get("/me").text

    assert words in text_of(page)
    assert ("https://www.strava.com/activities/77" in page) is (state is CopyState.DONE)
    assert ("/me/copies/1/22/again" in page) is (state in NOT_MADE_STATES)


@pytest.mark.parametrize(
    ("link", "state", "reason"),
    [
        pytest.param(replace(LINK, status=LinkStatus.ENDED), ActivityState.SYNCED, "No room.", id="ended link"),
        pytest.param(LINK, ActivityState.REMOVED, "No room.", id="activity that is gone"),
        *(pytest.param(LINK, ActivityState.SYNCED, reason, id=reason) for reason in sorted(LASTING_REASONS)),
    ],
)
def test_another_try_is_not_offered_where_it_cannot_help(
    ada: Any,
    record: Callable[..., None],
    links: Links,
    copies: CopyLedger,
    link: Link,
    state: ActivityState,
    reason: str,
    *,
    copy: Callable[..., Any],
) -> None:
    links.save(link)
    record(1, state)
    copy(copies, 1, CopyState.SKIPPED, reason=reason)

    page = ada.client.get("/me").text

    assert f"not copied to Rex: {reason}" in text_of(page)
    assert "Try again" not in page


def test_child_sees_the_copies_in_the_account_and_what_became_of_the_originals(
    ada: Any, rex: Any, record: Callable[..., None], copies: CopyLedger, clock: ManualClock, copy: Callable[..., Any]
) -> None:
    for activity_id, changes in [
        (1, {"original": Original.DELETED}),
        (2, {"original": Original.RENAMED}),
        (3, {}),
    ]:
        clock.now_epoch_s += 60
        record(activity_id)
        copy(copies, activity_id, CopyState.DONE, child_activity_id=70 + activity_id, **changes)
    copy(copies, 4, CopyState.FAILED, reason="Not made.")
    copy(copies, 5, CopyState.DUPLICATE)

    page = rex.client.get("/me").text

    assert re.findall(r"https://www\.strava\.com/activities/(\d+)", page) == ["73", "72", "71"]
    assert "Trail Run, 27 September 2025, 19:06 UTC, from Ada View on Strava" in text_of(page)
    assert page.count("The title of the original no longer names you.") == 1
    assert page.count("The original was deleted or hidden on Strava.") == 1
    assert "Not made." not in page
    assert "Activity, from Ada" in text_of(page), "a duplicate that Strava did not name"
    assert "Copies in your account" not in ada.client.get("/me").text


def test_copy_whose_original_changes_later_comes_first_again(
    rex: Any, copies: CopyLedger, clock: ManualClock, copy: Callable[..., Any]
) -> None:
    for activity_id in range(1, 25):
        clock.now_epoch_s += 60
        copy(copies, activity_id, CopyState.DONE, child_activity_id=100 + activity_id)
    clock.now_epoch_s += 60
    held = copies.acquire(1, REX)
    assert held is not None
    copies.settle(held.marked(Original.RENAMED))

    shown = re.findall(r"https://www\.strava\.com/activities/(\d+)", rex.client.get("/me").text)

    assert (shown[:2], len(shown)) == (["101", "124"], 20)


@pytest.mark.parametrize(
    ("original", "words"),
    [
        (Original.NAMED, "copied to Rex View"),
        (Original.RENAMED, "copied to Rex; the title no longer names Rex, and only Rex can delete the copy View"),
        (Original.DELETED, "copied to Rex; only Rex can delete the copy View"),
    ],
)
def test_parent_sees_what_became_of_the_copy_after_a_change(
    ada: Any,
    record: Callable[..., None],
    links: Links,
    copies: CopyLedger,
    original: Original,
    words: str,
    copy: Callable[..., Any],
) -> None:
    links.save(LINK)
    record(1)
    copy(copies, 1, CopyState.DONE, child_activity_id=77, original=original)

    assert words in text_of(ada.client.get("/me").text)


def test_waiting_for_the_limit_is_said_in_so_many_words(
    ada: Any, record: Callable[..., None], links: Links, copies: CopyLedger, copy: Callable[..., Any]
) -> None:
    links.save(LINK)
    waiting = {"reason": QUOTA_WORDS, "next_try_epoch_s": 1_760_000_401}
    record(1, ActivityState.PENDING, **waiting)
    copy(copies, 1, CopyState.PLANNED, **waiting)

    page = text_of(ada.client.get("/me").text)

    assert page.count("waiting for Strava&#39;s limit until 09:00 UTC") == 2


def test_failed_copy_is_tried_again_once_however_often_it_is_asked_for(
    ada: Any,
    record: Callable[..., None],
    links: Links,
    copies: CopyLedger,
    queue: SqliteQueue,
    copy: Callable[..., Any],
    clock: ManualClock,
) -> None:
    links.save(LINK)
    record(1)
    copy(copies, 1, CopyState.FAILED, reason="Strava gave no reason.", next_try_epoch_s=None)
    clock.now_epoch_s += TRY_EVERY_S

    for _ in range(2):
        assert "copy to Rex: under way" in text_of(ada.post(f"/me/copies/1/{REX}/again").text)

    (message,) = queue.receive(9, visibility_s=60)
    event = json.loads(message.body)
    assert (event["object_type"], event["object_id"], event["owner_id"]) == ("activity", 1, ADA)
    assert [due.state for due in copies.due(2e9)] == [CopyState.PLANNED]


def test_copy_is_tried_once_in_a_minute_and_the_page_says_when_again(
    ada: Any,
    record: Callable[..., None],
    copies: CopyLedger,
    queue: SqliteQueue,
    copy: Callable[..., Any],
    clock: ManualClock,
) -> None:
    record(1)
    copy(copies, 1, CopyState.FAILED, reason="Strava gave no reason.", next_try_epoch_s=None)
    clock.now_epoch_s += TRY_EVERY_S - 1

    refused = ada.post(f"/me/copies/1/{REX}/again")

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert "tried a moment ago" in refused.text
    assert "Try again in a minute." in refused.text
    assert queue.depth() == 0


def test_finished_copy_is_not_made_again(
    ada: Any, record: Callable[..., None], copies: CopyLedger, queue: SqliteQueue, copy: Callable[..., Any]
) -> None:
    copy(copies, 1, CopyState.DONE)

    assert ada.post(f"/me/copies/1/{REX}/again").status_code == 200
    assert ada.post(f"/me/copies/2/{REX}/again").status_code == 404
    assert queue.depth() == 0


def test_copy_of_others_is_not_tried_again(
    rex: Any, copies: CopyLedger, queue: SqliteQueue, copy: Callable[..., Any]
) -> None:
    copy(copies, 1, CopyState.FAILED)

    assert rex.post(f"/me/copies/1/{REX}/again").status_code == 404
    assert queue.depth() == 0
