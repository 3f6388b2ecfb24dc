"""Reads the contents of the leaves on AWS with AWS's own clients."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.aws import open_client
from include.store.dynamodb_item import to_item
from include.store.store import TABLES
from local.aws.resources import LAKE_PREFIX, SECRET, Resources
from local.testbed.inspection import Row

_PARTITION = re.compile(r"(?P<table>[a-z]+)/(?P<partition>([a-z_]+=[^/]+/)+)[^/]+\.parquet")


@dataclass(frozen=True, slots=True)
class AwsInspection:
    """The tables, the bucket, the queues and the catalogue of one environment."""

    resources: Resources
    scratch: Path
    """The folder for the lake's downloaded objects."""

    def lake(self) -> Path:
        """A download of every object, made at each call."""
        folder = self.scratch / "downloaded_lake"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for entry in self._versions():
            if entry["IsLatest"]:
                path = folder / entry["Key"].removeprefix(f"{LAKE_PREFIX}/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self._body(entry))
        return folder

    def rows(self) -> Sequence[Row]:
        """Every item of every table."""
        client = open_client("dynamodb", "STATE_URL")
        found = []
        for table in TABLES:
            for page in client.get_paginator("scan").paginate(TableName=f"{self.resources.table_prefix}{table}"):
                items = (to_item(table, attributes) for attributes in page["Items"])
                found += [Row(table, item.key.partition, item.key.sort, item.fields) for item in items]
        return found

    def outside(self) -> Mapping[str, bytes]:
        """Every item, every waiting or dead message, and every old version of an object."""
        items = {f"DynamoDB: {row.table} {row.partition} {row.sort}": repr(row.fields).encode() for row in self.rows()}
        messages = {f"SQS: {message['MessageId']}": repr(message).encode() for message in self._messages()}
        old = {
            f"S3: {entry['Key']} version {entry['VersionId']}": self._body(entry)
            for entry in self._versions()
            if not entry["IsLatest"]
        }
        return {**items, **messages, **old}

    def account(self) -> Sequence[Mapping[str, str]]:
        """The contents of each leaf, with its address."""
        addresses = self.resources.settings()
        rows, versions = self.rows(), list(self._versions())
        latest = [entry for entry in versions if entry["IsLatest"]]
        size_mb = sum(entry["Size"] for entry in latest) / 1_000_000
        tables = Counter(table for table, _ in self._registered())
        registered = ", ".join(f"{count} of {table}" for table, count in sorted(tables.items()))
        crawler = open_client("glue", "CATALOG_URL").get_crawler(Name=self.resources.crawler)["Crawler"]
        last = crawler.get("LastCrawl", {}).get("Status", "none")
        held = {
            "STATE_URL": f"{len(rows)} items in {len(TABLES)} tables",
            "LAKE_URL": f"{len(latest)} objects, {size_mb:.1f} MB; {len(versions) - len(latest)} older versions",
            "QUEUE_URL": f"{sum(1 for _ in self._messages())} messages left, dead letters included",
            "KEY_URL": "the key of the athletes' tokens",
            "CATALOG_URL": f"partitions: {registered}; last crawl: {last}",
            "AIRFLOW_URL": "the local Airflow behind InvokeRestApi",
        }
        told = [{"leaf": name, "address": addresses[name], "holds": what} for name, what in held.items()]
        return [*told, {"leaf": "SECRET_ID", "address": SECRET, "holds": "the Connection and the Lambda's secrets"}]

    def faults(self) -> Sequence[str]:
        """Partitions with objects that the catalogue lacks, and messages that were not dispatched."""
        stored = set()
        for entry in self._versions():
            match = _PARTITION.fullmatch(entry["Key"].removeprefix(f"{LAKE_PREFIX}/"))
            if match and entry["IsLatest"]:
                stored.add((match["table"], f"{match['table']}/{match['partition']}"))
        missing = stored - set(self._registered())
        left = [f"queue: message {message['MessageId']} is left" for message in self._messages()]
        return [*(f"catalogue: {place} is not registered" for _, place in sorted(missing)), *left]

    def _registered(self) -> Iterator[tuple[str, str]]:
        """The table and location of every partition in Glue."""
        glue = open_client("glue", "CATALOG_URL")
        root = f"s3://{self.resources.bucket}/{LAKE_PREFIX}/"
        for table in self.resources.glue_tables():
            pages = glue.get_paginator("get_partitions")
            for page in pages.paginate(DatabaseName=self.resources.database, TableName=table["Name"]):
                for partition in page["Partitions"]:
                    yield table["Name"], partition["StorageDescriptor"]["Location"].removeprefix(root)

    def _versions(self) -> Iterator[Mapping[str, Any]]:
        pages = open_client("s3", "LAKE_URL").get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self.resources.bucket, Prefix=f"{LAKE_PREFIX}/"):
            yield from page.get("Versions", ())

    def _body(self, entry: Mapping[str, Any]) -> bytes:
        s3 = open_client("s3", "LAKE_URL")
        answer = s3.get_object(Bucket=self.resources.bucket, Key=entry["Key"], VersionId=entry["VersionId"])
        body: bytes = answer["Body"].read()
        return body

    def _messages(self) -> Iterator[Mapping[str, Any]]:
        """Every message that could be received now; the messages stay in the queue."""
        sqs = open_client("sqs", "QUEUE_URL")
        for kind in ("events", "dead-letters"):
            found: Sequence[Mapping[str, Any]] = sqs.receive_message(
                QueueUrl=self.resources.queue_url(kind), MaxNumberOfMessages=10, VisibilityTimeout=0
            ).get("Messages", [])
            yield from found
