"""The catalogue on AWS: partitions in Glue's Data Catalog, where Athena looks for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from include.aws import aws_faults, open_client
from include.errors import RetryLater, SettingsError
from include.lake.catalog import Partition
from include.lake.schemas import PARTITION_KEYS

_SETTING = "CATALOG_URL"
_MOST_AT_ONCE = 100
_THERE_ALREADY = "AlreadyExistsException"


class GlueCatalog:
    """The partitions of tables that exist: Terraform defines them from the schema module, and nothing here alters one.

    The role needs `glue:GetTable` and `glue:BatchCreatePartition` on the database and its tables.
    """

    def __init__(self, database: str, lake_url: str) -> None:
        self._database = database
        self._lake_url = lake_url.rstrip("/")

    def register(self, partitions: Iterable[Partition]) -> None:
        """Make these partitions queryable; safe to repeat, whether they are registered or hold nothing.

        Errors: `RetryLater` when Glue is throttled or failing, and `SettingsError` for a table that it does not have.
        Effects: at most one call for a hundred partitions, and one for each table; a partition that is there stays.
        """
        wanted = sorted(set(partitions), key=lambda partition: partition.table)
        client = open_client("glue", _SETTING) if wanted else None
        for table, of_table in groupby(wanted, key=lambda partition: partition.table):
            inputs = self._inputs(client, table, list(of_table))
            for first in range(0, len(inputs), _MOST_AT_ONCE):
                self._create(client, table, inputs[first : first + _MOST_AT_ONCE])

    def _inputs(self, client: Any, table: str, partitions: Sequence[Partition]) -> list[dict[str, Any]]:
        """The partitions as Glue takes them: each is stored like its table, in a place of its own."""
        with aws_faults(_SETTING):
            try:
                storage = client.get_table(DatabaseName=self._database, Name=table)["Table"]["StorageDescriptor"]
            except client.exceptions.EntityNotFoundException as err:
                raise SettingsError(
                    f"{_SETTING}: Glue has no table {table} in the database {self._database}: apply Terraform, "
                    "which defines every table of the lake."
                ) from err
        return [self._input(storage, partition) for partition in partitions]

    def _input(self, storage: dict[str, Any], partition: Partition) -> dict[str, Any]:
        values = {name: str(getattr(partition, name)) for name in PARTITION_KEYS[partition.table]}
        path = "/".join(f"{name}={value}" for name, value in values.items())
        return {
            "Values": list(values.values()),
            "StorageDescriptor": {**storage, "Location": f"{self._lake_url}/{partition.table}/{path}/"},
        }

    def _create(self, client: Any, table: str, inputs: Sequence[dict[str, Any]]) -> None:
        with aws_faults(_SETTING):
            answer = client.batch_create_partition(
                DatabaseName=self._database, TableName=table, PartitionInputList=inputs
            )
        failed = [error["ErrorDetail"] for error in answer.get("Errors", [])]
        failed = [detail for detail in failed if detail["ErrorCode"] != _THERE_ALREADY]
        if failed:
            raise RetryLater(
                f"{_SETTING}: Glue did not register {len(failed)} partition(s) of {table} "
                f"({failed[0]['ErrorCode']}: {failed[0].get('ErrorMessage', '')}); registering them again is safe"
            )
