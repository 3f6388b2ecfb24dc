"""What waits for the catalogue: noted before a change, gone when it was looked at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from include.clock import Clock
from include.state.partitions import Partition, Partitions, Waiting
from include.store.sqlite import SqliteStore
from include.store.store import Store
from local.testbed.manual_clock import ManualClock
from tests.include.state.meanwhile import Meanwhile

NOTED_S, SETTLED_S = 300, 900
MINE = Partition("streams", 71, 2026)
YEARS = Partition("streams", 71, 2025)
THEIRS = Partition("laps", 711, 2026)
COPIES = Partition("copies", None, 2026)


@pytest.fixture
def partitions(store: Store, clock: Clock) -> Partitions:
    return Partitions(store, clock)


def waiting(partitions: Partitions) -> set[Partition]:
    return {each.partition for each in partitions.waiting()}


def test_what_was_noted_waits_once_until_it_is_removed(partitions: Partitions) -> None:
    for partition in (MINE, THEIRS, COPIES, MINE):
        partitions.note(partition)
    rows = list(partitions.waiting())
    assert sorted(str(row.partition) for row in rows) == sorted(map(str, (MINE, THEIRS, COPIES)))

    for row in rows:
        partitions.remove(row)
        partitions.remove(row)
    assert waiting(partitions) == set()


def test_partition_that_was_noted_again_since_it_was_read_goes_on_waiting(
    partitions: Partitions, pass_time: Callable[[float], None]
) -> None:
    partitions.note(MINE)
    (read,) = partitions.waiting()
    pass_time(NOTED_S)
    partitions.note(MINE)

    partitions.remove(read)
    assert waiting(partitions) == {MINE}


def test_partition_that_came_again_after_its_row_had_gone_goes_on_waiting(
    partitions: Partitions, pass_time: Callable[[float], None]
) -> None:
    partitions.note(MINE)
    (read,) = partitions.waiting()
    partitions.remove(read)
    pass_time(1)
    partitions.note(MINE)  # the row has its first version again

    partitions.remove(read)
    assert waiting(partitions) == {MINE}


def test_many_writers_of_one_partition_write_one_row(
    partitions: Partitions, pass_time: Callable[[float], None]
) -> None:
    partitions.note(MINE)
    (first,) = partitions.waiting()
    pass_time(NOTED_S - 1)
    partitions.note(MINE)
    assert list(partitions.waiting()) == [first]


@pytest.mark.parametrize(
    ("seconds", "is_settled"), [pytest.param(SETTLED_S - 1, False, id="young"), pytest.param(SETTLED_S, True, id="old")]
)
def test_change_is_over_a_quarter_of_an_hour_after_its_note(
    partitions: Partitions, clock: Clock, pass_time: Callable[[float], None], seconds: float, is_settled: bool
) -> None:
    partitions.note(MINE)
    pass_time(seconds)
    (row,) = partitions.waiting()
    assert row.is_settled(clock()) is is_settled
    assert partitions.waits_since(SETTLED_S) is is_settled
    assert SETTLED_S - NOTED_S >= 600  # a writer who found a row that was noted already has so long to write


def test_nothing_waits_where_nothing_was_noted(partitions: Partitions) -> None:
    assert partitions.waits_since(0) is False


def test_athletes_partitions_are_found_and_forgotten_without_anybody_elses(partitions: Partitions) -> None:
    for partition in (MINE, YEARS, THEIRS, COPIES):
        partitions.note(partition)
    assert set(partitions.of_athlete(71)) == {MINE, YEARS}

    for _ in range(2):
        partitions.forget(MINE)
        partitions.forget(YEARS)
    assert (partitions.of_athlete(71), waiting(partitions)) == ([], {THEIRS, COPIES})


def test_two_who_note_at_once_leave_a_row(store: Store, path: Path, clock: Clock) -> None:
    class Late(SqliteStore):
        """Another process notes the same between this one's look and its write."""

        def get(self, key):  # type: ignore[no-untyped-def]
            found = super().get(key)
            if found is None:
                Partitions(store, clock).note(MINE)
            return found

    with closing(Late(path, clock)) as late:
        Partitions(late, clock).note(MINE)
    assert waiting(Partitions(store, clock)) == {MINE}


@pytest.mark.parametrize(
    ("passed_s", "is_noted_again"),
    [
        pytest.param(0, False, id="at once"),
        pytest.param(NOTED_S - 1, False, id="a short while ago"),
        pytest.param(NOTED_S, True, id="some minutes ago"),
        pytest.param(-1, True, id="by a clock that is ahead"),
    ],
)
def test_note_is_renewed_unless_it_is_young(
    partitions: Partitions, clock: ManualClock, passed_s: float, is_noted_again: bool
) -> None:
    partitions.note(MINE)
    clock.advance(passed_s)
    partitions.note(MINE)

    (row,) = partitions.waiting()
    noted_at = clock() if is_noted_again else clock() - passed_s
    assert row == Waiting(MINE, noted_at, 2 if is_noted_again else 1)


def test_one_partition_that_has_waited_is_enough(partitions: Partitions, pass_time: Callable[[float], None]) -> None:
    partitions.note(MINE)
    pass_time(60)
    partitions.note(THEIRS)

    assert [partitions.waits_since(seconds) for seconds in (0, 60, 61)] == [True, True, False]


def test_row_is_there_until_it_is_removed_noted_again_or_not(
    partitions: Partitions, pass_time: Callable[[float], None]
) -> None:
    partitions.note(MINE)
    (row,) = partitions.waiting()
    pass_time(NOTED_S)
    partitions.note(MINE)
    assert partitions.is_there(row)

    partitions.forget(MINE)
    assert not partitions.is_there(row)


def test_partition_that_is_noted_again_while_it_is_removed_goes_on_waiting(
    store: Store, clock: Clock, partitions: Partitions, pass_time: Callable[[float], None]
) -> None:
    partitions.note(MINE)
    (read,) = partitions.waiting()
    pass_time(NOTED_S)
    raced = Meanwhile(store, "partitions", lambda: partitions.note(MINE))

    Partitions(raced, clock).remove(read)

    assert waiting(partitions) == {MINE}
