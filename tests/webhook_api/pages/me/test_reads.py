"""The own page takes as many reads, and as long, after years as on the first day."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from include.store.sqlite import SqliteStore
from include.store.store import Item, Key
from local.testbed.forwarding_store import ForwardingStore
from local.testbed.large_family import RECEIVED, SENT, add_years, link_family
from local.testbed.manual_clock import ManualClock
from webhook_api.edge import EXTENSION, Edge

ADA = 134815
REQUEST_KEYS, REQUEST_ROWS = 100, 50
"""What one request to DynamoDB answers at most of `get_all` and, at the least, of a list."""


class CountingStore(ForwardingStore):
    """A store that counts reads as DynamoDB would be asked."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store)
        self.reads: Counter[str] = Counter()

    def get(self, key: Key) -> Item | None:
        self.reads[key.table] += 1
        return super().get(key)

    def get_all(self, keys: Any) -> Any:
        asked = [*keys]
        self.reads["many rows"] += ceil(len(asked) / REQUEST_KEYS)
        return super().get_all(asked)

    def query(self, table: str, partition: str, sort_prefix: str = "") -> Iterator[Item]:
        return self._counted(table, super().query(table, partition, sort_prefix))

    def find(self, table: str, index: str, value: str | int, **limits: Any) -> Iterator[Item]:
        return self._counted(table, super().find(table, index, value, **limits))

    def _counted(self, table: str, rows: Iterator[Item]) -> Iterator[Item]:
        self.reads[table] += 1
        for number, row in enumerate(rows, start=1):
            self.reads[table] += number % REQUEST_ROWS == 0
            yield row


@pytest.fixture
def after_years(
    ada: Any, app: Flask, store: SqliteStore, clock: ManualClock, tmp_path: Path
) -> Iterator[Callable[[int], CountingStore]]:
    """Ada's family, with mails, and so many activities of hers and of her parents', each with a copy."""
    edge: Edge = app.extensions[EXTENSION]
    settings = replace(edge.settings, mail_url=f"file://{tmp_path}/mails", contact="us@example.org")
    link_family(edge.state, ADA, int(clock()))
    edge.state.mail_addresses.give(ADA, "ada@example.org")
    opened: list[SqliteStore] = []

    def after_years(activities: int) -> CountingStore:
        add_years(tmp_path / "state.sqlite", ADA, activities, int(clock()))
        opened.append(SqliteStore(tmp_path / "state.sqlite", clock))
        counting = CountingStore(opened[-1])
        app.extensions[EXTENSION] = replace(edge, settings=settings, store=lambda: counting)
        return counting

    yield after_years
    for each in opened:
        each.close()


def test_own_page_takes_fewer_than_30_reads_with_everything_on_it(
    ada: Any, after_years: Callable[[int], CountingStore]
) -> None:
    counting = after_years(200)

    page = ada.client.get("/me").text

    shown = ("<h3>Trail Run", SENT, RECEIVED, "<h3>Invitation")
    assert [page.count(each) for each in shown] == [20, 20, 20, 2]
    assert "ada@example.org" in page
    assert counting.reads.total() < 30, counting.reads


def test_own_page_answers_as_fast_after_years_as_on_the_first_days(
    ada: Any, after_years: Callable[[int], CountingStore]
) -> None:
    """The ratio is generous, for a machine that is busy; `make bench ROWS=own_page` measures the time."""

    def page_s() -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            assert ada.client.get("/me").text.count(SENT) == 20
            times.append(time.perf_counter() - start)
        return min(times)

    after_years(40)
    first = page_s()
    counting = after_years(5_000)

    assert page_s() < 2.5 * first + 0.05
    assert counting.reads.total() < 5 * 30
