"""What every `Catalog` does.

A further implementation is a further parameter of `place`, with its own way to say what analysts find.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from include.lake.backend import open_catalog, open_objects
from include.lake.catalog import Catalog, Partition
from include.lake.lake import Lake
from include.lake.rows import build_rows
from include.lake.schemas import PARTITION_KEYS
from include.strava.models import Activity, StreamSet


@dataclass(frozen=True)
class Place:
    """A lake, its catalogue, and what an analyst finds there."""

    lake_url: str
    catalog_url: str
    found: Callable[[], set[Partition]]

    def open(self) -> Catalog:
        return open_catalog(self.catalog_url, self.lake_url)

    def write(self, athlete_id: int, start_date: str) -> frozenset[Partition]:
        """Put one activity into the lake; returns the partitions that hold it."""
        answer = {
            "id": 1,
            "athlete": {"id": athlete_id},
            "start_date": start_date,
            "resource_state": 3,
            "laps": [{"id": 1}],
        }
        rows = build_rows(
            Activity.parse(answer), StreamSet({"time": [0, 1]}, b""), source="webhook", updated_at_epoch_s=0
        )
        return Lake(open_objects(self.lake_url)).write([rows], guard=lambda: None).partitions


@pytest.fixture(params=["duckdb"])
def place(tmp_path: Path) -> Place:
    path = tmp_path / "catalog.duckdb"

    def found() -> set[Partition]:
        with duckdb.connect(path, read_only=True) as connection:
            return {
                Partition(table, row[0] if len(row) == 2 else None, row[-1])
                for table, keys in PARTITION_KEYS.items()
                for row in connection.table(table).project(", ".join(keys)).distinct().fetchall()
            }

    return Place((tmp_path / "lake").as_uri(), f"duckdb://{path}", found)


def test_register_makes_a_partition_queryable(place: Place) -> None:
    partitions = place.write(7, "2024-05-01T08:00:00Z")
    place.open().register(partitions)
    assert (
        place.found()
        == partitions
        == {Partition(table, 7, 2024) for table, keys in PARTITION_KEYS.items() if "athlete_id" in keys}
    )


def test_register_adds_to_what_is_registered(place: Place) -> None:
    first = place.write(7, "2024-05-01T08:00:00Z")
    place.open().register(first)
    second = place.write(2**53 + 1, "1969-12-31T23:00:00Z")
    place.open().register(second)
    assert place.found() == first | second


def test_register_is_safe_to_repeat(place: Place) -> None:
    catalog = place.open()
    partitions = place.write(7, "2024-05-01T08:00:00Z")
    catalog.register(partitions)
    catalog.register(partitions)
    assert place.found() == partitions


@pytest.mark.parametrize(
    "partitions",
    [
        pytest.param([], id="none"),
        pytest.param([Partition("streams", 9, 1999)], id="without-objects"),
        pytest.param([Partition("copies", None, 2024)], id="of-no-athlete"),
    ],
)
def test_register_takes_partitions_that_hold_nothing(place: Place, partitions: list[Partition]) -> None:
    written = place.write(7, "2024-05-01T08:00:00Z")
    place.open().register(written)
    place.open().register(partitions)
    assert place.found() >= written


def register(catalog_url: str, lake_url: str, partitions: frozenset[Partition]) -> None:
    open_catalog(catalog_url, lake_url).register(partitions)


def test_register_works_when_several_processes_register_at_once(place: Place) -> None:
    partitions = place.write(7, "2024-05-01T08:00:00Z")
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        registering = [pool.submit(register, place.catalog_url, place.lake_url, partitions) for _ in range(6)]
        for registration in registering:
            registration.result()
    assert place.found() == partitions
