"""The page asks first, queues the wish where it waits behind nothing, and says truthfully what goes and what stays."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from include.errors import RetryLater
from include.queue.content import EraseAthlete, LookAgain, grounds_of, to_body
from include.queue.content import parse as parse_content
from include.queue.sqlite import SqliteQueue
from include.state.accounts.athletes import Athletes, AthleteStatus
from include.state.accounts.notices import Notice, NoticeKind, Notices
from include.state.erasures.entry import NEXT_TRY_S
from include.state.erasures.ledger import EraseReason, Erasure, ErasureGrounds, Erasures
from include.store.sqlite import SqliteStore
from include.store.store import Store
from include.trigger.trigger import Started
from local.testbed.manual_clock import ManualClock
from webhook_api.dispatcher import ERASE_DAG, dispatch
from webhook_api.session import COOKIE

ADA = 134815
WISH = Erasure.first(ADA, ErasureGrounds(EraseReason.ATHLETE, 1_760_000_000), 1_760_000_000)
NewBrowser = Callable[[], Any]


class Airflow:
    """Remembers the runs that were started, in their order."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, Mapping[str, Any]]] = []

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        assert len(run_id) <= 36
        self.runs.append((dag_id, conf))
        return Started.NOW


def erase(browser: Any) -> Any:
    """Tick the box, press the button and let Strava say who it is."""
    return browser.walk(browser.post("/me/erase", page="/me/erase", confirm="erase"), ADA, "Ada", "read")


@pytest.fixture
def ada(new_browser: NewBrowser) -> Any:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    return browser


def test_page_is_reached_from_the_athletes_own_and_says_what_goes_and_what_stays(ada: Any) -> None:
    assert 'href="/me/erase"' in ada.client.get("/me").text

    page = ada.client.get("/me/erase").text

    assert "What goes" in page
    assert "Strava gives us no way to delete an activity" in page
    assert "disconnect</a> instead" in page


def test_nothing_is_queued_before_the_box_is_ticked(ada: Any, queue: SqliteQueue) -> None:
    answer = ada.post("/me/erase", page="/me/erase")

    assert (answer.status_code, "Nothing was erased" in answer.text) == (400, True)
    assert queue.depth() == 0
    assert ada.client.get("/me").status_code == 200


def test_wish_is_queued_and_the_browser_signed_out(
    ada: Any, queue: SqliteQueue, athletes: Athletes, clock: ManualClock
) -> None:
    page = erase(ada)

    assert "Your data is being erased" in page.text
    (message,) = queue.receive(10, visibility_s=1)
    assert grounds_of(parse_content(message.body)) == ErasureGrounds(EraseReason.ATHLETE, int(clock()))
    assert ada.client.get_cookie(f"__Host-{COOKIE}") is None
    athlete = athletes.get(ADA)
    assert athlete is not None
    assert athlete.status is AthleteStatus.ACTIVE


def test_wish_starts_its_run_before_everything_else(
    ada: Any, queue: SqliteQueue, store: Store, clock: ManualClock
) -> None:
    queue.send(to_body(LookAgain(ADA, 1, clock())))
    erase(ada)
    airflow = Airflow()

    dispatch(queue, airflow, store, clock)

    assert airflow.runs[0] == (ERASE_DAG, {"athlete": ADA, "reason": "athlete", "asked_at_epoch_s": int(clock())})
    assert [dag_id for dag_id, _ in airflow.runs] == [ERASE_DAG, "strava_ingest"]
    assert queue.depth() == 0


def test_form_of_another_page_erases_nothing(ada: Any, queue: SqliteQueue) -> None:
    answer = ada.client.post("/me/erase", data={"confirm": "erase", "csrf": "guessed"})

    assert answer.status_code == 403
    assert queue.depth() == 0


def test_stranger_is_sent_to_the_start_page(client: Any, queue: SqliteQueue) -> None:
    assert client.get("/me/erase").location == "/"


@pytest.mark.usefixtures("connected")
def test_webhook_cannot_speak_for_an_athlete(
    client: Any, queue: SqliteQueue, settings: Any, event: dict[str, Any]
) -> None:
    grounds = json.loads(to_body(EraseAthlete(WISH.athlete_id, WISH.grounds, 1_760_000_000)))
    forged = {**grounds, "subscription_id": event["subscription_id"]}

    assert client.post(f"/webhook/{settings.webhook_path_secret}", json=forged).status_code == 200

    (message,) = queue.receive(10, visibility_s=1)
    assert grounds_of(parse_content(message.body)) is None


def test_wish_stands_in_our_own_state_before_the_page_answers(
    ada: Any, store: SqliteStore, queue: SqliteQueue, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_reach(self: SqliteQueue, body: str) -> None:
        raise RetryLater("the queue is out of reach")

    monkeypatch.setattr(SqliteQueue, "send", out_of_reach)

    assert erase(ada).status_code == 503

    clock.now_epoch_s += NEXT_TRY_S
    (due,) = Erasures(store, clock).due()
    assert (due.athlete_id, due.grounds.reason) == (ADA, EraseReason.ATHLETE)
    assert Erasures(store, clock).forbid_writing(ADA)


def test_athlete_cannot_connect_while_the_erasure_is_under_way_and_can_afterwards(
    ada: Any, store: SqliteStore, athletes: Athletes, clock: ManualClock
) -> None:
    erasures = Erasures(store, clock)
    erasures.ask_now(ADA, EraseReason.ATHLETE)
    lease = erasures.acquire(ADA)
    assert lease is not None
    lease = erasures.advance(lease.confirmed())
    athletes.mark(ADA, AthleteStatus.REVOKED)

    refused = ada.connect(ADA, "Ada")
    athletes.forget(ADA)
    erasures.settle(lease.finished(int(clock())))

    assert (refused.status_code, "still being erased" in refused.text) == (409, True)
    assert ada.connect(ADA, "Ada").status_code == 200
    assert not erasures.forbid_writing(ADA)


def test_athlete_who_connects_before_the_erasure_began_reads_that_the_wish_is_taken_back(
    ada: Any, store: SqliteStore, clock: ManualClock
) -> None:
    erase(ada)
    clock.now_epoch_s += 60

    ada.connect(ADA, "Ada")

    assert "Your request is withdrawn, and nothing was erased" in " ".join(ada.client.get("/me").text.split())
    assert not Erasures(store, clock).forbid_writing(ADA)


def test_session_of_before_the_erasure_is_none_after_connecting_again(
    new_browser: NewBrowser, ada: Any, athletes: Athletes, clock: ManualClock
) -> None:
    athletes.mark(ADA, AthleteStatus.REVOKED)
    athletes.forget(ADA)
    clock.now_epoch_s += 60

    new_browser().connect(ADA, "Ada")

    assert ada.client.get("/me").location == "/"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        pytest.param(NoticeKind.CHILD_ERASED, "A child linked with you had everything erased here", id="child"),
        pytest.param(NoticeKind.PARENT_ERASED, "A parent linked with you had everything erased here", id="parent"),
    ],
)
def test_other_side_reads_why_a_link_has_ended(
    ada: Any, store: SqliteStore, clock: ManualClock, kind: NoticeKind, words: str
) -> None:
    Notices(store, clock).save(Notice(ADA, "one", kind, 1_760_000_000))

    assert words in ada.client.get("/me").text
    clock.now_epoch_s += 31 * 86_400
    ada.connect(ADA, "Ada")
    assert words not in ada.client.get("/me").text
