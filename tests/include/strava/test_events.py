from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import BadEvent
from include.strava.events import MAX_EPOCH_S, MAX_ID, WebhookEvent, batch_run_id, parse

DOCUMENTED = {
    "aspect_type": "update",
    "event_time": 1516126040,
    "object_id": 1360128428,
    "object_type": "activity",
    "owner_id": 134815,
    "subscription_id": 120475,
    "updates": {"title": "Messy"},
}
MISSING = object()


def posted(**changes: Any) -> bytes:
    fields = {name: value for name, value in (DOCUMENTED | changes).items() if value is not MISSING}
    return json.dumps(fields).encode()


ids = st.integers(1, MAX_ID)
events = st.builds(
    WebhookEvent,
    object_type=st.sampled_from(["activity", "athlete"]),
    object_id=ids,
    aspect_type=st.sampled_from(["create", "update", "delete"]),
    owner_id=ids,
    subscription_id=ids,
    event_time_epoch_s=st.integers(1, MAX_EPOCH_S),
    updates=st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=3),
)


def test_parse_reads_every_field_of_the_documented_event() -> None:
    assert parse(posted()) == WebhookEvent(
        object_type="activity",
        object_id=1360128428,
        aspect_type="update",
        owner_id=134815,
        subscription_id=120475,
        event_time_epoch_s=1516126040,
        updates={"title": "Messy"},
    )


def test_parse_reads_the_recorded_event(recording: Callable[[str], Any]) -> None:
    documented = next(entry for entry in recording("documented/errors.json") if entry["name"] == "webhook_event_update")

    assert parse(json.dumps(documented["body"]).encode()) == parse(posted())


@pytest.mark.parametrize(
    "updates",
    [
        pytest.param(MISSING, id="missing"),
        pytest.param(None, id="null"),
        pytest.param({}, id="empty"),
        pytest.param([], id="list"),
        pytest.param(False, id="false"),
        pytest.param("title", id="text"),
        pytest.param({"title": None}, id="title null"),
        pytest.param({"title": ["a"]}, id="title as list"),
    ],
)
def test_parse_gives_no_updates_when_there_are_none(updates: object) -> None:
    assert parse(posted(updates=updates)).updates == {}


@pytest.mark.parametrize(
    ("updates", "read"),
    [
        pytest.param({"private": True}, {"private": "true"}, id="flag"),
        pytest.param({"authorized": False}, {"authorized": "false"}, id="false"),
        pytest.param({"type": 7, "x": 1.5}, {"type": "7", "x": "1.5"}, id="numbers"),
        pytest.param({"title": "a\ud800b"}, {"title": "a?b"}, id="half a surrogate pair"),
        pytest.param({"title": None, "type": "Run"}, {"type": "Run"}, id="null beside text"),
    ],
)
def test_parse_reads_updates_for_what_they_are_worth(updates: object, read: dict[str, str]) -> None:
    event = parse(posted(updates=updates))

    assert event.updates == read
    assert WebhookEvent.from_conf(event.to_conf()).event_id == event.event_id


def test_parse_leaves_unknown_fields_out() -> None:
    assert parse(posted(extra={"deep": [1, 2]})) == parse(posted())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param(field, value, id=f"{field} {what}")
        for field in ("object_id", "owner_id", "subscription_id", "event_time")
        for what, value in (
            ("missing", MISSING),
            ("null", None),
            ("zero", 0),
            ("negative", -1),
            ("too large", 2**63),
            ("bool", True),
            ("text", "12"),
            ("float", 12.0),
            ("object", {}),
        )
    ]
    + [
        pytest.param("event_time", MAX_EPOCH_S + 1, id="event_time without a date"),
        pytest.param("aspect_type", "Update", id="aspect in another case"),
        pytest.param("aspect_type", MISSING, id="aspect missing"),
        pytest.param("aspect_type", ["update"], id="aspect as list"),
        pytest.param("object_type", "club", id="object unknown"),
        pytest.param("object_type", None, id="object null"),
        pytest.param("extra", [[[[[[[[[1]]]]]]]]], id="nested deeply"),
    ],
)
def test_parse_refuses_a_value_that_no_event_has(field: str, value: object) -> None:
    with pytest.raises(BadEvent):
        parse(posted(**{field: value}))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'"event"', id="text"),
        pytest.param(posted()[:-1], id="cut off"),
        pytest.param(posted() + b"{}", id="two documents"),
        pytest.param(b"\xff" + posted(), id="no UTF-8"),
        pytest.param(b"\xef\xbb\xbf" + posted(), id="byte order mark"),
        pytest.param(posted().decode().encode("utf-16"), id="UTF-16"),
        pytest.param(posted()[:-1] + b', "object_id": 5}', id="key twice"),
        pytest.param(posted()[:-1] + b', "updates": {"a": "1", "a": "2"}}', id="key twice inside"),
        pytest.param(posted()[:-1] + b', "extra": NaN}', id="NaN"),
        pytest.param(posted()[:-1] + b', "extra": -Infinity}', id="infinity"),
        pytest.param(b"[" * 8000, id="brackets"),
        pytest.param(posted()[:-1] + b', "x": ' + b"[" * 3000 + b"]" * 3000 + b"}", id="deep but closed"),
        pytest.param(b'{"object_id": ' + b"9" * 8000 + b"}", id="huge number"),
    ],
)
def test_parse_refuses_a_body_that_is_not_strict_json(body: bytes) -> None:
    with pytest.raises(BadEvent):
        parse(body)


@given(st.binary(max_size=300))
def test_parse_raises_nothing_but_bad_event_when_the_body_is_noise(body: bytes) -> None:
    with pytest.raises(BadEvent):
        parse(body)


@given(
    st.dictionaries(
        st.sampled_from([*DOCUMENTED, "extra"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda child: st.lists(child, max_size=2) | st.dictionaries(st.text(max_size=3), child, max_size=2),
            max_leaves=4,
        ),
        min_size=1,
    )
)
def test_parse_answers_an_event_or_bad_event_when_fields_are_anything(changes: dict[str, Any]) -> None:
    try:
        event = parse(posted(**changes))
    except BadEvent:
        return
    assert {event.object_type} <= {"activity", "athlete"}
    assert all(type(value) is int and value > 0 for value in (event.object_id, event.owner_id, event.subscription_id))


@given(events)
def test_conf_keeps_the_ids_through_json_when_read_back(event: WebhookEvent) -> None:
    again = WebhookEvent.from_conf(json.loads(json.dumps(event.to_conf())))

    assert (again.event_id, again.run_id) == (event.event_id, event.run_id)
    assert again.is_deauthorisation == event.is_deauthorisation
    assert again.to_conf() == event.to_conf()
    assert replace(again, updates={}) == replace(event, updates={})


def test_conf_holds_a_digest_in_place_of_the_title() -> None:
    conf = parse(posted(updates={"title": "Running with Rex", "private": "true"})).to_conf()

    assert "Rex" not in json.dumps(conf)
    assert conf["updates"]["private"] == "true"


def test_event_shows_no_title_in_its_repr() -> None:
    assert "Messy" not in repr(parse(posted()))


@given(events)
def test_run_id_is_short_and_safe_for_any_event(event: WebhookEvent) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.~:+-]{1,36}", event.run_id)
    assert re.fullmatch(r"[0-9a-f]{32}", event.event_id)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"updates": {}}, r"1360128428\.update\.1516126040", id="without updates"),
        pytest.param({}, r"1360128428\.update\.1516126040\.[0-9a-f]{6}", id="with updates"),
        pytest.param({"object_id": 17_611_540_601}, r"17611540601\.update\.1516126040\.[0-9a-f]{6}", id="36 long"),
        pytest.param({"object_id": 117_611_540_601}, r"event\.[0-9a-f]{24}", id="37 long"),
    ],
)
def test_run_id_is_readable_when_it_fits(changes: dict[str, Any], expected: str) -> None:
    assert re.fullmatch(expected, parse(posted(**changes)).run_id)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"object_type": "athlete"}, id="object type"),
        pytest.param({"object_id": 2}, id="object"),
        pytest.param({"aspect_type": "create"}, id="aspect"),
        pytest.param({"owner_id": 2}, id="owner"),
        pytest.param({"subscription_id": 2}, id="subscription"),
        pytest.param({"event_time": 2}, id="time"),
        pytest.param({"updates": {"title": "Tidy"}}, id="title"),
        pytest.param({"updates": {}}, id="no updates"),
    ],
)
def test_event_id_differs_when_any_field_does(change: dict[str, Any]) -> None:
    assert parse(posted()).event_id == parse(posted()).event_id
    assert parse(posted(**change)).event_id != parse(posted()).event_id


@pytest.mark.parametrize(
    ("object_type", "aspect_type", "updates", "expected"),
    [
        pytest.param("athlete", "update", {"authorized": "false"}, True, id="as documented"),
        pytest.param("athlete", "delete", {"authorized": "false"}, True, id="as delete"),
        pytest.param("athlete", "update", {"authorized": "true"}, False, id="authorized"),
        pytest.param("athlete", "update", {}, False, id="no updates"),
        pytest.param("athlete", "update", {"authorized": False}, True, id="flag"),
        pytest.param("athlete", "update", {"authorized": "False"}, True, id="capital letter"),
        pytest.param("athlete", "update", {"authorized": None}, False, id="null"),
        pytest.param("activity", "update", {"authorized": "false"}, False, id="activity"),
    ],
)
def test_is_deauthorisation_holds_for_an_athlete_who_withdrew(
    object_type: str, aspect_type: str, updates: dict[str, str], expected: bool
) -> None:
    event = parse(posted(object_type=object_type, aspect_type=aspect_type, updates=updates))

    assert event.is_deauthorisation is expected


def test_batch_run_id_is_the_events_own_when_there_is_one() -> None:
    event = parse(posted())

    assert batch_run_id([event]) == event.run_id
    assert batch_run_id([event, event]) == event.run_id


@given(st.lists(events, min_size=2, max_size=4, unique_by=lambda event: event.event_id))
def test_batch_run_id_is_the_same_in_any_order_and_another_for_other_events(batch: list[WebhookEvent]) -> None:
    run_ids = {batch_run_id(order) for order in permutations(batch)}

    assert len(run_ids) == 1
    assert re.fullmatch(r"batch\.[0-9a-f]{24}", run_ids.pop())
    assert batch_run_id(batch) != batch_run_id(batch[1:])


def test_batch_run_id_is_refused_when_there_is_no_event() -> None:
    with pytest.raises(BadEvent):
        batch_run_id([])
