"""What AWS's answers mean to the domain."""

from __future__ import annotations

import subprocess
import sys

import pytest
from botocore import exceptions as botocore

from include.aws import Fault, aws_faults, classify
from include.errors import RetryLater, SettingsError


def refusal(code: str, status: int = 400, message: str = "") -> Exception:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.ClientError(answer, "GetItem")


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        pytest.param(refusal("ThrottlingException"), RetryLater, id="throttled"),
        pytest.param(refusal("ProvisionedThroughputExceededException"), RetryLater, id="table throttled"),
        pytest.param(refusal("RequestLimitExceeded"), RetryLater, id="account throttled"),
        pytest.param(refusal("TooMany", 429), RetryLater, id="429"),
        pytest.param(refusal("", 500), RetryLater, id="500 without a code"),
        pytest.param(refusal("KMSInternalException", 500), RetryLater, id="KMS failing"),
        pytest.param(refusal("ServiceUnavailable", 503), RetryLater, id="503"),
        pytest.param(refusal("SlowDown", 503), RetryLater, id="bucket throttled"),
        pytest.param(refusal("RequestTimeout"), RetryLater, id="sent too slowly"),
        pytest.param(
            botocore.IncompleteReadError(actual_bytes=1, expected_bytes=2), RetryLater, id="answer broken off"
        ),
        pytest.param(botocore.FlexibleChecksumError(error_msg="x"), RetryLater, id="answer damaged"),
        pytest.param(botocore.ReadTimeoutError(endpoint_url="x"), RetryLater, id="no answer in time"),
        pytest.param(botocore.ConnectTimeoutError(endpoint_url="x"), RetryLater, id="no connection in time"),
        pytest.param(botocore.EndpointConnectionError(endpoint_url="x"), RetryLater, id="connection refused"),
        pytest.param(botocore.ConnectionClosedError(endpoint_url="x"), RetryLater, id="connection closed"),
        pytest.param(
            botocore.CredentialRetrievalError(provider="role", error_msg="x"), RetryLater, id="role not answering"
        ),
        pytest.param(botocore.NoCredentialsError(), SettingsError, id="no credentials"),
        pytest.param(
            botocore.PartialCredentialsError(provider="env", cred_var="x"), SettingsError, id="half of the credentials"
        ),
        pytest.param(botocore.ProfileNotFound(profile="x"), SettingsError, id="no profile"),
        pytest.param(botocore.NoRegionError(), SettingsError, id="no region"),
        pytest.param(refusal("AccessDeniedException"), SettingsError, id="not permitted"),
        pytest.param(refusal("UnrecognizedClientException"), SettingsError, id="unknown credentials"),
        pytest.param(refusal("ExpiredTokenException"), SettingsError, id="credentials expired"),
        pytest.param(refusal("ResourceNotFoundException"), SettingsError, id="no such table"),
        pytest.param(refusal("NoSuchBucket", 404), SettingsError, id="no such bucket"),
        pytest.param(refusal("PermanentRedirect", 301), SettingsError, id="bucket of another region"),
        pytest.param(refusal("403", 403), SettingsError, id="not permitted, said without a body"),
        pytest.param(refusal("NotImplemented", 501), SettingsError, id="another server than AWS"),
    ],
)
def test_fault_means(fault: Exception, meaning: type[Exception]) -> None:
    with pytest.raises(meaning, match=r"^STATE_URL") as caught, aws_faults("STATE_URL"):
        raise fault

    assert type(caught.value) is meaning
    assert caught.value.__cause__ is fault


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(refusal("ConditionalCheckFailedException"), id="an answer for the caller"),
        pytest.param(refusal("NoSuchKey", 404), id="no such object"),
        pytest.param(refusal("ValidationException"), id="a defect of a request"),
        pytest.param(KeyError("x"), id="a defect elsewhere"),
    ],
)
def test_everything_else_passes_through(fault: Exception) -> None:
    with pytest.raises(type(fault)) as caught, aws_faults("STATE_URL"):
        raise fault

    assert caught.value is fault


def test_refusal_says_what_aws_said() -> None:
    said = r"refuses GetItem \(AccessDeniedException: role x may not\): check"
    with pytest.raises(SettingsError, match=said), aws_faults("STATE_URL"):
        raise refusal("AccessDeniedException", message="role x may not")


def test_backends_load_nothing_of_aws_before_it_is_asked_for() -> None:
    code = (
        "import sys, include.store.backend, include.crypto.backend;"
        "print(sorted({'boto3', 'botocore', 'urllib3'} & sys.modules.keys()))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"


@pytest.mark.parametrize(
    ("code", "status", "fault"),
    [
        ("ThrottlingException", 400, Fault.THROTTLED),
        ("ProvisionedThroughputExceededException", 400, Fault.THROTTLED),
        ("SlowDown", 503, Fault.THROTTLED),
        ("anything", 429, Fault.THROTTLED),
        ("InternalServerError", 500, Fault.FAILING),
        ("", 502, Fault.FAILING),
        ("RequestTimeout", 400, Fault.FAILING),
        ("NotImplemented", 501, Fault.UNKNOWN_CALL),
        ("ThrottlingException", 501, Fault.UNKNOWN_CALL),
        ("AccessDeniedException", 400, Fault.REFUSED),
        ("anything", 403, Fault.REFUSED),
        ("ResourceNotFoundException", 400, Fault.REFUSED),
        ("ConditionalCheckFailedException", 400, None),
        ("ValidationException", 400, None),
        ("UnknownOperationException", 400, None),
        ("NoSuchKey", 404, None),
        ("PreconditionFailed", 412, None),
        ("", 200, None),
    ],
)
def test_error_answer_is_classified_by_its_code_and_status(code: str, status: int, fault: Fault | None) -> None:
    assert classify(code, status) is fault


def test_unknown_call_is_no_throttling_and_names_the_endpoint() -> None:
    said = r"^LAKE_URL: .*does not know GetItem \(NotImplemented, 501\).*AWS_ENDPOINT_URL"
    with pytest.raises(SettingsError, match=said), aws_faults("LAKE_URL"):
        raise refusal("NotImplemented", 501)
