"""A run whose work the ledger has taken over ends green."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from include.errors import IngestError, LeaseLost, ObjectConflict, StravaUnavailable, TokenRefused
from strava_airflow.run_outcome import ledger_takes_over

FAULTS = [StravaUnavailable("503"), LeaseLost("taken over"), ObjectConflict("changed")]


def attempt(fault: IngestError, try_number: int) -> None:
    with ledger_takes_over({"ti": SimpleNamespace(try_number=try_number, max_tries=6)}):
        raise fault


@pytest.mark.parametrize("fault", FAULTS)
def test_passing_fault_of_the_last_try_is_a_skip_that_says_why(fault: IngestError) -> None:
    with pytest.raises(
        AirflowSkipException, match=f"The work is due in the ledger; reconcile queues it again. {fault}"
    ):
        attempt(fault, 7)


@pytest.mark.parametrize("fault", FAULTS)
def test_passing_fault_of_an_earlier_try_fails_it(fault: IngestError) -> None:
    with pytest.raises(type(fault)):
        attempt(fault, 6)


def test_refusal_stays_a_failure() -> None:
    with pytest.raises(TokenRefused):
        attempt(TokenRefused("connect again"), 7)
