"""The lake's objects in an S3 bucket: the implementation of `ObjectStore` for AWS."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypedDict

from include.aws import aws_faults, open_client
from include.errors import ObjectConflict
from include.lake.keys import check_key
from include.lake.objects.objects import Condition, StoredObject

if TYPE_CHECKING:
    from botocore.exceptions import _ClientErrorResponseTypeDef as ErrorResponse
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

    _Response = ErrorResponse | HeadObjectOutputTypeDef

_SETTING = "LAKE_URL"
_WRITE_ID = "write-id"
_ABSENT = 404
_CONFLICTS = frozenset({_ABSENT, 409, 412})
"""Statuses of a refused conditional request: object deleted, another write under way, another etag."""


class _IfMatch(TypedDict, total=False):
    IfMatch: str


class _Condition(_IfMatch, total=False):
    IfNoneMatch: str


class S3Objects:
    """Objects below one prefix of a general purpose bucket, safe for any number of machines.

    Every write is one conditional request (`If-Match`, `If-None-Match: *`), and so is every removal.
    Requests are sent again when their answer is lost: a writer then recognises its own write by an id in the object's
    metadata, and is not refused because of it. If another write came in between, it is refused, as if it had come
    later. `docs/adr/0008-conditional-requests-on-s3.md` says why, and which window remains.

    Errors: `RetryLater` and `SettingsError` from every call, see `include.aws`. The role needs `s3:ListBucket`,
    without which S3 answers 403 for an absent object, `s3:GetObject`, `s3:PutObject` and `s3:DeleteObject`.
    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
    """

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self._client = open_client("s3", _SETTING)
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def get(self, key: str) -> StoredObject | None:
        """The object, or None where there is none."""
        with aws_faults(_SETTING):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._name(key))
            except self._client.exceptions.NoSuchKey:
                return None
            return StoredObject(key=key, body=answer["Body"].read(), etag=answer["ETag"])

    def put(self, key: str, body: bytes, *, expected: str | Condition) -> str:
        """Write if the present etag is `expected` (or absent, or anything); returns the new etag.

        Errors: `ObjectConflict` when it is not, or while another write is under way; read and decide again.
        """
        write_id = uuid.uuid4().hex
        condition: _Condition = {}
        if isinstance(expected, str):
            condition["IfMatch"] = expected
        elif expected is Condition.ABSENT:
            condition["IfNoneMatch"] = "*"
        metadata = {_WRITE_ID: write_id}
        try:
            with aws_faults(_SETTING):
                return self._client.put_object(
                    Bucket=self._bucket, Key=self._name(key), Body=body, Metadata=metadata, **condition
                )["ETag"]
        except self._client.exceptions.ClientError as err:
            if _status(err.response) not in _CONFLICTS:
                raise
            present = self._head(key) if _was_sent_again(err.response) else None
            # Only the value is compared: servers change the case of the name.
            if present is None or write_id not in present.get("Metadata", {}).values():
                raise _conflict(key, err.response) from err
            return present["ETag"]

    def delete(self, key: str, *, expected: str | Condition) -> None:
        """Remove under the same condition; an absent object is no conflict with `ANYTHING`, but is one with an etag.

        Effects: in a versioned bucket the old bytes stay until the bucket's lifecycle rule removes them.
        """
        if expected is Condition.ABSENT:
            present = self._head(key)
            if present:
                raise _conflict(key, present)
            return
        try:
            with aws_faults(_SETTING):
                self._client.delete_object(Bucket=self._bucket, Key=self._name(key), **_if_match(expected))
        except self._client.exceptions.ClientError as err:
            if _status(err.response) not in _CONFLICTS:
                raise
            is_own = _status(err.response) == _ABSENT and _was_sent_again(err.response)
            if not is_own:
                raise _conflict(key, err.response) from err

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that start with `prefix`, sorted; requested page by page as they are read."""
        directory, slash, _ = prefix.rpartition("/")
        if slash:
            check_key(directory)
        return self._keys(prefix)

    def prune(self, prefix: str) -> None:
        """No effect: a bucket has no folders."""

    def url(self, key: str) -> str:
        """The object's `s3://` URL."""
        return f"s3://{self._bucket}/{self._prefix}{check_key(key)}"

    def _keys(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2")
        with aws_faults(_SETTING):
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{self._prefix}{prefix}"):
                names = (entry["Key"].removeprefix(self._prefix) for entry in page.get("Contents", ()))
                # A name that ends with a slash is an empty folder that somebody made in S3's console.
                yield from (name for name in names if name and not name.endswith("/"))

    def _head(self, key: str) -> HeadObjectOutputTypeDef | None:
        """S3's metadata of the object; None where there is no object."""
        try:
            with aws_faults(_SETTING):
                return self._client.head_object(Bucket=self._bucket, Key=self._name(key))
        except self._client.exceptions.ClientError as err:
            if _status(err.response) != _ABSENT:
                raise
            return None

    def _name(self, key: str) -> str:
        return f"{self._prefix}{check_key(key)}"


def _if_match(expected: str | Condition) -> _IfMatch:
    return {} if isinstance(expected, Condition) else {"IfMatch": expected}


def _status(response: _Response) -> int:
    return response["ResponseMetadata"]["HTTPStatusCode"]


def _was_sent_again(response: _Response) -> bool:
    """Whether an earlier attempt may have succeeded although its answer was lost."""
    return bool(response["ResponseMetadata"].get("RetryAttempts"))


def _conflict(key: str, response: _Response) -> ObjectConflict:
    return ObjectConflict(
        f"{key} was changed by another writer (S3 answers {_status(response)}): read it again and decide again"
    )
