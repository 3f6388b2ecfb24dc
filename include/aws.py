"""AWS clients: one way to open them, and one mapping of their errors.

Region, credentials and endpoint come from where every AWS tool takes them: the environment
(`AWS_DEFAULT_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL` …), the shared files, or the role of the machine.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, overload

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

_CONNECT_TIMEOUT_S = 2
_READ_TIMEOUT_S = 5
_ATTEMPTS = 4

_OPENING = threading.Lock()
"""boto3's own session, which reads its models and credentials once, may open one client at a time."""

_THROTTLED = frozenset(
    {
        "KmsThrottled",
        "LimitExceededException",
        "OverLimit",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
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
def open_client(service: Literal["dynamodb"], variable: str) -> DynamoDBClient: ...
@overload
def open_client(service: Literal["glue"], variable: str) -> GlueClient: ...
@overload
def open_client(service: Literal["kms"], variable: str) -> KMSClient: ...
@overload
def open_client(
    service: Literal["mwaa"], variable: str, *, read_timeout_s: int = ..., attempts: int = ...
) -> MWAAClient: ...
@overload
def open_client(service: Literal["s3"], variable: str) -> S3Client: ...
@overload
def open_client(service: Literal["secretsmanager"], variable: str) -> SecretsManagerClient: ...
@overload
def open_client(service: Literal["sqs"], variable: str) -> SQSClient: ...
@overload
def open_client(service: Literal["cloudwatch", "events", "sns", "sts"], variable: str) -> Any: ...
def open_client(
    service: Any, variable: str, *, read_timeout_s: int = _READ_TIMEOUT_S, attempts: int = _ATTEMPTS
) -> object:
    """A client of one AWS service, safe for many threads of one process; open it after a fork, not before.

    A call that is throttled, fails or times out is sent up to `attempts` times, with jittered waits in between.
    Errors: `SettingsError` that names `variable`, the setting that asked for AWS.
    """
    # Imported here because it takes most of a second, which the webhook's start must not.
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    with aws_faults(variable), _OPENING:
        try:
            return boto3.client(service, config=config)
        except ValueError as err:
            raise SettingsError(
                f"{variable} needs AWS, whose environment is not right ({err}):"
                " look at AWS_DEFAULT_REGION (for example: eu-central-1) and AWS_ENDPOINT_URL (usually unset)"
            ) from err


@contextlib.contextmanager
def aws_faults(variable: str) -> Iterator[None]:
    """Raises AWS errors of the block as this project's errors; `variable` is the setting that asked for AWS.

    Errors: `RetryLater` for throttling, 5xx, timeouts and refused connections that outlast the retries;
    `SettingsError` for missing credentials or region, missing permissions, and tables, keys or buckets that do not
    exist.
    Every other answer passes through as it is: the caller knows what it means, or it is a defect.
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


def _plain(variable: str, operation: str, response: ErrorResponse) -> IngestError | None:
    """The project's error for an error answer; None where it has none."""
    code = response["Error"].get("Code", "")
    status = response["ResponseMetadata"].get("HTTPStatusCode", 0)
    if code in _THROTTLED or status == 429 or status >= 500:
        return RetryLater(f"{variable}: AWS is throttling or failing ({operation}: {code}, {status}); try again later")
    if code in _REFUSED or status == 403:
        return SettingsError(
            f"{variable}: AWS refuses {operation} ({code}: {response['Error'].get('Message', '')}):"
            " check that what the address names exists in this region and that the credentials permit it"
        )
    return None
