"""What an upload of unknown outcome made in the child's account, as far as Strava and the ledger can tell."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import create_autospec

import pytest

from include.copying.outcome import Outcome, OutcomeState
from include.errors import Gone, QuotaSpent, ScopeMissing
from include.pipeline.copying.child_account import ChildAccount
from include.state.activities.ledger import LedgerEntry
from include.state.copies.ledger import Copy, CopyState, external_id
from include.strava.client import StravaClient
from include.strava.models import Activity

PARENT_ID, CHILD_ID, ORIGINAL, OTHER_ORIGINAL, FOUND = 71, 72, 101, 102, 901
START_EPOCH_S, DAY_S = 1_781_000_000, 86_400
NAME = external_id(ORIGINAL, CHILD_ID)
REASON = "duplicate of activity 901"


@pytest.fixture
def client(offline, monkeypatch):
    """Strava, which shows what a test tells it to."""
    client = create_autospec(StravaClient, instance=True)
    for name in ("activity", "activities"):
        monkeypatch.setattr(offline.strava.client, name, getattr(client, name))
    return client


def sent(*, times=1, activity_id=ORIGINAL, **values):
    """A copy whose file was sent, and whose outcome is not known."""
    return Copy(
        activity_id,
        CHILD_ID,
        PARENT_ID,
        CopyState.UPLOADING,
        external_id=external_id(activity_id, CHILD_ID),
        attempts=times,
        **{"activity_start_epoch_s": START_EPOCH_S, **values},
    )


def shown(activity_id, name):
    """A row of the child's list, or a detail, with the file's external id."""
    start = "2026-06-09T10:13:20Z"
    return Activity.parse({"id": activity_id, "athlete": {"id": CHILD_ID}, "start_date": start, "external_id": name})


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        pytest.param(NAME, True, id="its name"),
        pytest.param(f"{NAME}.gpx.gz", True, id="its name with the file type"),
        pytest.param(f"{NAME}1.gpx", False, id="a longer name"),
        pytest.param(external_id(OTHER_ORIGINAL, CHILD_ID), False, id="another copy's name"),
        pytest.param(None, False, id="no name"),
    ],
)
def test_copy_is_found_by_the_name_of_its_file_on_whatever_page(offline, client, name, is_it):
    client.activities.return_value = iter([[shown(1, None), shown(2, "watch.fit")], [shown(FOUND, name)]])

    assert ChildAccount(offline, sent()).find() == (FOUND if is_it else None)


def test_search_reads_no_page_after_the_one_that_shows_the_copy(offline, client):
    def pages():
        yield [shown(FOUND, NAME)]
        pytest.fail("the copy was found")

    client.activities.return_value = pages()

    assert ChildAccount(offline, sent()).find() == FOUND


def test_search_covers_a_day_before_and_after_the_start_of_the_original(offline, client):
    client.activities.return_value = iter([])

    assert ChildAccount(offline, sent()).find() is None
    client.activities.assert_called_once_with(
        CHILD_ID, after_epoch_s=START_EPOCH_S - DAY_S, before_epoch_s=START_EPOCH_S + DAY_S
    )


def test_search_for_a_copy_of_an_older_version_is_around_the_start_that_the_ledger_knows(offline, client):
    client.activities.return_value = iter([])
    lease = offline.state.activities.acquire(PARENT_ID, ORIGINAL)
    entry = replace(LedgerEntry.unknown(PARENT_ID, ORIGINAL), start_at_epoch_s=START_EPOCH_S + 7)
    offline.state.activities.settle(lease, entry)

    for copy in (sent(activity_start_epoch_s=None), sent()):
        ChildAccount(offline, copy).find()

    starts = [call.kwargs["after_epoch_s"] + DAY_S for call in client.activities.call_args_list]
    assert starts == [START_EPOCH_S + 7, START_EPOCH_S], "the copy's own start comes first where it has one"


def duplicate(activity_id=FOUND):
    return Outcome(OutcomeState.DUPLICATE, activity_id, REASON)


def test_copy_is_made_by_an_upload_that_is_ready(offline, client):
    copy = sent()

    assert ChildAccount(offline, copy).decided(Outcome(OutcomeState.READY, FOUND)) == copy.made(FOUND)


def test_copy_fails_with_strava_s_reason_when_the_file_is_refused(offline, client):
    copy = sent()

    decided = ChildAccount(offline, copy).decided(Outcome(OutcomeState.FAILED, reason="The file is empty."))

    assert decided == copy.failed("The file is empty.")


@pytest.mark.parametrize("named", [FOUND, None])
def test_duplicate_of_the_first_sending_is_the_child_s_own_recording_without_a_call(offline, client, named):
    copy = sent()

    assert ChildAccount(offline, copy).decided(duplicate(named)) == copy.duplicated(named, REASON)
    client.activity.assert_not_called()


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize(
    ("name", "is_it"), [pytest.param(f"{NAME}.gpx", True, id="ours"), pytest.param("watch.fit", False, id="their own")]
)
def test_duplicate_of_a_later_sending_is_the_copy_itself_when_it_has_the_file_s_name(
    offline, client, times, name, is_it
):
    client.activity.return_value = shown(FOUND, name)
    copy = sent(times=times)

    decided = ChildAccount(offline, copy).decided(duplicate())

    assert decided == (copy.made(FOUND) if is_it else copy.duplicated(FOUND, REASON))
    client.activity.assert_called_once_with(CHILD_ID, FOUND)


def test_duplicate_that_strava_does_not_name_is_asked_for_nowhere(offline, client):
    copy = sent(times=2)

    assert ChildAccount(offline, copy).decided(duplicate(None)) == copy.duplicated(None, REASON)
    client.activity.assert_not_called()


def test_duplicate_that_is_gone_by_now_is_not_the_copy(offline, client):
    client.activity.side_effect = Gone("404")
    copy = sent(times=2)

    assert ChildAccount(offline, copy).decided(duplicate()) == copy.duplicated(FOUND, REASON)


def test_duplicate_counts_as_the_copy_when_the_child_s_activities_may_not_be_read(offline, client):
    client.activity.side_effect = ScopeMissing("not granted", scope="activity:read")
    copy = sent(times=2)

    assert ChildAccount(offline, copy).decided(duplicate()) == copy.made(FOUND)


@pytest.mark.parametrize("times", [1, 2])
def test_duplicate_of_another_activity_s_copy_is_a_failure_of_this_one(offline, client, times):
    client.activity.side_effect = ScopeMissing("not granted", scope="activity:read")
    offline.state.copies.plan(replace(sent(activity_id=OTHER_ORIGINAL), child_activity_id=FOUND))
    copy = sent(times=times)

    assert ChildAccount(offline, copy).decided(duplicate()) == copy.failed(REASON)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({"activity_id": ORIGINAL, "child_activity_id": FOUND}, id="this copy"),
        pytest.param({"activity_id": OTHER_ORIGINAL, "child_activity_id": FOUND + 1}, id="another activity"),
    ],
)
def test_duplicate_of_what_no_other_copy_made_is_the_child_s_own_recording(offline, client, known):
    offline.state.copies.plan(sent(**known))
    copy = sent()

    assert ChildAccount(offline, copy).decided(duplicate()) == copy.duplicated(FOUND, REASON)


def test_outcome_stays_open_when_strava_cannot_be_asked(offline, client):
    client.activity.side_effect = QuotaSpent("spent", until_epoch_s=1)

    with pytest.raises(QuotaSpent):
        ChildAccount(offline, sent(times=2)).decided(duplicate())
