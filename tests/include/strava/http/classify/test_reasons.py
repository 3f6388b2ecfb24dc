"""What an error's message says, and what it keeps out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import (
    IngestError,
    ScopeMissing,
)

NOW = 1_700_000_123.0
JSON = {"Content-Type": "application/json; charset=utf-8"}
SECRET = "0123456789abcdef0123456789abcdef01234567"


def body(message: str, resource: str = "", field: str = "", code: str = "") -> bytes:
    return json.dumps({"message": message, "errors": [{"resource": resource, "field": field, "code": code}]}).encode()


@pytest.mark.parametrize(
    ("field", "scope"),
    [
        pytest.param("activity:read_permission", "activity:read", id="read"),
        pytest.param("activity:read_all_permission", "activity:read_all", id="read all"),
        pytest.param("activity:write_permission", "activity:write", id="write"),
        pytest.param("write_permission", "activity:write", id="write as in 2014"),
        pytest.param("profile:read_all_permission", "profile:read_all", id="profile"),
    ],
)
def test_error_for_names_the_scope_when_one_is_missing(field: str, scope: str, classified: Callable[..., Any]) -> None:
    error = classified(401, body("Authorization Error", "AccessToken", field, "missing"))

    assert isinstance(error, ScopeMissing)
    assert error.scope == scope
    assert f"did not grant {scope}" in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(body(SECRET, SECRET, SECRET, SECRET), id="known fields"),
        pytest.param(json.dumps({"error": f"token {SECRET} bad", "access_token": SECRET}).encode(), id="upload error"),
        pytest.param(SECRET.encode(), id="raw"),
        pytest.param(json.dumps({"errors": SECRET}).encode(), id="errors as text"),
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 418, 429, 500])
def test_error_for_keeps_secrets_out_when_strava_echoes_them(
    status: int, answer: bytes, classified: Callable[..., Any]
) -> None:
    error = classified(status, answer, path=f"/oauth/token?client_secret={SECRET}", athlete_id=None)

    assert SECRET not in str(error)
    assert SECRET not in repr(error)


def test_error_for_reads_plainly_when_the_reason_is_html(classified: Callable[..., Any]) -> None:
    answer = {"error": "a.gpx duplicate of <a href='/activities/18106372042' target='_blank'>Secret Title</a>"}

    error = classified(400, json.dumps(answer).encode(), path="/api/v3/uploads")

    assert "a.gpx duplicate of activity 18106372042" in str(error)
    assert "Secret Title" not in str(error)


@given(
    status=st.integers(200, 599),
    answer=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
            lambda child: (
                st.lists(child, max_size=3)
                | st.dictionaries(st.sampled_from(["message", "errors", "resource", "field", "code", "error"]), child)
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
        st.just(b"[" * 100_000),
    ),
    athlete_id=st.none() | st.integers(1),
)
def test_error_for_always_answers_with_one_bounded_line_when_the_body_is_anything(
    status: int, answer: bytes, athlete_id: int | None, classified: Callable[..., Any]
) -> None:
    error = classified(status, answer, athlete_id=athlete_id)

    assert isinstance(error, IngestError)
    assert len(str(error)) <= 300
    assert str(error).isprintable()
