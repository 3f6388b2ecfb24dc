"""What a run tells the catalogue."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest


@pytest.fixture
def waited_s(monkeypatch):
    """How long the partitions have waited that wait for the catalogue; empty at first."""
    from strava_airflow.hook import StravaHook

    waited_s = []
    waits_since = lambda seconds: any(waited >= seconds for waited in waited_s)  # noqa: E731 - as the store answers

    @contextmanager
    def services(self, priority="LIVE"):
        yield SimpleNamespace(lake=SimpleNamespace(partitions=SimpleNamespace(waits_since=waits_since)))

    monkeypatch.setattr(StravaHook, "services", services)
    return waited_s


def test_event_is_raised_where_a_partition_waits(waited_s):
    from strava_airflow.publishing import publish

    waited_s.append(0.0)
    publish()


def test_no_event_is_raised_where_none_waits_or_none_for_long(waited_s):
    from airflow.sdk.exceptions import AirflowSkipException

    from strava_airflow.publishing import publish

    with pytest.raises(AirflowSkipException, match="No partition waits"):
        publish()
    waited_s.append(899.0)
    with pytest.raises(AirflowSkipException, match="No partition waits"):
        publish(waited_s=900)
    waited_s.append(900.0)
    publish(waited_s=900)
