"""Which activities a link copies, and what the athlete is told about the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from include.circle import Circle, Position
from include.copying.eligibility import COPY_PREFIX, ineligible_reason
from include.copying.files import build_file
from include.errors import Refused
from include.state.copies.ledger import external_id
from include.state.links import CopyOptions, Link, LinkStatus
from include.strava.models import Activity, StreamSet

Make = Callable[..., Activity]
START_EPOCH_S = 1_777_618_798


def test_reason_is_none_when_nothing_speaks_against_the_copy(
    make_activity: Make, make_streams: Callable[..., StreamSet], make_link: Callable[..., Link]
) -> None:
    assert ineligible_reason(make_activity(), make_streams(), make_link(), is_copy=False) is None


@pytest.mark.parametrize(
    ("changes", "link_changes", "expected"),
    [
        pytest.param({"external_id": "sdi-1-2.gpx"}, {}, "is itself a copy", id="made by another installation"),
        pytest.param({"manual": True}, {}, "entered by hand", id="manual"),
        pytest.param({"visibility": "only_me"}, {}, "Only you can see", id="private"),
        pytest.param({"private": True}, {}, "Only you can see", id="private in an old answer"),
        pytest.param({}, {"starts_at_epoch_s": START_EPOCH_S + 1}, "began before", id="older than the link"),
        pytest.param({"start_date": "9999-12-31T23:00:00Z"}, {}, "year 9999", id="years that a file cannot hold"),
        pytest.param({"start_date": "9991-01-01T00:00:00Z"}, {}, "year 9991", id="the first year that it cannot"),
        pytest.param({"flagged": True}, {}, "flagged", id="flagged"),
        pytest.param({"start_date": "2026-05-01T00:00:01Z"}, {}, "hides when this", id="hidden start time"),
        pytest.param({"start_date_local": "2026-05-01T00:00:01Z"}, {}, "hides when this", id="hidden start, local"),
        pytest.param(
            {"sport_type": "GravelRide"},
            {"options": CopyOptions(sports=("Run", "TrailRun"))},
            "copies only Run, Trail Run; this activity is Gravel Ride.",
            id="a sport that the link leaves out",
        ),
        pytest.param({}, {"status": LinkStatus.PAUSED}, "paused", id="paused"),
        pytest.param({}, {"status": LinkStatus.ENDED}, "ended", id="ended"),
        pytest.param({}, {"parent_consent_epoch_s": None}, "both sides", id="parent has not agreed"),
        pytest.param({}, {"child_consent_epoch_s": None}, "both sides", id="child has not agreed"),
    ],
)
def test_reason_names_what_speaks_against_the_copy(
    make_activity: Make,
    make_streams: Callable[..., StreamSet],
    make_link: Callable[..., Link],
    changes: dict[str, object],
    link_changes: dict[str, object],
    expected: str,
) -> None:
    reason = ineligible_reason(make_activity(**changes), make_streams(), make_link(**link_changes), is_copy=False)
    assert reason is not None
    assert expected in reason
    assert reason[0].isupper()
    assert reason.endswith(".")


@pytest.mark.parametrize(
    ("streams_changes", "expected"),
    [
        pytest.param({"time": [0, 5, 4]}, "do not increase", id="times fall"),
        pytest.param({"time": [3, 3, 3]}, "do not increase", id="times stand still"),
        pytest.param({"time": [0, None, None]}, "fewer than two points", id="one time"),
        pytest.param({"time": None}, "fewer than two points", id="no times"),
    ],
)
def test_reason_names_the_fault_when_the_points_are_no_recording(
    make_activity: Make,
    make_streams: Callable[..., StreamSet],
    make_link: Callable[..., Link],
    streams_changes: dict[str, object],
    expected: str,
) -> None:
    reason = ineligible_reason(make_activity(), make_streams(**streams_changes), make_link(), is_copy=False)
    assert reason is not None
    assert expected in reason


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param(None, id="none at Strava"),
        pytest.param(StreamSet(channels={}, body=b""), id="no stream"),
        pytest.param(StreamSet(channels={"time": []}, body=b""), id="empty stream"),
    ],
)
def test_reason_says_so_when_there_are_no_points(
    make_activity: Make, make_link: Callable[..., Link], streams: StreamSet | None
) -> None:
    reason = ineligible_reason(make_activity(), streams, make_link(), is_copy=False)
    assert reason == "Strava has no recorded points for this activity."


def test_reason_is_given_when_the_ledger_knows_the_activity_as_a_copy(
    make_activity: Make, make_streams: Callable[..., StreamSet], make_link: Callable[..., Link]
) -> None:
    reason = ineligible_reason(make_activity(), make_streams(), make_link(), is_copy=True)
    assert reason == "This activity is itself a copy, and copies are not copied again."


@pytest.mark.parametrize(
    ("changes", "link_changes"),
    [
        pytest.param(
            {"visibility": "only_me"}, {"options": CopyOptions(allow_private=True)}, id="private, and allowed"
        ),
        pytest.param({"visibility": "followers_only"}, {}, id="followers may see it"),
        pytest.param({}, {"starts_at_epoch_s": START_EPOCH_S}, id="begins when the link does"),
        pytest.param({}, {"options": CopyOptions(sports=("Run", "Ride"))}, id="a sport that the link includes"),
        pytest.param({"sport_type": "Quidditch"}, {}, id="a sport that nobody knows yet"),
        pytest.param({"external_id": "garmin-sdi-1.fit"}, {}, id="the prefix elsewhere in the external id"),
        pytest.param({"start_date": "9990-12-31T23:00:00Z"}, {}, id="the last year that a file can hold"),
        pytest.param({}, {"options": CopyOptions(trim_m=2000)}, id="shorter than what is hidden"),
    ],
)
def test_reason_is_none_at_the_boundary(
    make_activity: Make,
    make_streams: Callable[..., StreamSet],
    make_link: Callable[..., Link],
    changes: dict[str, object],
    link_changes: dict[str, object],
) -> None:
    streams = make_streams(
        time=list(range(5)), distance=[0.0, 10.0, 20.0, 30.0, 40.0], latlng=[[1.0, i * 1e-4] for i in range(5)]
    )
    assert ineligible_reason(make_activity(**changes), streams, make_link(**link_changes), is_copy=False) is None


@pytest.mark.parametrize(
    ("streams_changes", "hidden"),
    [
        pytest.param({}, (), id="three points"),
        pytest.param({"latlng": None}, (), id="no positions"),
        pytest.param({}, [Circle(Position(48.1, 11.5), 100)], id="all hidden"),
        pytest.param({"time": [0]}, (), id="one point"),
        pytest.param({"latlng": [[1, 1], None, None]}, (), id="one position"),
    ],
)
def test_file_can_be_built_exactly_when_the_points_are_eligible(
    make_activity: Make,
    make_streams: Callable[..., StreamSet],
    make_link: Callable[..., Link],
    streams_changes: dict[str, object],
    hidden: Sequence[Circle],
) -> None:
    activity, streams, link = make_activity(), make_streams(**streams_changes), make_link()
    reason = ineligible_reason(activity, streams, link, is_copy=False)
    if reason is None:
        assert build_file(activity, streams, link, hidden).content
    else:
        with pytest.raises(Refused, match=reason.split(".", maxsplit=1)[0]):
            build_file(activity, streams, link, hidden)


def test_prefix_is_the_one_that_copies_get() -> None:
    assert external_id(1, 2).startswith(COPY_PREFIX)
