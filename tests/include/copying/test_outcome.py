"""What Strava's answers about an upload mean."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.copying.outcome import Outcome, OutcomeState, poll_delays_s, read_outcome
from include.strava.models import ActivityId, Upload, UploadId

FAULT = "There was an error processing your activity."


def upload(status: str = FAULT, error: str | None = None, activity_id: int | None = None) -> Upload:
    return Upload(UploadId(5), status, error, ActivityId(activity_id) if activity_id else None)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(
            upload("Your activity is still being processed."), Outcome(OutcomeState.PROCESSING), id="processing"
        ),
        pytest.param(
            upload("Your activity is ready.", activity_id=77), Outcome(OutcomeState.READY, ActivityId(77)), id="ready"
        ),
        pytest.param(
            upload(error="x.gpx duplicate of activity 14296882"),
            Outcome(OutcomeState.DUPLICATE, ActivityId(14296882), "x.gpx duplicate of activity 14296882"),
            id="duplicate",
        ),
        pytest.param(
            upload(error="X.fit duplicate of <a href='/activities/18106372042' target='_blank'>Cycle 5</a>"),
            Outcome(OutcomeState.DUPLICATE, ActivityId(18106372042), "X.fit duplicate of Cycle 5"),
            id="duplicate in HTML",
        ),
        pytest.param(
            upload(error="X.fit duplicate of &lt;a href=&#39;/activities/18&#39;&gt;activity 5&lt;/a&gt;"),
            Outcome(OutcomeState.DUPLICATE, ActivityId(18), "X.fit duplicate of activity 5"),
            id="duplicate in escaped HTML",
        ),
        pytest.param(
            upload(error='X duplicate of <a href="https://www.strava.com/activities/18">\nRide</a>'),
            Outcome(OutcomeState.DUPLICATE, ActivityId(18), "X duplicate of Ride"),
            id="duplicate with a whole address",
        ),
        pytest.param(
            upload(error="x.gpx duplicate of another one"),
            Outcome(OutcomeState.DUPLICATE, None, "x.gpx duplicate of another one"),
            id="duplicate without an id",
        ),
        pytest.param(
            upload(error=f"x.gpx duplicate of activity {'9' * 40}"),
            Outcome(OutcomeState.DUPLICATE, None, f"x.gpx duplicate of activity {'9' * 40}"),
            id="duplicate with an impossible id",
        ),
        pytest.param(
            upload(error="Time information is missing from file."),
            Outcome(OutcomeState.FAILED, reason="Time information is missing from file."),
            id="no times",
        ),
        pytest.param(
            upload("The created activity has been deleted."),
            Outcome(OutcomeState.FAILED, reason="The created activity has been deleted."),
            id="deleted",
        ),
        pytest.param(upload(), Outcome(OutcomeState.PROCESSING), id="error without a text"),
        pytest.param(upload(""), Outcome(OutcomeState.PROCESSING), id="nothing at all"),
        pytest.param(upload("Your activity is ready."), Outcome(OutcomeState.PROCESSING), id="ready without an id"),
        pytest.param(upload("Wird verarbeitet"), Outcome(OutcomeState.PROCESSING), id="text not used before"),
        pytest.param(
            upload(error="<b>See</b> <a href='/activities/18'>this</a> &amp; that"),
            Outcome(OutcomeState.FAILED, reason="See this & that"),
            id="an activity's address alone is no duplicate",
        ),
        pytest.param(
            upload("Your activity is ready.", error="broken", activity_id=77),
            Outcome(OutcomeState.FAILED, reason="broken"),
            id="an error outweighs",
        ),
    ],
)
def test_outcome_is_read_from_strava_s_words(answer: Upload, expected: Outcome) -> None:
    assert read_outcome(answer) == expected


@given(text=st.text(max_size=2000))
def test_outcome_keeps_an_unknown_text_short_and_on_one_line(text: str) -> None:
    outcome = read_outcome(upload(error="Unknown: " + text))
    assert outcome.state in {OutcomeState.FAILED, OutcomeState.DUPLICATE}
    assert outcome.reason.startswith("Unknown:")
    assert len(outcome.reason) <= 300
    assert outcome.reason.splitlines() == [outcome.reason]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("x" * 300, "x" * 300, id="longest"),
        pytest.param("x" * 301, "x" * 299 + "…", id="too long"),
        pytest.param("x" * 299 + "</b>" + "x", "x" * 300, id="longest without its markup"),
    ],
)
def test_outcome_cuts_a_reason_that_fits_no_page(text: str, reason: str) -> None:
    assert read_outcome(upload(error=text)) == Outcome(OutcomeState.FAILED, reason=reason)


def test_polls_come_soon_and_then_ever_more_seldom() -> None:
    delays_s = poll_delays_s()
    assert delays_s[0] <= 2
    assert all(later >= 2 * earlier for earlier, later in pairwise(delays_s))
    assert sum(delays_s) <= 60


@pytest.mark.parametrize(
    ("name", "state"),
    [
        pytest.param("create_upload.01.json", OutcomeState.PROCESSING, id="created"),
        pytest.param("create_upload.03.json", OutcomeState.READY, id="ready"),
        pytest.param("create_upload_file_with_error.03.json", OutcomeState.DUPLICATE, id="duplicate"),
        pytest.param("upload.json", OutcomeState.READY, id="ready in 2018"),
    ],
)
def test_outcome_reads_recorded_answers(recorded: Path, name: str, state: OutcomeState) -> None:
    answer = json.loads((recorded / "dblock-strava-ruby-client/client" / name).read_text())["response"]["body"]
    outcome = read_outcome(Upload.parse(answer))
    activity_id = int(answer["error"].split()[-1]) if state is OutcomeState.DUPLICATE else answer["activity_id"]
    assert (outcome.state, outcome.activity_id) == (state, activity_id)
    assert (activity_id is None) is (state is OutcomeState.PROCESSING)
