"""Who may start the crawler, and when."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from include.clock import Clock
from include.state.crawls import Crawls
from include.state.partitions import Partitions
from include.store.sqlite import SqliteStore
from include.store.store import Store

DAY_S = 86_400


@pytest.fixture
def crawls(store: Store, clock: Clock) -> Crawls:
    return Crawls(store, clock)


def test_one_crawl_a_day(crawls: Crawls, pass_time: Callable[[float], None]) -> None:
    taken = [crawls.take("schema", DAY_S, is_asked_for=False)]
    for seconds in (0, DAY_S - 1, 1, 0):
        pass_time(seconds)
        taken.append(crawls.take("schema", DAY_S, is_asked_for=False))
    assert taken == [True, False, False, True, False]


def test_crawl_comes_at_once_when_a_table_has_changed(crawls: Crawls) -> None:
    assert [crawls.take(schema, DAY_S, is_asked_for=False) for schema in ("old", "new", "new")] == [True, True, False]


def test_crawl_comes_at_once_when_somebody_asks_and_the_next_a_day_later(
    crawls: Crawls, pass_time: Callable[[float], None]
) -> None:
    crawls.take("schema", DAY_S, is_asked_for=False)
    pass_time(DAY_S - 1)
    assert crawls.take("schema", DAY_S, is_asked_for=True)
    pass_time(1)
    assert not crawls.take("schema", DAY_S, is_asked_for=False)


@pytest.mark.parametrize("before", [pytest.param(False, id="first"), pytest.param(True, id="later")])
def test_one_of_two_who_come_at_once_gets_the_turn(
    store: Store, path: Path, clock: Clock, pass_time: Callable[[float], None], before: bool
) -> None:
    if before:
        Crawls(store, clock).take("schema", DAY_S, is_asked_for=False)
        pass_time(DAY_S)
    others = []

    class Late(SqliteStore):
        """Another process takes the turn between this one's look and its write."""

        def get(self, key):  # type: ignore[no-untyped-def]
            found = super().get(key)
            others.append(Crawls(store, clock).take("schema", DAY_S, is_asked_for=False))
            return found

    with closing(Late(path, clock)) as late:
        assert not Crawls(late, clock).take("schema", DAY_S, is_asked_for=False)
    assert others == [True]


def test_turn_is_no_partition(store: Store, clock: Clock, crawls: Crawls) -> None:
    crawls.take("schema", DAY_S, is_asked_for=False)
    assert list(Partitions(store, clock).waiting()) == []
