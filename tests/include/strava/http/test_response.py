from __future__ import annotations

import pytest

from include.errors import Gone, NotTheApi, UnexpectedShape
from include.strava.http.response import Response
from include.strava.models import Athlete


def answered(
    body: bytes, status: int = 200, path: str = "/api/v3/athlete", content_type: str = "application/json"
) -> Response:
    return Response(
        status, {"Set-Cookie": "hush", "Content-Type": content_type}, body, path, "athlete 7", False, 1_700_000_123.0
    )


def test_answer_reads_an_object_and_an_array() -> None:
    assert answered(b'{"id": 1}').object() == {"id": 1}
    assert answered(b'[{"id": 1}, {}]').objects() == [{"id": 1}, {}]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"id": NaN}', id="NaN"),
        pytest.param(b"7", id="number"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[1]", id="array of numbers"),
    ],
)
def test_answer_says_unexpected_shape_when_the_body_is_something_else(body: bytes) -> None:
    with pytest.raises(UnexpectedShape, match="200 to /api/v3/athlete for athlete 7"):
        answered(body).object()
    with pytest.raises(UnexpectedShape):
        answered(body).objects()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"id": 1', id="cut off"),
        pytest.param(b"\xff\xfe\x00", id="noise"),
        pytest.param(b"<html></html>", id="html"),
        pytest.param(b"[" * 100_000, id="brackets"),
    ],
)
def test_answer_says_not_the_api_when_the_body_is_no_json(body: bytes) -> None:
    with pytest.raises(NotTheApi, match="200 to /api/v3/athlete for athlete 7"):
        answered(body).object()
    with pytest.raises(NotTheApi):
        answered(body).objects()


def test_checked_says_not_the_api_when_another_type_is_announced() -> None:
    with pytest.raises(NotTheApi):
        answered(b"{}", content_type="text/html; charset=utf-8").checked()


def test_read_names_the_call_and_what_was_odd_when_a_record_cannot_be_made() -> None:
    answer = answered(b'{"id": "5"}')

    with pytest.raises(UnexpectedShape, match=r"athlete 7.*'id' should be int, is str"):
        answer.read(lambda: Athlete.parse(answer.object()))


def test_read_says_once_that_the_answer_is_of_another_shape() -> None:
    answer = answered(b"[]")

    with pytest.raises(UnexpectedShape) as caught:
        answer.read(lambda: Athlete.parse(answer.object()))
    assert str(caught.value).count("athlete 7") == 1


@pytest.mark.parametrize("text", ["abc", ""])
def test_read_says_unexpected_shape_when_a_value_cannot_be_taken(text: str) -> None:
    with pytest.raises(UnexpectedShape):
        answered(b"{}").read(lambda: int(text))


def test_checked_raises_what_the_status_stands_for() -> None:
    assert answered(b"", 204).checked() == answered(b"", 204)
    with pytest.raises(Gone):
        answered(b"", 404, "/api/v3/activities/5").checked()


def test_answer_shows_neither_headers_nor_body_in_its_repr() -> None:
    assert "hush" not in repr(answered(b"hush"))
