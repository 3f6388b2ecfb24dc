"""What every `Catalog` does.

A further implementation is a further parameter of `place`, with its own way to say what analysts find.
"""

from __future__ import annotations

import multiprocessing
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import duckdb
import pytest

from include.aws import open_client
from include.errors import RetryLater, SettingsError
from include.lake.backend import open_catalog, open_objects
from include.lake.catalog.catalog import Catalog
from include.lake.keys import partition_of, partition_prefix
from include.lake.lake import Lake
from include.lake.objects.objects import Condition
from include.lake.rows.synced import build_rows
from include.lake.schemas import PARTITION_KEYS
from include.state.partitions import Partition
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
            Activity.parse(answer), StreamSet({"time": [0, 1]}, b""), made={}, source="webhook", updated_at_epoch_s=0
        )
        Lake(open_objects(self.lake_url)).write([rows], guard=lambda: None)
        return frozenset(map(partition_of, rows.object_keys))

    def empty(self, partitions: Iterable[Partition]) -> None:
        """Take everything out of the partitions."""
        objects = open_objects(self.lake_url)
        for key in [key for partition in partitions for key in objects.list(partition_prefix(partition))]:
            objects.delete(key, expected=Condition.ANYTHING)


@pytest.fixture
def duckdb_place(tmp_path: Path) -> Place:
    path = tmp_path / "catalog.duckdb"

    def found() -> set[Partition]:
        with duckdb.connect(path, read_only=True) as connection:
            return {
                Partition(table, row[0] if len(row) == 2 else None, row[-1])
                for table, keys in PARTITION_KEYS.items()
                for row in connection.table(table).project(", ".join(keys)).distinct().fetchall()
            }

    return Place((tmp_path / "lake").as_uri(), f"duckdb://{path}", found)


@pytest.fixture
def glue_place(s3_url: str) -> Place:
    """A database with the tables that Terraform defines."""
    client = boto3.client("glue")
    database = f"lake_{uuid.uuid4().hex}"
    client.create_database(DatabaseInput={"Name": database})
    for table, keys in PARTITION_KEYS.items():
        columns = [{"Name": name, "Type": "bigint" if name == "athlete_id" else "int"} for name in keys]
        storage = {"Columns": [{"Name": "activity_id", "Type": "bigint"}], "Location": f"{s3_url}/{table}/"}
        definition = {"Name": table, "PartitionKeys": columns, "StorageDescriptor": storage}
        client.create_table(DatabaseName=database, TableInput=definition)

    def found() -> set[Partition]:
        return {
            Partition(table, *map(int, registered["Values"]))
            for table in ("streams", "activities", "laps")
            for registered in partitions_of(database, table)
        }

    return Place(s3_url, f"glue://{database}/crawler", found)


def partitions_of(database: str, table: str) -> list[dict[str, Any]]:
    pages = boto3.client("glue").get_paginator("get_partitions").paginate(DatabaseName=database, TableName=table)
    return [partition for page in pages for partition in page["Partitions"]]


@pytest.fixture(params=["duckdb", pytest.param("glue", marks=pytest.mark.network)])
def place(request: pytest.FixtureRequest) -> Place:
    place: Place = request.getfixturevalue(f"{request.param}_place")
    return place


def test_register_makes_a_partition_queryable(place: Place) -> None:
    partitions = place.write(7, "2024-05-01T08:00:00Z")
    place.open().register(partitions)
    assert place.found() == partitions == {Partition(table, 7, 2024) for table in ("streams", "activities", "laps")}


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


def test_unregister_lets_go_of_what_holds_nothing_and_keeps_the_rest(place: Place) -> None:
    kept, emptied = place.write(7, "2024-05-01T08:00:00Z"), place.write(8, "2023-05-01T08:00:00Z")
    catalog = place.open()
    catalog.register(kept | emptied)
    place.empty(emptied)

    for _ in range(2):
        catalog.unregister([*emptied, Partition("streams", 9, 1999)])
    assert place.found() == kept


def test_unregister_leaves_tables_that_can_be_asked_when_it_takes_the_last_partition(place: Place) -> None:
    partitions = place.write(7, "2024-05-01T08:00:00Z")
    catalog = place.open()
    catalog.register(partitions)
    place.empty(partitions)

    catalog.unregister(partitions)
    assert place.found() == set()


def test_partition_that_was_unregistered_can_be_registered_again(place: Place) -> None:
    catalog, partitions = place.open(), place.write(7, "2024-05-01T08:00:00Z")
    catalog.register(partitions)
    place.empty(partitions)
    catalog.unregister(partitions)

    assert place.write(7, "2024-05-01T08:00:00Z") == partitions
    catalog.register(partitions)
    assert place.found() == partitions


# --- Glue ----------------------------------------------------------------------------------------


@pytest.mark.network
def test_glue_finds_a_partition_where_its_objects_are_and_stored_like_its_table(glue_place: Place) -> None:
    database = glue_place.catalog_url.split("/")[2]
    glue_place.open().register([Partition("streams", 2**53 + 1, 1969), Partition("copies", None, 2024)])

    (streams,) = partitions_of(database, "streams")
    (copies,) = partitions_of(database, "copies")
    assert (streams["Values"], copies["Values"]) == ([str(2**53 + 1), "1969"], ["2024"])
    location = f"{glue_place.lake_url}/streams/athlete_id={2**53 + 1}/year=1969/"
    assert streams["StorageDescriptor"]["Location"] == location
    assert streams["StorageDescriptor"]["Columns"] == [{"Name": "activity_id", "Type": "bigint"}]
    assert copies["StorageDescriptor"]["Location"] == f"{glue_place.lake_url}/copies/year=2024/"


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[int]]:
    """How many partitions each call to Glue names, which moto takes whatever the number."""
    calls: dict[str, list[int]] = {"PartitionInputList": [], "PartitionsToDelete": []}

    def count(params: dict[str, Any], **_: Any) -> None:
        for name in calls.keys() & params.keys():
            calls[name].append(len(params[name]))

    def opened(*arguments: Any) -> Any:
        client = open_client(*arguments)
        client.meta.events.register("provide-client-params.glue", count)
        return client

    monkeypatch.setattr("include.lake.catalog.glue.open_client", opened)
    return calls


@pytest.mark.network
def test_glue_takes_more_partitions_than_one_call_does(glue_place: Place, sizes: dict[str, list[int]]) -> None:
    partitions = {Partition("laps", athlete_id, 2024) for athlete_id in range(1, 251)}
    glue_place.open().register(list(partitions)[:30])
    glue_place.open().register(partitions)

    assert glue_place.found() == partitions
    assert sizes["PartitionInputList"] == [30, 100, 100, 50]


@pytest.mark.network
def test_glue_names_an_athletes_partitions_and_nobody_elses(glue_place: Place) -> None:
    theirs = {Partition(table, 71, year) for table in ("streams", "laps") for year in (1969, 2024)}
    others = {Partition("streams", 711, 2024), Partition("streams", 7, 2024), Partition("copies", None, 2024)}
    catalog = glue_place.open()
    catalog.register(theirs | others)

    assert set(catalog.of_athlete(71)) == theirs
    assert catalog.of_athlete(2**53 + 1) == []


@pytest.mark.network
def test_glue_lets_go_of_more_partitions_than_one_call_takes(glue_place: Place, sizes: dict[str, list[int]]) -> None:
    partitions = {Partition("laps", athlete_id, 2024) for athlete_id in range(1, 61)}
    catalog = glue_place.open()
    catalog.register(partitions)

    catalog.unregister(partitions)
    assert glue_place.found() == set()
    assert sizes["PartitionsToDelete"] == [25, 25, 10]


@pytest.mark.network
def test_glue_names_the_setting_when_the_tables_are_not_there(aws: None) -> None:
    with pytest.raises(SettingsError, match=r"^CATALOG_URL: .*streams.*Terraform"):
        open_catalog("glue://nowhere/crawler", "s3://my-bucket/lake").register([Partition("streams", 1, 2024)])


@pytest.mark.network
def test_glue_asks_for_another_try_when_it_refuses_some(glue_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"ErrorCode": "InternalServiceException", "ErrorMessage": "try again"}
    refusing = SimpleNamespace(
        get_table=lambda **_: {"Table": {"StorageDescriptor": {}}},
        batch_create_partition=lambda **_: {
            "Errors": [{"ErrorDetail": {"ErrorCode": "AlreadyExistsException"}}] * 2 + [{"ErrorDetail": error}]
        },
    )
    monkeypatch.setattr("include.lake.catalog.glue.open_client", lambda *_: refusing)

    with pytest.raises(RetryLater, match=r"did not register 1 partition\(s\) of streams .*try again"):
        glue_place.open().register([Partition("streams", 1, 2024)])


@pytest.mark.network
def test_glue_asks_for_another_try_when_it_keeps_some(glue_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = [{"ErrorDetail": {"ErrorCode": code}} for code in ("EntityNotFoundException", "InternalServiceException")]
    refusing = SimpleNamespace(batch_delete_partition=lambda **_: {"Errors": errors})
    monkeypatch.setattr("include.lake.catalog.glue.open_client", lambda *_: refusing)

    with pytest.raises(RetryLater, match=r"did not remove 1 partition\(s\) of streams"):
        glue_place.open().unregister([Partition("streams", 1, 2024)])
