"""The certificate's link: nobody guesses it, it outlives the athlete, and it names nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from include.state.erasures.certificates import Certificates
from include.state.erasures.ledger import Erasures
from include.store.sqlite import SqliteStore
from include.store.store import Key
from local.testbed.manual_clock import ManualClock

ADA = 134815
DOCUMENT = {
    "athlete_id": ADA,
    "reason": "athlete",
    "began_at": "2026-11-30T04:00:00+00:00",
    "finished_at": "2026-11-30T04:01:00+00:00",
    "removed": {"streams_rows": 3600},
    "last_traces": {
        "logs": {"gone_by": "2026-12-30T04:01:00+00:00", "because": "Logs, which hold ids and times."},
        "audit": {"gone_by": None, "because": "Until an operator cleans them."},
    },
    "stays": ["The activities in the athlete's own Strava account."],
}


@pytest.fixture
def erasures(store: SqliteStore, clock: Callable[[], float]) -> Erasures:
    return Erasures(store, clock)


@pytest.fixture
def certificates(store: SqliteStore, clock: Callable[[], float]) -> Certificates:
    return Certificates(store, clock)


@pytest.fixture
def link(new_browser: Callable[[], Any]) -> str:
    """What the page gave to an athlete who asked for the erasure, without the host."""
    browser = new_browser()
    browser.connect(ADA, "Ada")
    page = browser.walk(browser.post("/me/erase", page="/me/erase", confirm="erase"), ADA, "Ada", "read").text
    match = re.search(r'href="https://ingest\.example\.org(/certificate/[^"]+)"', page)
    assert match is not None
    return match[1]


def test_link_is_given_when_the_athlete_asks_and_says_that_it_is_under_way(client: FlaskClient, link: str) -> None:
    answer = client.get(link)

    assert answer.status_code == 200
    assert "<h1>Your data is being erased</h1>" in answer.text
    assert len(link.rpartition("/")[2]) >= 32


def test_link_shows_what_is_final_when_the_athlete_is_gone(
    client: FlaskClient,
    link: str,
    store: SqliteStore,
    erasures: Erasures,
    certificates: Certificates,
    clock: ManualClock,
) -> None:
    erasure = erasures.get(ADA)
    assert erasure is not None
    certificates.finish(erasure, json.dumps(DOCUMENT))
    for table in ("athletes", "erasures"):
        item = store.get(Key(table, str(ADA)))
        assert item is not None
        store.delete(item.key, expected_version=item.version)
    clock.now_epoch_s += 10 * 365 * 86_400

    page = client.get(link).text

    assert "<h1>Certificate of erasure</h1>" in page
    for words in (
        "What is final",
        "recorded points: 3,600",
        "30 November 2026, 04:01 UTC",
        "Gone by",
        "30 December 2026",
        "134815",
    ):
        assert words in page
    assert "Ada" not in page.partition("<main>")[2].partition("</main>")[0].replace("Ada Example", "")


def test_page_is_kept_out_of_search_engines_and_caches(client: FlaskClient, link: str) -> None:
    answer = client.get(link)

    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_withdrawn_request_is_called_so(client: FlaskClient, link: str, erasures: Erasures) -> None:
    erasures.withdraw(ADA)

    assert "<h1>Nothing was erased</h1>" in client.get(link).text


def test_request_says_that_nothing_was_left_when_it_ends_without_a_certificate(
    client: FlaskClient, link: str, erasures: Erasures, clock: ManualClock
) -> None:
    with erasures.held(ADA) as lease:
        assert lease is not None
        erasures.settle(lease.finished(int(clock())))

    assert "There was nothing left to erase." in client.get(link).text


@pytest.mark.parametrize("link_id", ["x", "134815", "A" * 64, "%00", "%ff%fe", "-"])
def test_link_that_nobody_was_given_leads_nowhere(client: FlaskClient, link: str, link_id: str) -> None:
    assert client.get(f"/certificate/{link_id}").status_code == 404


def test_two_requests_have_two_links_and_one_request_has_one(
    erasures: Erasures, certificates: Certificates, link: str, clock: ManualClock
) -> None:
    from include.state.erasures.ledger import EraseReason

    first = erasures.get(ADA)
    joined = erasures.ask_now(ADA, EraseReason.ATHLETE)
    erasures.withdraw(ADA)
    clock.now_epoch_s += 1
    again = erasures.ask_now(ADA, EraseReason.ATHLETE)

    assert first is not None
    assert first.link_id == joined.link_id
    assert again.link_id not in ("", first.link_id)
