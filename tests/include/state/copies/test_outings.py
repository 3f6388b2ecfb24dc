"""Of two recordings of one outing one is ahead, whoever comes when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from include.clock import Clock
from include.state.copies.outings import Outing, Outings
from include.store.sqlite import SqliteStore
from include.store.store import Store

REX = 22
NOON = 1_700_049_600
HOUR = 3600
DAY_S = 86_400
MIDNIGHT = NOON + 12 * HOUR


def everyone(_activity_id: int) -> bool:
    return True


def hour_of(activity_id: int, days: int) -> Outing:
    """An hour at noon, that many days later."""
    return Outing(activity_id, NOON + days * DAY_S, NOON + days * DAY_S + HOUR)


@pytest.fixture
def outings(store: Store) -> Outings:
    return Outings(store)


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [
        pytest.param(0, 4, True, id="the same"),
        pytest.param(1, 3, True, id="within"),
        pytest.param(3, 5, True, id="half of the shorter"),
        pytest.param(2, 6, True, id="half of either"),
        pytest.param(3, 6, False, id="a third"),
        pytest.param(3, 7, False, id="a quarter"),
        pytest.param(4, 5, False, id="right after"),
        pytest.param(5, 6, False, id="later"),
        pytest.param(2, 2, True, id="a moment within"),
    ],
)
def test_outings_overlap_when_they_share_half_of_the_shorter(start: int, end: int, overlaps: bool) -> None:
    one, other = Outing(1, NOON, NOON + 4 * HOUR), Outing(2, NOON + start * HOUR, NOON + end * HOUR)

    assert one.overlaps(other) is other.overlaps(one) is overlaps


def test_first_is_ahead_of_the_second_at_every_claim(outings: Outings) -> None:
    first, second = Outing(9, NOON, NOON + HOUR), Outing(1, NOON + 60, NOON + HOUR)

    assert [outings.claim(REX, first, everyone) for _ in range(2)] == [None, None]
    assert [outings.claim(REX, second, everyone) for _ in range(2)] == [9, 9]
    assert outings.claim(REX, first, everyone) is None


def test_who_claims_the_time_of_another_is_beside_it_over_midnight_too(outings: Outings) -> None:
    late, next_day, evening = (
        Outing(9, MIDNIGHT - HOUR, MIDNIGHT + 2 * HOUR),
        Outing(1, MIDNIGHT + 60, MIDNIGHT + HOUR),
        Outing(5, MIDNIGHT - 3 * HOUR, MIDNIGHT - 2 * HOUR),
    )
    for outing in (late, next_day, evening):
        outings.claim(REX, outing, everyone)

    assert outings.overlapping(REX, 9, late.start_epoch_s) == {1}
    assert outings.overlapping(REX, 1, next_day.start_epoch_s) == {9}
    assert outings.overlapping(REX, 5, evening.start_epoch_s) == set()
    assert outings.overlapping(REX, 7, late.start_epoch_s) == set()


def test_time_that_another_child_has_is_free(outings: Outings) -> None:
    outings.claim(REX, Outing(9, NOON, NOON + HOUR), everyone)

    assert outings.claim(REX + 1, Outing(1, NOON, NOON + HOUR), everyone) is None


def test_second_comes_first_when_the_first_came_to_nothing_and_stays_so(outings: Outings) -> None:
    first, second = Outing(9, NOON, NOON + HOUR), Outing(1, NOON, NOON + HOUR)
    outings.claim(REX, first, everyone)
    outings.claim(REX, second, everyone)

    assert outings.claim(REX, second, lambda activity_id: activity_id != 9) is None
    assert outings.claim(REX, first, everyone) == 1, "it has lost its place"


def test_outings_over_midnight_meet_on_the_day_that_they_share(outings: Outings) -> None:
    over = Outing(9, MIDNIGHT - HOUR, MIDNIGHT + 3 * HOUR)
    outings.claim(REX, over, everyone)

    assert outings.claim(REX, Outing(1, MIDNIGHT + 60, MIDNIGHT + HOUR), everyone) == 9
    assert outings.claim(REX, Outing(2, MIDNIGHT - 2 * HOUR, MIDNIGHT - HOUR), everyone) is None


def test_recording_that_nobody_stopped_claims_a_week_and_is_forgotten_whole(outings: Outings) -> None:
    endless = Outing(9, NOON, NOON + 2**31)
    outings.claim(REX, endless, everyone)
    assert outings.of_child(REX) == 8

    for days in range(8):
        assert outings.claim(REX, hour_of(days, days), everyone) == 9
    assert outings.claim(REX, hour_of(8, 8), everyone) is None

    outings.forget(REX, 9, NOON)

    assert outings.overlapping(REX, 9, NOON) == set()
    assert [outings.claim(REX, hour_of(20 + days, days), everyone) for days in range(9)] == list(range(9))


@pytest.mark.parametrize(
    ("end", "days"),
    [
        pytest.param(NOON, 1, id="a moment"),
        pytest.param(MIDNIGHT - 1, 1, id="until the last second"),
        pytest.param(MIDNIGHT, 2, id="until midnight"),
        pytest.param(MIDNIGHT + 6 * DAY_S - 1, 7, id="a week"),
        pytest.param(MIDNIGHT + 6 * DAY_S, 8, id="a week and its end"),
        pytest.param(MIDNIGHT + 7 * DAY_S, 8, id="longer"),
    ],
)
def test_outing_claims_each_day_that_it_touches(outings: Outings, store: Store, end: int, days: int) -> None:
    outing = Outing(9, NOON, end)

    outings.claim(REX, outing, everyone)

    assert outings.of_child(REX) == days
    claims = [item.fields["claims"] for item in store.query("outings", str(REX))]
    assert claims == [[[9, NOON, end]]] * days
    outings.forget(REX, 9, NOON)
    assert outings.of_child(REX) == 0


def test_claims_of_a_child_are_forgotten_and_those_of_others_stay(outings: Outings) -> None:
    for child_id in (REX, REX + 1):
        outings.claim(child_id, Outing(9, MIDNIGHT - 60, MIDNIGHT + 60), everyone)
        outings.claim(child_id, Outing(1, NOON, NOON + 60), everyone)

    for _ in range(2):
        outings.forget_child(REX)

    assert (outings.of_child(REX), outings.of_child(REX + 1)) == (0, 2)


def test_later_claim_keeps_its_place_and_its_first_span_and_drops_who_came_to_nothing(
    outings: Outings, store: Store
) -> None:
    for activity_id in (9, 1, 5):
        outings.claim(REX, Outing(activity_id, NOON, NOON + HOUR), everyone)

    assert outings.claim(REX, Outing(1, NOON, NOON + 2 * HOUR), lambda activity_id: activity_id != 9) is None

    (day,) = store.query("outings", str(REX))
    assert day.fields["claims"] == [[1, NOON, NOON + HOUR], [5, NOON, NOON + HOUR]]


def test_first_of_several_that_are_ahead_is_named(outings: Outings) -> None:
    for activity_id, start in ((3, NOON + 10 * HOUR), (9, NOON), (1, NOON)):
        outings.claim(REX, Outing(activity_id, start, start + HOUR), everyone)

    assert outings.claim(REX, Outing(5, NOON, NOON + HOUR), everyone) == 9


def test_claim_that_is_not_there_is_forgotten_without_a_write(outings: Outings, store: Store) -> None:
    outings.claim(REX, Outing(9, NOON, NOON + HOUR), everyone)
    before = list(store.query("outings", str(REX)))

    outings.forget(REX, 1, NOON)

    assert list(store.query("outings", str(REX))) == before


def test_forgotten_claims_leave_the_others_and_no_empty_row(outings: Outings, store: Store) -> None:
    over, other = Outing(9, MIDNIGHT - HOUR, MIDNIGHT + HOUR), Outing(1, NOON, NOON + 60)
    for outing in (over, other):
        outings.claim(REX, outing, everyone)

    for _ in range(2):
        outings.forget(REX, 9, over.start_epoch_s)

    assert [item.fields["claims"] for item in store.query("outings", str(REX))] == [[[1, NOON, NOON + 60]]]


def test_one_of_many_is_ahead_when_all_come_at_once(path: Path, clock: Clock) -> None:
    SqliteStore(path, clock).close()

    def claim(activity_id: int) -> int | None:
        return Outings(SqliteStore(path, clock)).claim(REX, Outing(activity_id, NOON, NOON + HOUR), everyone)

    with ThreadPoolExecutor(8) as pool:
        ahead = list(pool.map(claim, range(1, 9)))

    assert ahead.count(None) == 1
    assert set(ahead) - {None} == {ahead.index(None) + 1}
