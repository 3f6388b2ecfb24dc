"""Every call of AWS on the page about recovery exists, with these options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

PAGE = (Path(__file__).parents[2] / "docs" / "recovery.md").read_text()
CALLS = re.findall(r"aws ((?:dynamodb|s3api|kms|secretsmanager) [^\n]*?)\)?$", PAGE, re.MULTILINE)
GENERAL = {"query", "output"}


def test_page_has_calls() -> None:
    assert len(CALLS) > 12


@pytest.mark.parametrize("call", CALLS)
def test_call_of_aws_is_in_its_model_with_its_options(call: str) -> None:
    service, operation, *rest = shlex.split(call)
    model = botocore.session.get_session().get_service_model({"s3api": "s3"}.get(service, service))
    if operation == "wait":
        waiter = rest.pop(0)
        waiters = botocore.session.get_session().get_waiter_model(service)
        [name] = [one for one in waiters.waiter_names if xform_name(one, "-") == waiter]
        operation = xform_name(waiters.get_waiter(name).operation, "-")
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    assert shape is not None
    members = {xform_name(name, "-"): member for name, member in shape.members.items()}
    options = {word.removeprefix("--") for word in rest if word.startswith("--")} - GENERAL
    for option in options:
        positive = option.removeprefix("no-")
        assert positive in members
        assert positive == option or members[positive].type_name == "boolean"
    required = {xform_name(name, "-") for name in shape.required_members}
    assert required <= options
