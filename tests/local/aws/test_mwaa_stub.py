"""The stand-in for MWAA is as strict as MWAA: what it lets through here would be let through there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.aws.mwaa_stub import invoke

SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20261122/eu-central-1/airflow/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}",
    "X-Amz-Date": "20261122T000000Z",
}
CALL = {"Path": "/dags/strava_ingest/dagRuns", "Method": "POST", "Body": {"conf": {}}}


def airflow(status: int, document: Any) -> Any:
    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        assert (method, path, body) == (CALL["Method"], CALL["Path"], CALL["Body"])
        return status, document

    return answer


def never(method: str, path: str, body: Any) -> tuple[int, Any]:
    raise AssertionError("the call should not have reached Airflow")


@pytest.mark.parametrize(
    ("status", "answered", "kind"),
    [
        pytest.param(200, 200, "", id="good"),
        pytest.param(409, 400, "RestApiClientException", id="refused"),
        pytest.param(503, 400, "RestApiServerException", id="failing"),
    ],
)
def test_answer_of_airflow_is_wrapped(status: int, answered: int, kind: str) -> None:
    answer = invoke(airflow(status, {"x": 1}), "ingest", "/restapi/ingest", SIGNED, json.dumps(CALL).encode())

    assert answer == (answered, {"RestApiStatusCode": status, "RestApiResponse": {"x": 1}}, kind)


@pytest.mark.parametrize(
    ("path", "headers", "call", "kind"),
    [
        pytest.param("/restapi/ingest", {}, CALL, "AccessDeniedException", id="unsigned"),
        pytest.param(
            "/restapi/ingest",
            {**SIGNED, "Authorization": SIGNED["Authorization"].replace("/airflow/", "/sqs/")},
            CALL,
            "AccessDeniedException",
            id="signed-for-another-service",
        ),
        pytest.param("/restapi/other", SIGNED, CALL, "ResourceNotFoundException", id="other-environment"),
        pytest.param(
            "/restapi/ingest", SIGNED, {**CALL, "Path": "/" + "x" * 64}, "ValidationException", id="long-path"
        ),
        pytest.param("/restapi/ingest", SIGNED, {**CALL, "Conf": {}}, "ValidationException", id="unknown-field"),
        pytest.param("/restapi/ingest", SIGNED, {"Path": "/dags"}, "ValidationException", id="no-method"),
    ],
)
def test_call_does_not_reach_airflow_when_mwaa_would_refuse_it(
    path: str, headers: dict[str, str], call: dict[str, Any], kind: str
) -> None:
    assert invoke(never, "ingest", path, headers, json.dumps(call).encode())[2] == kind
