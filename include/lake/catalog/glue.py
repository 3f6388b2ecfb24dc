"""The catalogue on AWS: partitions in Glue's Data Catalog, which Athena reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from include.aws import aws_faults, open_client
from include.errors import RetryLater, SettingsError
from include.lake.keys import partition_prefix
from include.lake.schemas import PARTITION_KEYS
from include.state.partitions import Partition

if TYPE_CHECKING:
    from types_boto3_glue import GlueClient
    from types_boto3_glue.type_defs import (
        BatchCreatePartitionResponseTypeDef,
        BatchDeletePartitionResponseTypeDef,
        PartitionInputTypeDef,
        PartitionValueListTypeDef,
        StorageDescriptorOutputTypeDef,
    )

    _Answer = BatchCreatePartitionResponseTypeDef | BatchDeletePartitionResponseTypeDef

_SETTING = "CATALOG_URL"
_CREATED_AT_ONCE = 100
_DELETED_AT_ONCE = 25
_THERE_ALREADY = "AlreadyExistsException"
_NOT_THERE = "EntityNotFoundException"


class GlueCatalog:
    """The partitions of existing tables: Terraform defines the tables from the schema module; nothing here alters one.

    The role needs `glue:GetTable`, `glue:GetPartitions`, `glue:BatchCreatePartition` and `glue:BatchDeletePartition` on
    the database and its tables.
    """

    def __init__(self, database: str, lake_url: str) -> None:
        self._database = database
        self._lake_url = lake_url.rstrip("/")

    def register(self, partitions: Iterable[Partition]) -> None:
        """Make these partitions queryable; safe to repeat, also for registered or empty ones.

        Errors: `RetryLater` when Glue throttles or fails, and `SettingsError` for a table that Glue does not have.
        Effects: at most one call for a hundred partitions, and one for each table; a registered partition stays.
        """
        for table, of_table in _by_table(partitions):
            client = open_client("glue", _SETTING)
            inputs = self._inputs(client, table, of_table)
            for first in range(0, len(inputs), _CREATED_AT_ONCE):
                some = inputs[first : first + _CREATED_AT_ONCE]
                with aws_faults(_SETTING):
                    answer = client.batch_create_partition(
                        DatabaseName=self._database, TableName=table, PartitionInputList=some
                    )
                _check(answer, table, "register", fine=_THERE_ALREADY)

    def unregister(self, partitions: Iterable[Partition]) -> None:
        """Remove these partitions from the catalogue; safe to repeat, registered or not.

        Errors: `RetryLater` when Glue throttles or fails. Effects: at most one call for 25 partitions.
        """
        for table, of_table in _by_table(partitions):
            client = open_client("glue", _SETTING)
            for first in range(0, len(of_table), _DELETED_AT_ONCE):
                some: list[PartitionValueListTypeDef] = [
                    {"Values": _values(one)} for one in of_table[first : first + _DELETED_AT_ONCE]
                ]
                with aws_faults(_SETTING):
                    answer = client.batch_delete_partition(
                        DatabaseName=self._database, TableName=table, PartitionsToDelete=some
                    )
                _check(answer, table, "remove", fine=_NOT_THERE)

    def of_athlete(self, athlete_id: int) -> list[Partition]:
        """The athlete's partitions in Glue. Errors: `RetryLater` when Glue throttles or fails."""
        client = open_client("glue", _SETTING)
        found: list[Partition] = []
        for table in (table for table, keys in PARTITION_KEYS.items() if "athlete_id" in keys):
            with aws_faults(_SETTING):
                pages = client.get_paginator("get_partitions").paginate(
                    DatabaseName=self._database,
                    TableName=table,
                    Expression=f"athlete_id = {athlete_id}",
                    ExcludeColumnSchema=True,
                )
                values = [partition["Values"] for page in pages for partition in page["Partitions"]]
            found += [Partition(table, int(of_athlete), int(year)) for of_athlete, year in values]
        return found

    def _inputs(self, client: GlueClient, table: str, partitions: Sequence[Partition]) -> list[PartitionInputTypeDef]:
        """The partitions as Glue expects them: each with its table's storage format and its own location."""
        with aws_faults(_SETTING):
            try:
                storage = client.get_table(DatabaseName=self._database, Name=table)["Table"]["StorageDescriptor"]
            except client.exceptions.EntityNotFoundException as err:
                raise SettingsError(
                    f"{_SETTING}: Glue has no table {table} in the database {self._database}: apply Terraform, "
                    "which defines every table of the lake."
                ) from err
        return [self._input(storage, partition) for partition in partitions]

    def _input(self, storage: StorageDescriptorOutputTypeDef, partition: Partition) -> PartitionInputTypeDef:
        location = f"{self._lake_url}/{partition_prefix(partition)}"
        return {"Values": _values(partition), "StorageDescriptor": {**storage, "Location": location}}


def _by_table(partitions: Iterable[Partition]) -> Iterator[tuple[str, list[Partition]]]:
    """Each table's name with its partitions, each once."""
    for table, of_table in groupby(sorted(set(partitions)), key=lambda partition: partition.table):
        yield table, list(of_table)


def _values(partition: Partition) -> list[str]:
    """The partition's values in the order of the table's keys."""
    return [str(getattr(partition, name)) for name in PARTITION_KEYS[partition.table]]


def _check(answer: _Answer, table: str, verb: str, *, fine: str) -> None:
    """Errors: `RetryLater` where Glue failed for some partitions; those with the code `fine` needed nothing."""
    failed = [error["ErrorDetail"] for error in answer.get("Errors", [])]
    failed = [detail for detail in failed if detail["ErrorCode"] != fine]
    if failed:
        raise RetryLater(
            f"{_SETTING}: Glue did not {verb} {len(failed)} partition(s) of {table} "
            f"({failed[0]['ErrorCode']}: {failed[0].get('ErrorMessage', '')}); it is safe to try again"
        )
