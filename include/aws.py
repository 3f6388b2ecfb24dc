"""AWS clients: one way to open them, and one mapping of their errors.

Region, credentials and endpoint come from where every AWS tool takes them: the environment
(`AWS_DEFAULT_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL` …), the shared files, or the role of the machine.
"""

from __future__ import annotations

import contextlib
import math
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Literal, overload

from include.deadline import remaining_s
from include.errors import IngestError, RetryLater, SettingsError

if TYPE_CHECKING:
    from botocore.exceptions import _ClientErrorResponseTypeDef as ErrorResponse
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_glue import GlueClient
    from types_boto3_kms import KMSClient
    from types_boto3_mwaa import MWAAClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one call may wait for AWS, if the deadline of the work leaves as much."""

    connect_s: float
    read_s: float
    attempts: int
    """How often it is sent at most."""

    @property
    def attempt_s(self) -> float:
        """The longest that one attempt takes while AWS is silent."""
        return self.connect_s + self.read_s


WORK = Patience(connect_s=2, read_s=5, attempts=4)
"""For tasks, which can wait."""
ANSWER = Patience(connect_s=0.3, read_s=0.7, attempts=3)
"""For the web edge, while Strava or a person waits. AWS answers within milliseconds in its own region."""

_SHORT_WAIT_S = 0.05
"""Under a deadline, the longest wait before the next attempt is this times 2 to the power of the attempts so far."""

_OPENING = threading.Lock()
"""Opens one client at a time, because boto3's default session is not safe for threads."""


class Fault(Enum):
    """The meaning of AWS's error responses, for every operation."""

    THROTTLED = auto()
    FAILING = auto()
    REFUSED = auto()
    """Permissions, credentials or names are wrong: the same call would be refused again."""
    UNKNOWN_CALL = auto()
    """The server does not implement the operation: it is not AWS."""


_THROTTLED = frozenset(
    {
        "KmsThrottled",
        "LimitExceededException",
        "OverLimit",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_FAILING = frozenset({"RequestTimeout"})
"""Codes that come with a status below 500: S3 read the request too slowly."""
_REFUSED = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "AccessDenied",
        "AccessDeniedException",
        "DisabledException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "KMSInvalidStateException",
        "MissingAuthenticationToken",
        "NoSuchBucket",
        "NotFoundException",
        "PermanentRedirect",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


@overload
def open_client(service: Literal["dynamodb"], variable: str, patience: Patience = ...) -> DynamoDBClient: ...
@overload
def open_client(service: Literal["glue"], variable: str) -> GlueClient: ...
@overload
def open_client(service: Literal["kms"], variable: str, patience: Patience = ...) -> KMSClient: ...
@overload
def open_client(service: Literal["mwaa"], variable: str, patience: Patience = ...) -> MWAAClient: ...
@overload
def open_client(service: Literal["s3"], variable: str) -> S3Client: ...
@overload
def open_client(
    service: Literal["secretsmanager"], variable: str, patience: Patience = ...
) -> SecretsManagerClient: ...
@overload
def open_client(service: Literal["sqs"], variable: str, patience: Patience = ...) -> SQSClient: ...
@overload
def open_client(service: Literal["cloudwatch", "events", "sns", "sts"], variable: str) -> Any: ...
@overload
def open_client(service: Literal["sesv2"], variable: str, patience: Patience, region: str) -> Any: ...
def open_client(service: Any, variable: str, patience: Patience = WORK, region: str | None = None) -> object:
    """A client of one AWS service, safe for many threads of one process; open it after a fork, not before.

    A call that is throttled, fails or times out is repeated after jittered waits, up to `patience.attempts` attempts in
    all, and none that `include.deadline` leaves no time for.
    Errors: `SettingsError` that names `variable`, the setting that chose AWS.
    """
    # Imported here because boto3 takes most of a second to import, and the webhook has to start faster.
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=patience.connect_s,
        read_timeout=patience.read_s,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
    )
    with aws_faults(variable), _OPENING:
        try:
            client = boto3.client(service, config=config, region_name=region)
        except ValueError as err:
            raise SettingsError(
                f"{variable} needs AWS, whose environment is not right ({err}):"
                " look at AWS_DEFAULT_REGION (for example: eu-central-1) and AWS_ENDPOINT_URL (usually unset)"
            ) from err
    _apply_deadline(client, variable, patience)
    return client


def _apply_deadline(client: Any, variable: str, patience: Patience) -> None:
    """Make the client begin no attempt that could outlast the deadline, and shorten its waits under a deadline.

    botocore's own waits are up to 1, 2 and 4 seconds, which is longer than the webhook may take in all.
    """

    def refuse(**_: Any) -> None:
        if remaining_s() < patience.attempt_s:
            raise RetryLater(f"{variable}: too little time is left to ask AWS, so nothing was sent: try again later")

    def hurry(attempts: int, response: Any, caught_exception: Exception | None, **_: Any) -> float | bool | None:
        """The wait before another attempt, or False for none; None leaves both to botocore's handler."""
        left = remaining_s()
        if left == math.inf:
            return None
        wait_s = random.uniform(0, _SHORT_WAIT_S * 2**attempts)
        in_time = attempts < patience.attempts and left >= wait_s + patience.attempt_s
        return wait_s if in_time and _may_pass(response, caught_exception) else False

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"before-send.{service}", refuse)
    client.meta.events.register_first(f"needs-retry.{service}", hurry)


def _may_pass(response: Any, fault: Exception | None) -> bool:
    """Whether the same request may succeed at once; `response` is botocore's, and `fault` was raised instead of one."""
    from botocore import exceptions as aws

    if fault is not None:
        return isinstance(fault, aws.ConnectionError | aws.HTTPClientError)
    http, parsed = response
    return classify(parsed.get("Error", {}).get("Code", ""), http.status_code) in {Fault.THROTTLED, Fault.FAILING}


@contextlib.contextmanager
def aws_faults(variable: str) -> Iterator[None]:
    """A block whose AWS errors are raised as this project's errors; `variable` is the setting that chose AWS.

    Errors: `RetryLater` for throttling, 5xx, timeouts and refused connections that outlast the retries;
    `SettingsError` for missing credentials or region, missing permissions, and tables, keys or buckets that do not
    exist. Every other error passes unchanged: the caller interprets it, or it is a defect.
    """
    from botocore import exceptions as aws  # imported here as above

    try:
        yield
    except aws.ClientError as err:
        plain = _plain(variable, err.operation_name, err.response)
        if plain is None:
            raise
        raise plain from err
    except (aws.ConnectionError, aws.HTTPClientError) as err:
        raise RetryLater(
            f"{variable}: AWS did not answer ({type(err).__name__}), so whether it acted is not known: try again later"
        ) from err
    except (aws.IncompleteReadError, aws.FlexibleChecksumError) as err:
        raise RetryLater(f"{variable}: AWS's answer broke off midway ({err}): try again later") from err
    except aws.CredentialRetrievalError as err:
        raise RetryLater(
            f"{variable}: the machine's AWS credentials cannot be had now ({err}): try again later"
        ) from err
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.ProfileNotFound) as err:
        raise SettingsError(
            f"{variable} needs AWS credentials and there are none that work ({err}):"
            " set AWS_PROFILE (for example: strava), or give the machine a role"
        ) from err
    except aws.NoRegionError as err:
        raise SettingsError(
            f"{variable} needs an AWS region ({err}): set AWS_DEFAULT_REGION (for example: eu-central-1)"
        ) from err


def classify(code: str, status: int) -> Fault | None:
    """The meaning of a response with this error code and status; None if only the caller can interpret it."""
    if status == 501:
        return Fault.UNKNOWN_CALL
    if code in _THROTTLED or status == 429:
        return Fault.THROTTLED
    if code in _FAILING or status >= 500:
        return Fault.FAILING
    if code in _REFUSED or status == 403:
        return Fault.REFUSED
    return None


def _plain(variable: str, operation: str, response: ErrorResponse) -> IngestError | None:
    """The project's error for an error response; None where it has none."""
    code, said = response["Error"].get("Code", ""), response["Error"].get("Message", "")
    status = response["ResponseMetadata"].get("HTTPStatusCode", 0)
    match classify(code, status):
        case Fault.THROTTLED:
            return RetryLater(f"{variable}: AWS is throttling ({operation}: {code}, {status}); try again later")
        case Fault.FAILING:
            return RetryLater(f"{variable}: AWS is failing ({operation}: {code}, {status}); try again later")
        case Fault.UNKNOWN_CALL:
            return SettingsError(
                f"{variable}: what answers does not know {operation} ({code}, {status}), as AWS would:"
                " look at AWS_ENDPOINT_URL (usually unset)"
            )
        case Fault.REFUSED:
            return SettingsError(
                f"{variable}: AWS refuses {operation} ({code}: {said}):"
                " check that what the address names exists in this region and that the credentials permit it"
            )
    return None
