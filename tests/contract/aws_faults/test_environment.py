"""What a missing or wrong setting of AWS is called."""

from __future__ import annotations

import boto3
import pytest

from include.clock import Clock
from include.errors import IngestError, RetryLater, SettingsError
from include.store.backend import open_store
from tests.contract.aws_faults.faults import KEY

pytestmark = pytest.mark.network


def test_setting_is_named_when_there_are_no_such_tables(aws: None, clock: Clock) -> None:
    with pytest.raises(SettingsError, match=r"STATE_URL: AWS refuses GetItem \(ResourceNotFoundException"):
        open_store("dynamodb://others-", clock).get(KEY)


@pytest.mark.parametrize(
    ("variable", "value", "error"),
    [
        pytest.param("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "AWS did not answer", id="nothing listens"),
        pytest.param(
            "AWS_ENDPOINT_URL", "somewhere", "STATE_URL needs AWS, .*ENDPOINT_URL", id="endpoint is no address"
        ),
        pytest.param("AWS_ACCESS_KEY_ID", None, "STATE_URL needs AWS credentials", id="no credentials"),
        pytest.param("AWS_SECRET_ACCESS_KEY", None, "STATE_URL needs AWS credentials", id="half of the credentials"),
        pytest.param("AWS_PROFILE", "none", "STATE_URL needs AWS credentials", id="unknown profile"),
        pytest.param("AWS_DEFAULT_REGION", None, "STATE_URL needs an AWS region", id="no region"),
        pytest.param("AWS_DEFAULT_REGION", "eu central", "STATE_URL needs AWS, .*REGION", id="no such region"),
    ],
)
def test_message_says_what_the_environment_lacks(
    aws: None,
    waits: list[float],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str | None,
    error: str,
) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # or the environment is not read again
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)

    with pytest.raises(IngestError, match=error) as caught:
        open_store("dynamodb://test-", clock).get(KEY)

    assert isinstance(caught.value, RetryLater if error == "AWS did not answer" else SettingsError)
