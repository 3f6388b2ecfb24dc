"""What Strava answers as records, whatever it answers."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import UnexpectedShape
from include.strava.channels import cleaned, documented_channels
from include.strava.models import Activity, StreamSet
from include.strava.stream_types import BY_KEY

KNOWN = {"id": 5, "athlete": {"id": 7}, "start_date": "2026-05-01T06:00:00Z"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)
FIELDS = (
    *("id", "athlete", "start_date", "name", "sport_type", "type", "elapsed_time", "distance", "manual"),
    *("visibility", "private", "flagged", "external_id", "upload_id", "resource_state"),
)


@pytest.mark.parametrize(
    ("value", "elapsed_s", "distance_m"),
    [
        pytest.param(None, 0, 0.0, id="null"),
        pytest.param(0, 0, 0.0, id="zero"),
        pytest.param(61, 61, 61.0, id="whole"),
        pytest.param(61.9, 61, 61.9, id="float"),
        pytest.param(2**31, 2**31, 2.0**31, id="longest"),
        pytest.param(2**31 + 1, 0, 0.0, id="too long"),
        pytest.param(10**400, 0, 0.0, id="beyond a float"),
        pytest.param(-1, 0, 0.0, id="negative"),
        pytest.param(math.inf, 0, 0.0, id="infinite"),
        pytest.param(math.nan, 0, 0.0, id="not a number"),
        pytest.param(True, 0, 0.0, id="flag"),
        pytest.param("61", 0, 0.0, id="text"),
        pytest.param([61], 0, 0.0, id="list"),
        pytest.param({"s": 61}, 0, 0.0, id="object"),
    ],
)
def test_activity_takes_a_length_that_is_one_and_keeps_any_other_in_its_fields(
    value: Any, elapsed_s: int, distance_m: float
) -> None:
    activity = Activity.parse({**KNOWN, "elapsed_time": value, "distance": value})

    assert (activity.elapsed_s, activity.distance_m) == (elapsed_s, distance_m)
    assert activity.fields["elapsed_time"] is value


@given(changes=st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_activity_is_typed_or_unexpected_when_its_fields_are_anything(changes: dict[str, Any]) -> None:
    try:
        activity = Activity.parse(KNOWN | changes)
    except UnexpectedShape:
        assert {"id", "athlete", "start_date"} & set(changes)
        return
    assert isinstance(activity.start_at, datetime)
    assert activity.start_at.tzinfo is not None
    assert isinstance(activity.elapsed_s, int)
    assert math.isfinite(activity.distance_m)
    for text in (activity.name, activity.sport_type, activity.visibility):
        assert isinstance(text, str)
    assert activity.sport_type
    assert activity.visibility
    assert activity.external_id is None or isinstance(activity.external_id, str)
    assert activity.upload_id is None or type(activity.upload_id) is int


def test_streams_have_no_sample_where_the_answer_says_nan_or_infinity() -> None:
    body = b'{"heartrate": {"data": [60, NaN, Infinity, -Infinity, null]}}'

    streams = StreamSet.parse(body)

    assert streams.channels == {"heartrate": [60, None, None, None, None]}
    assert streams.body == body


samples = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.floats(), max_size=2)


@given(channels=st.dictionaries(st.text(max_size=5), st.lists(samples, max_size=5), max_size=3))
def test_streams_hold_what_json_reads_in_the_answer(channels: dict[str, list[Any]]) -> None:
    body = json.dumps({name: {"data": data} for name, data in channels.items()}).encode()

    expected = json.loads(body, parse_constant=lambda _: None)

    assert StreamSet.parse(body).channels == {name: cleaned(name, stream["data"]) for name, stream in expected.items()}


documented_streams = st.dictionaries(
    st.sampled_from([*BY_KEY, "grip"]),
    st.fixed_dictionaries(
        {"data": st.lists(samples | st.lists(st.integers() | st.floats(), min_size=2, max_size=2), max_size=3)},
        optional={"type": st.text(max_size=3), "original_size": st.integers(), "series_type": json_values}
        | {"resolution": json_values, "smoothed": json_values},
    ),
    max_size=3,
)


@given(answer=documented_streams)
def test_streams_are_the_same_whether_read_at_once_or_sample_by_sample(answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    decoded = json.loads(body, parse_constant=lambda _: None)
    by_sample = {name: cleaned(name, stream["data"]) for name, stream in decoded.items()}
    at_once = documented_channels(body)

    assert at_once is None or {name: repr(data) for name, data in at_once.items()} == {
        name: repr(stream["data"]) for name, stream in decoded.items()
    }
    if by_sample:
        streams = StreamSet.parse(body)
        assert {name: repr(data) for name, data in streams.channels.items()} == {
            name: repr(data) for name, data in by_sample.items()
        }


DOCUMENTED = {
    "time": {"data": [0, 1, None], "series_type": "distance", "original_size": 3, "resolution": "high"},
    "latlng": {"data": [[52.5, 13], None, [0, 0.5]]},
    "heartrate": {"data": [90, 91.5, None], "type": "heartrate"},
    "moving": {"data": [True, None, False]},
}


@pytest.mark.parametrize("stream", [*DOCUMENTED, None])
def test_streams_are_read_at_once_when_the_answer_is_as_documented(stream: str | None) -> None:
    answer = DOCUMENTED if stream is None else {stream: DOCUMENTED[stream]}

    assert documented_channels(json.dumps(answer).encode()) == {name: each["data"] for name, each in answer.items()}


@pytest.mark.parametrize(
    "more",
    [
        pytest.param('"heartrate": {"data": [true]}', id="flag for a number"),
        pytest.param('"heartrate": {"data": ["91"]}', id="text for a number"),
        pytest.param('"heartrate": {"data": [NaN]}', id="not a number"),
        pytest.param('"heartrate": {"data": [1e400]}', id="beyond every float"),
        pytest.param('"moving": {"data": [1]}', id="number for a flag"),
        pytest.param('"latlng": {"data": [[1]]}', id="half a pair"),
        pytest.param('"latlng": {"data": [[1, null]]}', id="pair without its half"),
        pytest.param('"latlng": {"data": [[1, 2, 3]]}', id="more than a pair"),
        pytest.param('"heartrate": {}', id="no samples"),
        pytest.param('"heartrate": null', id="null for a stream"),
        pytest.param('"heartrate": {"data": [90], "smoothed": 1}', id="a field that is not documented"),
        pytest.param('"grip": {"data": [90]}', id="a stream that is not documented"),
    ],
)
def test_streams_are_not_read_at_once_when_anything_is_not_as_documented(more: str) -> None:
    assert documented_channels(f'{{"time": {{"data": [0]}}, {more}}}'.encode()) is None


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param("1e400", id="beyond every float"),
        pytest.param("18446744073709551617", id="beyond 64 bits"),
        pytest.param('"\\ud800"', id="lone surrogate"),
        pytest.param("-0", id="minus zero"),
        pytest.param("5e-324", id="smallest float"),
    ],
)
def test_streams_hold_what_json_reads_in_odd_samples(sample: str) -> None:
    streams = StreamSet.parse(f'{{"grip": {{"data": [{sample}, NaN]}}, "push": {{"data": [{sample}]}}}}'.encode())

    assert streams.channels == {"grip": [json.loads(sample), None], "push": [json.loads(sample)]}
    assert StreamSet.parse(f'{{"push": {{"data": [{sample}]}}}}'.encode()).channels == {"push": [json.loads(sample)]}


TIME = {"time": {"data": [0, 1, 2]}}


@pytest.mark.parametrize(
    ("more", "odd"),
    [
        pytest.param({"heartrate": None}, ("heartrate",), id="null channel"),
        pytest.param({"latlng": {"data": None}}, ("latlng",), id="null samples"),
        pytest.param({"watts": {"data": "1,2"}}, ("watts",), id="text for samples"),
        pytest.param({"message": "partial"}, ("message",), id="a word among them"),
        pytest.param({"watts": [1, 2]}, ("watts",), id="array for a stream"),
        pytest.param({"<b>x</b> " * 90: 1}, ("x " * 50,), id="markup for a name"),
    ],
)
def test_odd_channel_costs_itself_alone_and_is_named(more: dict[str, Any], odd: tuple[str, ...]) -> None:
    streams = StreamSet.parse(json.dumps(TIME | more).encode())

    assert streams.channels == {"time": [0, 1, 2]}
    assert [name[:40] for name in streams.odd] == [name[:40] for name in odd]


@pytest.mark.parametrize(
    ("stream", "samples", "left"),
    [
        pytest.param("heartrate", [90, "91", True, [92], None, 93.5], [90, None, None, None, None, 93.5], id="heart"),
        pytest.param("watts", [{}, False, 0], [None, None, 0], id="watts"),
        pytest.param("time", ["0", 1, 2], [None, 1, 2], id="time"),
        pytest.param("moving", [1, True, "true", False, None], [None, True, None, False, None], id="moving"),
        pytest.param(
            "latlng",
            [[1, 2], [1.5], [1, 2, 3], "12", [None, 2], [True, 2], None, {"a": 1, "b": 2}, [3.5, 4]],
            [[1, 2], None, None, None, None, None, None, None, [3.5, 4]],
            id="latlng",
        ),
    ],
)
def test_odd_sample_costs_itself_alone_and_its_channel_is_named(
    stream: str, samples: list[Any], left: list[Any]
) -> None:
    streams = StreamSet.parse(json.dumps({stream: {"data": samples}}).encode())

    assert streams.channels[stream] == left
    assert streams.odd == (stream,)


@pytest.mark.parametrize("stream", [*BY_KEY, "grip"])
def test_stream_of_samples_and_nulls_stays_as_it_is(stream: str) -> None:
    sample = {"latlng": [[1, 2.5], [3, 4]], "moving": [True, False]}.get(stream, [1, 2.5])
    streams = StreamSet.parse(json.dumps({stream: {"data": [*sample, None]}}).encode())

    assert (streams.channels, streams.odd) == ({stream: [*sample, None]}, ())


def test_streams_are_read_in_the_array_form_too() -> None:
    streams = StreamSet.parse(b'[{"type":"time","data":[0,1]},{"type":"distance","data":[0.0,2.5]},{"data":[1]},7]')

    assert streams.channels == {"time": [0, 1], "distance": [0.0, 2.5]}
    assert streams.odd == ("(unnamed)", "(unnamed)")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"time": {"data": [1', id="cut off"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'{"time": [1, 2]}', id="array for a stream"),
        pytest.param(b'{"time": {"data": "1,2"}}', id="text for samples"),
        pytest.param(b'{"time": {}}', id="no samples"),
        pytest.param(b'{"message": "partial"}', id="a word alone"),
        pytest.param(b"\xff\xfe", id="not utf-8"),
    ],
)
def test_streams_are_unexpected_when_the_answer_is_none(body: bytes) -> None:
    with pytest.raises(UnexpectedShape, match="streams"):
        StreamSet.parse(body)


@given(body=st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_streams_are_lists_or_unexpected_when_the_answer_is_anything(body: bytes) -> None:
    try:
        streams = StreamSet.parse(body)
    except UnexpectedShape:
        return
    assert all(isinstance(samples, list) for samples in streams.channels.values())
    assert streams.length >= 0


def test_segment_effort_is_no_activity():
    effort = {
        "id": 1,
        "athlete": {"id": 7},
        "start_date": "2026-06-01T08:00:00Z",
        "segment": {"id": 2},
        "activity": {"id": 3},
    }
    with pytest.raises(UnexpectedShape, match="segment effort"):
        Activity.parse(effort)
