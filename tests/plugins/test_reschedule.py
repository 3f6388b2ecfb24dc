"""A spent quota brings a task back later; nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.errors import QuotaSpent, RetryLater


@pytest.mark.parametrize(
    ("until_epoch_s", "expected"),
    [
        pytest.param(1_760_000_400.0, datetime(2025, 10, 9, 9, 0, 1, tzinfo=UTC), id="window"),
        pytest.param(1_760_054_400.0, datetime(2025, 10, 10, 0, 0, 1, tzinfo=UTC), id="day"),
    ],
)
def test_task_comes_back_a_second_after_the_opening_and_says_so(until_epoch_s, expected, caplog):
    from airflow.sdk.exceptions import AirflowRescheduleException

    from strava_airflow.reschedule import reschedule_on_spent_quota

    caplog.set_level("INFO")
    spent = QuotaSpent("All calls of this window are spent.", until_epoch_s=until_epoch_s)
    with pytest.raises(AirflowRescheduleException) as caught, reschedule_on_spent_quota():
        raise spent

    assert caught.value.reschedule_date == expected
    assert caught.value.__cause__ is spent
    assert [record.getMessage() for record in caplog.records] == [
        f"All calls of this window are spent. This task runs again at {expected.isoformat()}."
    ]


def test_other_errors_pass_through():
    from strava_airflow.reschedule import reschedule_on_spent_quota

    fault = RetryLater("passing")
    with pytest.raises(RetryLater) as caught, reschedule_on_spent_quota():
        raise fault
    assert caught.value is fault


def test_task_that_has_its_quota_just_ends():
    from strava_airflow.reschedule import reschedule_on_spent_quota

    with reschedule_on_spent_quota():
        done = True
    assert done
