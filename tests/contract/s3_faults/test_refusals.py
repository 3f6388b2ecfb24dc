"""What the lake on S3 says when S3 refuses, and what it lists."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3 import s3_backends

from include.errors import SettingsError
from include.lake.backend import open_objects
from include.lake.objects.objects import Condition, ObjectStore

pytestmark = pytest.mark.network

KEY = "streams/athlete_id=7/year=2024/2024-05.parquet"

Fault = tuple[int, str] | str


@pytest.mark.parametrize(
    "code",
    [
        pytest.param((403, "AccessDenied"), id="not permitted"),
        pytest.param((403, "InvalidAccessKeyId"), id="unknown credentials"),
        pytest.param((403, "RequestTimeTooSkewed"), id="clock wrong"),
        pytest.param((404, "NoSuchBucket"), id="no such bucket"),
    ],
)
def test_refusal_names_the_setting_and_is_no_absence(objects: ObjectStore, wire: Any, code: Fault) -> None:
    wire.always = code

    for call in (
        lambda: objects.get(KEY),
        lambda: objects.put(KEY, b"x", expected=Condition.ABSENT),
        lambda: objects.delete(KEY, expected="etag"),
        lambda: list(objects.list("")),
    ):
        with pytest.raises(SettingsError, match=r"LAKE_URL: AWS refuses .*credentials permit it"):
            call()


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda objects: objects.get(KEY), id="get"),
        pytest.param(lambda objects: objects.put(KEY, b"x", expected="etag"), id="put"),
        pytest.param(lambda objects: objects.delete(KEY, expected="etag"), id="delete"),
        pytest.param(lambda objects: objects.delete(KEY, expected=Condition.ABSENT), id="delete what is absent"),
    ],
)
def test_answer_that_nobody_foresaw_is_neither_a_conflict_nor_an_absence(
    objects: ObjectStore, wire: Any, call: Callable[[ObjectStore], object]
) -> None:
    wire.always = (400, "KeyTooLongError")

    with pytest.raises(ClientError, match=r"\((KeyTooLongError|400)\)"):
        call(objects)

    assert len(wire.sent) == 1


def test_setting_is_named_when_there_is_no_such_bucket(aws: None) -> None:
    with pytest.raises(SettingsError, match=r"LAKE_URL: AWS refuses GetObject \(NoSuchBucket"):
        open_objects("s3://no-such-bucket/lake").get(KEY)


# --- keys ----------------------------------------------------------------------------------------


def test_every_page_is_listed_and_nothing_beside_the_prefix(s3_bucket: str, s3_url: str) -> None:
    prefix = s3_url.removeprefix(f"s3://{s3_bucket}/")
    bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    keys = [f"raw/athlete_id=7/{number}.json" for number in range(1100)]
    for name in (*(f"{prefix}/{key}" for key in keys), f"{prefix}-other/raw/1", f"{prefix}/", f"{prefix}/raw/"):
        bucket.put_object(s3_bucket, name, b"")

    assert list(open_objects(s3_url).list("")) == sorted(keys)


@pytest.mark.parametrize("prefix", ["", "/"])
def test_bucket_without_a_prefix_is_a_lake_too(aws: None, s3_bucket: str, s3_url: str, prefix: str) -> None:
    below = s3_url.removeprefix(f"s3://{s3_bucket}/")
    objects = open_objects(f"s3://{s3_bucket}{prefix}")

    objects.put(f"{below}/a", b"x", expected=Condition.ABSENT)

    assert objects.url("a") == f"s3://{s3_bucket}/a"
    assert list(objects.list(f"{below}/")) == [f"{below}/a"]
    assert list(open_objects(s3_url).list("")) == ["a"]


def test_backend_loads_nothing_of_aws_before_it_is_asked_for() -> None:
    code = "import sys, include.lake.backend; print(sorted({'boto3', 'botocore'} & sys.modules.keys()))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"
