"""Deadlines of the present work."""

from __future__ import annotations

import math
import threading
from types import SimpleNamespace

import pytest

from include import deadline
from include.deadline import ending_at, remaining_s, without_deadline


@pytest.fixture(autouse=True)
def now_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """The monotonic clock stands at 100 s."""
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: 100.0))


def test_work_without_a_deadline_may_last_for_ever() -> None:
    assert remaining_s() == math.inf


@pytest.mark.parametrize(
    ("inner_s", "left"), [pytest.param(105.0, 2.0, id="later inside"), pytest.param(101.0, 1.0, id="earlier inside")]
)
def test_earlier_deadline_wins_when_one_lies_in_the_other(inner_s: float, left: float) -> None:
    with ending_at(102.0):
        with ending_at(inner_s):
            assert remaining_s() == left
        assert remaining_s() == 2.0
    assert remaining_s() == math.inf


def test_time_that_is_over_is_negative() -> None:
    with ending_at(97.0):
        assert remaining_s() == -3.0


def test_block_without_deadline_outlasts_the_one_around_it() -> None:
    with ending_at(97.0):
        with without_deadline():
            assert remaining_s() == math.inf
        assert remaining_s() == -3.0


def test_deadline_of_one_thread_is_not_that_of_another() -> None:
    seen: list[float] = []
    with ending_at(101.0):
        thread = threading.Thread(target=lambda: seen.append(remaining_s()))
        thread.start()
        thread.join()

    assert seen == [math.inf]
