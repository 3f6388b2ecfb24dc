"""Answers of Strava, classified at one moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from include.errors import (
    IngestError,
)
from include.strava.http.classify import error_for

NOW = 1_700_000_123.0
JSON = {"Content-Type": "application/json; charset=utf-8"}


@pytest.fixture(scope="session")
def classified() -> Callable[..., IngestError]:
    """The error that an answer is."""

    def classified(
        status: int,
        answer: bytes,
        *,
        path: str = "/api/v3/activities/5",
        athlete_id: int | None = 7,
        headers: Mapping[str, str] | None = None,
    ) -> IngestError:
        headers = JSON | dict(headers or {})
        return error_for(
            status,
            answer,
            path=path,
            whom="the application" if athlete_id is None else f"athlete {athlete_id}",
            is_applications=athlete_id is None,
            now_epoch_s=NOW,
            headers=headers,
        )

    return classified
