"""What an athlete sees and does on the own page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.copying.eligibility import LASTING_REASONS, ineligible_reason
from include.copying.reasons import QUOTA_WORDS
from include.copying.waking import wake_for_links
from include.queue.sqlite import SqliteQueue
from include.state.activities.ledger import ActivityLedger, ActivityState, LedgerEntry
from include.state.copies.ledger import NOT_MADE_STATES, Copy, CopyLedger, CopyState, Original, external_id
from include.state.links import SETTLED_S, CopyOptions, Link, Links, LinkStatus
from include.store.sqlite import SqliteStore
from include.strava.models import ActivityId, AthleteId
from include.strava.quota import Limits

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
def links(store: SqliteStore, now: Any) -> Links:
    return Links(store, now)


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
        assert not ledger.settle(lease, replace(entry, **changes))

    return record


def copy(copies: CopyLedger, activity_id: int, state: CopyState, **changes: Any) -> None:
    """Bring a copy of the activity to Rex into a state."""
    copies.plan(
        Copy(activity_id, REX, ADA, CopyState.PLANNED, external_id=external_id(activity_id, REX), matched="Rex")
    )
    held = copies.acquire(activity_id, REX)
    assert held is not None
    copies.settle(replace(held, state=state, **changes))


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"</?time>", "", page)).split())


def test_page_is_empty_but_complete_when_nothing_has_happened(ada: Any) -> None:
    page = ada.client.get("/me").text

    assert "Hello, Ada" in page
    assert "There are none yet." in page
    assert "Nobody copies activities to your account." in page
    assert "None yet. They appear here" in page
    assert 'href="/">Change what you allow' in page


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        pytest.param("activity:read", "Empty: nothing more than what Strava hides", id="cropped by Strava"),
        pytest.param("activity:read,activity:read_all", "Empty: 200 m, since you allow full tracks", id="full tracks"),
    ],
)
def test_form_leaves_to_the_grant_what_is_hidden_and_says_what_that_is_and_what_is_not(
    new_browser: NewBrowser, scope: str, words: str
) -> None:
    browser = new_browser()

    browser.connect(ADA, "Ada", scope)
    page = browser.client.get("/me/invites/new").text
    assert re.search(r'name="trim_m"[^>]* value=""', page)
    assert words in page
    assert "Not hidden: when the copy begins and ends, heart rate" in page


@pytest.mark.parametrize(
    ("entered", "trim_m", "words"),
    [
        pytest.param("", None, "All sports", id="nothing"),
        pytest.param("0", 0, "; the whole track", id="the whole track"),
        pytest.param("70", 70, "; nothing within 70 m of where it began or ended", id="a length"),
    ],
)
def test_parent_chooses_what_is_hidden_or_leaves_it_to_the_grant(
    ada: Any, links: Links, entered: str, trim_m: int | None, words: str
) -> None:
    links.save(LINK)
    page = ada.post(f"/me/children/{REX}", names="Rex", title="{title}", trim_m=entered).text
    link = links.get(ADA, REX)
    assert link is not None
    assert link.options.trim_m == trim_m
    assert words in text_of(page)
    assert re.search(rf'name="trim_m"[^>]* value="{entered}"', ada.client.get(f"/me/children/{REX}").text)


@pytest.mark.parametrize("hidden", [True, False])
def test_copy_without_its_track_says_so(ada: Any, links: Links, copies: CopyLedger, record: Any, hidden: bool) -> None:
    links.save(LINK)
    record(1)
    copy(copies, 1, CopyState.DONE, child_activity_id=5, track_hidden=hidden)
    assert ("copied to Rex, without its track, which lies too near" in text_of(ada.client.get("/me").text)) is hidden


def test_page_asks_to_connect_again_when_strava_refuses_the_tokens(ada: Any, athletes: Any) -> None:
    from include.state.accounts.athletes import AthleteStatus

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
    assert links.get(ADA, REX) == LINK


def test_parent_changes_names_and_options(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)

    chosen = {
        "names": "Rexi\nRex",
        "trim_m": "150",
        "power": "1",
        "title": "{sport} of {parent}",
        "start": "2026-06-01",
    }
    page = ada.post(f"/me/children/{REX}", **chosen, sports="TrailRun").text

    link = links.get(ADA, REX)
    assert link is not None
    options = CopyOptions(False, True, False, 150, title="{sport} of {parent}", link_back=False, sports=("TrailRun",))
    assert (link.names, link.options, link.starts_at_epoch_s) == (("Rexi", "Rex"), options, 1_780_272_000)
    assert link.parent_consent_epoch_s == 1
    assert "Trail Run from 2026-06-01 on; with power; nothing within 150 m of where it began or ended" in text_of(page)
    assert "titled “{sport} of {parent}”." in page


def test_form_comes_back_with_what_was_entered_and_what_is_wrong(ada: Any, links: Links) -> None:
    links.save(LINK)

    answer = ada.post(f"/me/children/{REX}", names="Rex", trim_m="far", title="{child} & co", start="2026-06-01")

    assert answer.status_code == 400
    assert "{child}, which stands for nothing" in answer.text
    assert 'value="{child} &amp; co"' in answer.text
    assert 'value="far"' in answer.text
    assert 'value="2026-06-01"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    stored = links.get(ADA, REX)
    assert stored is not None
    assert (stored, stored.version) == (LINK, 1)


def test_form_shows_what_the_link_carries(ada: Any, links: Links) -> None:
    links.save(
        replace(LINK, options=CopyOptions(power=False, trim_m=70, sports=("Run",)), starts_at_epoch_s=1_780_272_005)
    )

    page = ada.client.get(f"/me/children/{REX}").text

    assert re.search(r'name="start"[^>]* value="2026-06-01"', page)
    ticked = set(re.findall(r'name="(\w+)" value="(\w+)" checked', page))
    assert ticked == {("heartrate", "1"), ("temperature", "1"), ("link_back", "1"), ("sports", "Run")}
    assert ada.client.get(f"/me/children/{EVE}").status_code == 404


def test_copies_that_waited_for_access_are_due_when_the_child_connects(
    new_browser: Any, copies: CopyLedger, now: Any
) -> None:
    copy(copies, 1, CopyState.WAITING_FOR_ACCESS, reason="Not connected.", next_try_epoch_s=2_000_000_000)

    new_browser().connect(REX, "Rex", "read,activity:write")

    assert [due.parent_activity_id for due in copies.due(now.epoch_s)] == [1]


def test_resumed_link_makes_what_it_skipped_meanwhile(ada: Any, links: Links, copies: CopyLedger, now: Any) -> None:
    links.save(LINK)
    ada.post(f"/me/children/{REX}/pause")
    copy(copies, 1, CopyState.SKIPPED, reason="The link to this child is paused.")

    ada.post(f"/me/children/{REX}/resume")

    now.epoch_s += SETTLED_S
    assert wake_for_links(copies, links, Limits(), now.epoch_s) == 1
    assert [(due.parent_activity_id, due.state) for due in copies.due(now.epoch_s)] == [(1, CopyState.PLANNED)]


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
    stored = links.get(ADA, REX)
    assert stored is not None
    assert (stored, stored.version) == (LINK, 1)


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
) -> None:
    links.save(link)
    record(1, state)
    copy(copies, 1, CopyState.SKIPPED, reason=reason)

    page = ada.client.get("/me").text

    assert f"not copied to Rex: {reason}" in page
    assert "Try again" not in page


@pytest.mark.parametrize("state", ActivityState)
def test_page_has_words_for_every_state_of_an_activity(
    ada: Any, record: Callable[..., None], state: ActivityState
) -> None:
    record(1, state)

    words = re.findall(r'<p class="outcome">(.*?) – <a', ada.client.get("/me").text)
    assert len(words) == 1
    assert (words[0] == "under way") is (state is ActivityState.PENDING)


def test_child_sees_the_copies_in_the_account_and_what_became_of_the_originals(
    ada: Any, rex: Any, record: Callable[..., None], copies: CopyLedger, now: Any
) -> None:
    for activity_id, changes in [
        (1, {"original": Original.DELETED}),
        (2, {"original": Original.RENAMED}),
        (3, {}),
    ]:
        now.epoch_s += 60
        record(activity_id)
        copy(copies, activity_id, CopyState.DONE, child_activity_id=70 + activity_id, **changes)
    copy(copies, 4, CopyState.FAILED, reason="Not made.")
    copy(copies, 5, CopyState.DUPLICATE)

    page = rex.client.get("/me").text

    assert re.findall(r"https://www\.strava\.com/activities/(\d+)", page) == ["73", "72", "71"]
    assert "Trail Run, 2025-09-27 19:06 UTC, from Ada – View on Strava" in text_of(page)
    assert page.count("The title of the original no longer names you.") == 1
    assert page.count("The original was deleted on Strava, or hidden.") == 1
    assert "Not made." not in page
    assert "Activity, from Ada" in text_of(page), "a duplicate that Strava did not name"
    assert "Copies in your account" not in ada.client.get("/me").text


def test_copy_whose_original_changes_later_comes_first_again(rex: Any, copies: CopyLedger, now: Any) -> None:
    for activity_id in range(1, 25):
        now.epoch_s += 60
        copy(copies, activity_id, CopyState.DONE, child_activity_id=100 + activity_id)
    now.epoch_s += 60
    held = copies.acquire(1, REX)
    assert held is not None
    copies.settle(held.marked(Original.RENAMED))

    shown = re.findall(r"https://www\.strava\.com/activities/(\d+)", rex.client.get("/me").text)

    assert (shown[:2], len(shown)) == (["101", "124"], 20)


@pytest.mark.parametrize(
    ("original", "words"),
    [
        (Original.NAMED, "copied to Rex – View"),
        (Original.RENAMED, "copied to Rex; the title no longer names Rex, who alone can delete the copy – View"),
        (Original.DELETED, "copied to Rex; only Rex can delete the copy – View"),
    ],
)
def test_parent_sees_what_became_of_the_copy_after_a_change(
    ada: Any, record: Callable[..., None], links: Links, copies: CopyLedger, original: Original, words: str
) -> None:
    links.save(LINK)
    record(1)
    copy(copies, 1, CopyState.DONE, child_activity_id=77, original=original)

    assert words in text_of(ada.client.get("/me").text)


def test_waiting_for_the_limit_is_said_in_so_many_words(
    ada: Any, record: Callable[..., None], copies: CopyLedger
) -> None:
    waiting = {"reason": QUOTA_WORDS, "next_try_epoch_s": 1_760_000_401}
    record(1, ActivityState.PENDING, **waiting)
    copy(copies, 1, CopyState.PLANNED, **waiting)

    page = text_of(ada.client.get("/me").text)

    assert page.count("waiting for Strava&#39;s limit until 09:00 UTC") == 2


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        pytest.param(ActivityState.SYNCED, {}, "Trail Run, 2025-09-27 19:06 UTC stored – View on Strava", id="stored"),
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
    for path in ("/me", "/me/disconnect", "/me/invites/new", f"/me/children/{REX}"):
        page = ada.client.get(path).text
        fields = re.findall(r'<input (?!type="hidden")', page)
        assert len(fields) == page.count("<label")
        assert set(re.findall(r'label for="(\w+)"', page)) == set(re.findall(r'<input id="(\w+)"', page))
        ids = re.findall(r' id="([\w-]+)"', page)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'aria-(?:labelledby|describedby)="([\w-]+)', page)) <= set(ids)
        assert page.count("<h1>") == 1
        assert re.findall(r"<script| style=| on\w+=", page) == []
