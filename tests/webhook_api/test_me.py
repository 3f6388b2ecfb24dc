"""What an athlete sees and does on the own page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.copying.eligibility import ineligible_reason
from include.queue.sqlite import SqliteQueue
from include.state.activities import ActivityLedger, ActivityState, LedgerEntry
from include.state.copies import Copy, CopyLedger, CopyState, external_id
from include.state.links import Carried, Link, Links, LinkStatus
from include.state.sqlite import SqliteStore
from include.strava.models import ActivityId, AthleteId

ADA, REX, EVE = 134815, 22, 33
NewBrowser = Callable[[], Any]
LINK = Link(ADA, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)


@pytest.fixture
def ada(new_browser: NewBrowser) -> Any:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    return browser


@pytest.fixture
def rex(new_browser: NewBrowser) -> Any:
    browser = new_browser()
    browser.connect(REX, "Rex", "read,activity:write")
    return browser


@pytest.fixture
def links(store: SqliteStore) -> Links:
    return Links(store)


@pytest.fixture
def copies(store: SqliteStore, now: Any) -> CopyLedger:
    return CopyLedger(store, now)


@pytest.fixture
def record(store: SqliteStore, now: Any) -> Callable[..., None]:
    """Put an activity of Ada's into the ledger."""
    ledger = ActivityLedger(store, now)

    def record(activity_id: int, state: ActivityState = ActivityState.SYNCED, **changes: Any) -> None:
        lease = ledger.acquire(ADA, activity_id)
        assert lease is not None
        entry = LedgerEntry(AthleteId(ADA), ActivityId(activity_id), state, "TrailRun", 1_759_000_000 + activity_id)
        assert ledger.settle(lease, replace(entry, **changes))

    return record


def copy(copies: CopyLedger, activity_id: int, state: CopyState, **changes: Any) -> None:
    """Bring a copy of the activity to Rex into a state."""
    copies.plan(
        Copy(activity_id, REX, ADA, CopyState.PLANNED, external_id=external_id(activity_id, REX), matched="Rex")
    )
    claimed = copies.claim(activity_id, REX)
    assert claimed is not None
    copies.release(copies.advance(claimed, state=state, **changes))


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_page_is_empty_but_complete_when_nothing_has_happened(ada: Any) -> None:
    page = ada.client.get("/me").text

    assert "Hello, Ada" in page
    assert "There are none yet." in page
    assert "Nobody copies activities to your account." in page
    assert "None yet. They appear here" in page
    assert 'href="/">Change what you allow' in page


@pytest.mark.parametrize(
    ("scope", "metres"),
    [pytest.param("activity:read", 0, id="cropped by Strava"), pytest.param("activity:read,activity:read_all", 200)],
)
def test_full_tracks_are_trimmed_unless_the_parent_chooses_otherwise(
    new_browser: NewBrowser, scope: str, metres: int
) -> None:
    browser = new_browser()

    assert f'name="trim_m" value="{metres}"' in browser.connect(ADA, "Ada", scope).text


def test_page_asks_to_connect_again_when_strava_refuses_the_tokens(ada: Any, athletes: Any) -> None:
    from include.state.athletes import AthleteStatus

    athletes.mark(ADA, AthleteStatus.NEEDS_REAUTH)

    assert "Connect again" in ada.client.get("/me").text


def test_paused_link_makes_no_copies_until_it_is_resumed(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)
    anything: Any = None

    assert "paused, nothing is copied" in ada.post(f"/me/children/{REX}/pause").text
    paused = links.get(ADA, REX)
    assert paused is not None
    assert ineligible_reason(anything, None, paused, is_copy=True) == "The link to this child is paused."
    assert "Has paused the link" in rex.client.get("/me").text

    assert "copies are made" in ada.post(f"/me/children/{REX}/resume").text
    resumed = links.get(ADA, REX)
    assert resumed is not None
    assert replace(resumed, version=0) == LINK


def test_parent_changes_names_and_options(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)

    ada.post(f"/me/children/{REX}", names="Rexi\nRex", trim_m="150", power="1")

    link = links.get(ADA, REX)
    assert link is not None
    assert (link.names, link.carried) == (("Rexi", "Rex"), Carried(False, True, False, 150, allow_private=False))
    assert link.parent_consent_epoch_s == 1
    assert ada.post(f"/me/children/{REX}", names="", trim_m="0").status_code == 400


def test_removed_child_disappears_and_cannot_be_resumed(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)

    assert "There are none yet." in ada.post(f"/me/children/{REX}/remove").text

    assert ada.post(f"/me/children/{REX}/resume").status_code == 404
    assert "Nobody copies activities" in rex.client.get("/me").text


def test_child_ends_the_link_and_the_parent_cannot_take_it_up_again(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)

    for _ in range(2):
        assert "Nobody copies activities" in rex.post(f"/me/parents/{ADA}/end").text

    link = links.get(ADA, REX)
    assert link is not None
    assert link.status is LinkStatus.ENDED
    for step in ("confirm", "resume", "pause"):
        assert ada.post(f"/me/children/{REX}/{step}").status_code == 404


def test_parent_cannot_give_the_childs_consent(ada: Any, links: Links) -> None:
    links.save(replace(LINK, parent_consent_epoch_s=None, child_consent_epoch_s=None))

    ada.post(f"/me/children/{REX}/confirm")

    link = links.get(ADA, REX)
    assert link is not None
    assert (link.parent_consent_epoch_s, link.child_consent_epoch_s) == (None, None)


def test_nobody_touches_a_link_of_others(new_browser: NewBrowser, links: Links) -> None:
    links.save(LINK)
    eve = new_browser()
    eve.connect(EVE, "Eve")

    addresses = [
        f"/me/children/{REX}/remove",
        f"/me/children/{ADA}/remove",
        f"/me/parents/{ADA}/end",
        f"/me/parents/{REX}/end",
    ]
    assert [eve.post(address).status_code for address in addresses] == [404] * 4
    assert eve.post(f"/me/children/{REX}", names="Eve", trim_m="0").status_code == 404
    assert links.get(ADA, REX) == replace(LINK, version=1)


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        pytest.param(CopyState.DONE, {"child_activity_id": 77}, "copied to Rex – View on Strava", id="done"),
        pytest.param(CopyState.DUPLICATE, {}, "was already in the account of Rex", id="duplicate"),
        pytest.param(
            CopyState.SKIPPED, {"reason": "Only you can see it."}, "not copied to Rex: Only you", id="skipped"
        ),
        pytest.param(CopyState.FAILED, {"reason": "Strava <b>."}, "failed for Rex: Strava &lt;b&gt;. Try", id="failed"),
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
    ada: Any, record: Callable[..., None], copies: CopyLedger, state: CopyState, changes: dict[str, Any], words: str
) -> None:
    record(1)
    copy(copies, 1, state, **changes)

    page = ada.client.get("/me").text

    assert words in text_of(page)
    assert ("https://www.strava.com/activities/77" in page) is (state is CopyState.DONE)
    assert ("/me/copies/1/22/again" in page) is (state is CopyState.FAILED)


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        pytest.param(ActivityState.SYNCED, {}, "Trail Run, 2025-09-27 1: stored – View on Strava", id="stored"),
        pytest.param(
            ActivityState.SYNCED, {"sport_type": "", "start_at_epoch_s": None}, "Activity 1: stored", id="bare"
        ),
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


def test_failed_copy_is_tried_again_once_however_often_it_is_asked_for(
    ada: Any, record: Callable[..., None], copies: CopyLedger, queue: SqliteQueue
) -> None:
    record(1)
    copy(copies, 1, CopyState.FAILED, reason="Strava gave no reason.", next_try_epoch_s=None)

    for _ in range(2):
        assert "copy to Rex: under way" in text_of(ada.post(f"/me/copies/1/{REX}/again").text)

    (message,) = queue.receive(9, visibility_s=60)
    event = json.loads(message.body)
    assert (event["object_type"], event["object_id"], event["owner_id"]) == ("activity", 1, ADA)
    assert [due.state for due in copies.due(2e9)] == [CopyState.PLANNED]


def test_finished_copy_is_not_made_again(
    ada: Any, record: Callable[..., None], copies: CopyLedger, queue: SqliteQueue
) -> None:
    copy(copies, 1, CopyState.DONE)

    assert ada.post(f"/me/copies/1/{REX}/again").status_code == 200
    assert ada.post(f"/me/copies/2/{REX}/again").status_code == 404
    assert queue.depth() == 0


def test_copy_of_others_is_not_tried_again(rex: Any, copies: CopyLedger, queue: SqliteQueue) -> None:
    copy(copies, 1, CopyState.FAILED)

    assert rex.post(f"/me/copies/1/{REX}/again").status_code == 404
    assert queue.depth() == 0


def test_page_is_readable_by_everyone(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)
    for path in ("/me", "/me/disconnect"):
        page = ada.client.get(path).text
        visible = re.findall(r'<input type="(?!hidden)', page)
        assert len(visible) == page.count("<label")
        assert page.count("<h1>") == 1
        assert re.findall(r"<script| style=| on\w+=", page) == []
