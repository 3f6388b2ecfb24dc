"""What is noted about an athlete: wishes, refusals, and the request to be disconnected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.state.accounts.athletes import (
    Athletes,
    AthleteStatus,
)
from include.state.accounts.wishes import Wish, WishKind
from tests.include.state.accounts.athletes.grants import NOW, READ, WRITE, grant, row

REFUSED_FOR_LONG_S = 7 * 86_400
PassTime = Callable[[float], None]


def test_request_to_be_disconnected_is_noted_with_its_time_and_changes_nothing_else(
    athletes: Athletes, pass_time: PassTime
) -> None:
    before = athletes.connect(grant(), READ)
    pass_time(60.5)
    athletes.note_disconnect(42)
    athletes.note_disconnect(43)

    assert row(athletes) == replace(before, disconnect_asked_at_epoch_s=NOW + 60, version=2)
    assert athletes.get(43) is None


def test_wish_names_its_time_and_scopes_and_changes_nothing_else(athletes: Athletes, pass_time: PassTime) -> None:
    before = athletes.connect(grant(), READ)
    pass_time(60.5)

    wish = athletes.note_wish(42, WishKind.WIDEN, WRITE)

    assert wish == Wish(WishKind.WIDEN, NOW + 60, WRITE)
    assert row(athletes) == replace(before, wish=wish, version=2)
    athletes.withdraw_wish(42)
    assert row(athletes) == replace(before, version=3)


@pytest.mark.parametrize("status", [AthleteStatus.ACTIVE, AthleteStatus.REVOKED])
def test_no_refusal_is_noted_of_an_athlete_whom_strava_does_not_refuse(
    athletes: Athletes, status: AthleteStatus
) -> None:
    athletes.connect(grant(), READ)
    marked = athletes.mark(42, status)

    athletes.note_refused(42)
    athletes.note_refused(43)

    assert (row(athletes), athletes.get(43)) == (marked, None)


def test_first_refusal_is_noted_and_stays(athletes: Athletes, pass_time: PassTime) -> None:
    athletes.connect(grant(), READ)
    marked = athletes.mark(42, AthleteStatus.NEEDS_REAUTH)
    noted = []
    for _ in range(2):
        pass_time(60.5)
        athletes.note_refused(42)
        noted.append(row(athletes))

    assert noted == [replace(marked, refused_at_epoch_s=NOW + 60, version=3)] * 2


@pytest.mark.parametrize(
    ("status", "refused_at_epoch_s", "passed_s", "is_refused_for_long"),
    [
        pytest.param(AthleteStatus.NEEDS_REAUTH, NOW, REFUSED_FOR_LONG_S - 1, False, id="not a week yet"),
        pytest.param(AthleteStatus.NEEDS_REAUTH, NOW, REFUSED_FOR_LONG_S, True, id="a week"),
        pytest.param(AthleteStatus.NEEDS_REAUTH, NOW, REFUSED_FOR_LONG_S + 1, True, id="more"),
        pytest.param(AthleteStatus.NEEDS_REAUTH, None, 10 * REFUSED_FOR_LONG_S, False, id="nobody knows since when"),
        pytest.param(AthleteStatus.ACTIVE, NOW, REFUSED_FOR_LONG_S, False, id="active again"),
        pytest.param(AthleteStatus.REVOKED, NOW, REFUSED_FOR_LONG_S, False, id="disconnected"),
    ],
)
def test_athlete_decides_after_a_week_of_refusals(
    athletes: Athletes,
    status: AthleteStatus,
    refused_at_epoch_s: int | None,
    passed_s: int,
    is_refused_for_long: bool,
) -> None:
    athlete = replace(athletes.connect(grant(), READ), status=status, refused_at_epoch_s=refused_at_epoch_s)

    assert athlete.is_refused_for_long(NOW + passed_s) is is_refused_for_long
