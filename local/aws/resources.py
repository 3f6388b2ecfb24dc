"""The AWS resources that the code calls, as Terraform creates them; tests keep the two equal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from include.aws import open_client
from include.store.dynamodb_tables import create_tables
from ops.repository import REPOSITORY

REGION = "eu-central-1"
ACCOUNT = "123456789012"
SECRET = "airflow/connections/strava_api"  # noqa: S105 - its name
LAKE_PREFIX = "lake"
LAKE_TABLES = REPOSITORY / "terraform/modules/lake/tables.json"

DISPATCHER_TIMEOUT_S = 50
BATCH_SIZE = 100
BATCH_WINDOW_S = 1
MAX_RECEIVE_COUNT = 20
RETENTION_S = 14 * 86_400
HTTP_TIMEOUT_S = 15
RETENTION_DAYS = "7"
"""The limit of Strava's terms; on AWS the setting has no default."""

_HIVE = "org.apache.hadoop.hive.ql.io.parquet"


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources of one environment, by the names that Terraform gives them."""

    name: str

    @property
    def table_prefix(self) -> str:
        """The prefix of the names of DynamoDB's tables."""
        return f"{self.name}-"

    @property
    def bucket(self) -> str:
        """The lake's bucket."""
        return f"{self.name}-lake-{ACCOUNT}-{REGION}"

    @property
    def key_alias(self) -> str:
        """The alias of the key that encrypts athletes' tokens."""
        return f"alias/{self.name}-token"

    @property
    def database(self) -> str:
        """Glue's database."""
        return self.name.replace("-", "_")

    @property
    def crawler(self) -> str:
        """Glue's crawler."""
        return f"{self.name}-lake"

    def queue_url(self, kind: str = "events") -> str:
        """The URL of the queue of `events` or of `dead-letters`."""
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.name}-{kind}"

    def settings(self) -> Mapping[str, str]:
        """The settings with the addresses of the leaves, and those that an owner has to decide."""
        return {
            "STATE_URL": f"dynamodb://{self.table_prefix}",
            "LAKE_URL": f"s3://{self.bucket}/{LAKE_PREFIX}",
            "QUEUE_URL": self.queue_url(),
            "KEY_URL": f"kms://{self.key_alias}",
            "CATALOG_URL": f"glue://{self.database}/{self.crawler}",
            "AIRFLOW_URL": f"mwaa://{self.name}",
            "RETENTION_DAYS": RETENTION_DAYS,
        }

    def queue_attributes(self) -> Mapping[str, str]:
        """The attributes of the queue of events."""
        dead = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}-dead-letters"
        return {
            "MessageRetentionPeriod": str(RETENTION_S),
            "VisibilityTimeout": str(6 * DISPATCHER_TIMEOUT_S),
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": MAX_RECEIVE_COUNT}),
        }

    def glue_tables(self) -> Iterator[Mapping[str, Any]]:
        """The lake's tables for Glue's `CreateTable`, from the file that Terraform reads."""
        for name, table in json.loads(LAKE_TABLES.read_text()).items():
            yield {
                "Name": name,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
                "PartitionKeys": [{"Name": key["name"], "Type": key["type"]} for key in table["partition_keys"]],
                "StorageDescriptor": {
                    "Location": f"s3://{self.bucket}/{LAKE_PREFIX}/{name}/",
                    "InputFormat": f"{_HIVE}.MapredParquetInputFormat",
                    "OutputFormat": f"{_HIVE}.MapredParquetOutputFormat",
                    "SerdeInfo": {"SerializationLibrary": f"{_HIVE}.serde.ParquetHiveSerDe"},
                    "Columns": [
                        {"Name": column["name"], "Type": column["type"], "Comment": column["comment"]}
                        for column in table["columns"]
                    ],
                },
            }

    def crawler_definition(self) -> Mapping[str, Any]:
        """The crawler for Glue's `CreateCrawler`."""
        tables = sorted(table["Name"] for table in self.glue_tables())
        return {
            "Name": self.crawler,
            "Role": f"arn:aws:iam::{ACCOUNT}:role/{self.name}-crawler",
            "DatabaseName": self.database,
            "Targets": {"CatalogTargets": [{"DatabaseName": self.database, "Tables": tables}]},
            "SchemaChangePolicy": {"DeleteBehavior": "LOG", "UpdateBehavior": "LOG"},
            "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
            "Configuration": json.dumps(
                {"Version": 1.0, "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}}
            ),
        }

    def create(self, connection: Mapping[str, Any]) -> None:
        """Create all resources, and the secret's value, in the empty account of this process's environment.

        `connection` is Airflow's Connection `strava_api`, whose value a person sets on AWS.
        """
        create_tables(open_client("dynamodb", "STATE_URL"), self.table_prefix)
        self._create_bucket(open_client("s3", "LAKE_URL"))
        self._create_queues(open_client("sqs", "QUEUE_URL"))
        self._create_catalogue(open_client("glue", "CATALOG_URL"))
        kms = open_client("kms", "KEY_URL")
        kms.create_alias(AliasName=self.key_alias, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        open_client("secretsmanager", "SECRET_ID").create_secret(Name=SECRET, SecretString=json.dumps(connection))

    def _create_bucket(self, s3: Any) -> None:
        s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})

    def _create_queues(self, sqs: Any) -> None:
        retention = {"MessageRetentionPeriod": str(RETENTION_S)}
        sqs.create_queue(QueueName=f"{self.name}-dead-letters", Attributes=retention)
        sqs.create_queue(QueueName=f"{self.name}-events", Attributes=self.queue_attributes())

    def _create_catalogue(self, glue: Any) -> None:
        glue.create_database(DatabaseInput={"Name": self.database})
        for table in self.glue_tables():
            glue.create_table(DatabaseName=self.database, TableInput=table)
        glue.create_crawler(**self.crawler_definition())
