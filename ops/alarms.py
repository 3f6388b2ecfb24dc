"""Sends a test message through each path of the alarms: `python -m ops.alarms dev`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from include.aws import aws_faults, open_client
from include.errors import SettingsError
from ops.command import run
from ops.installation import on_aws
from ops.terraform_outputs import Environment, outputs

app = typer.Typer(add_completion=False)

_WHY = "A test by `make alarms`: nothing is wrong."
_PENDING = "PendingConfirmation"
_SETTING = "alarm_paths"


@app.command()
def main(environment: Environment) -> None:
    """Send a test message through each path of the alarms, and name the recipients."""
    on_aws(environment).announce("sends test messages")
    paths = outputs(environment.folder)["alarm_paths"]
    for line in (recipients(paths), *send(paths)):
        print(line)


def recipients(paths: Mapping[str, Any]) -> str:
    """The recipients of the alarms, in words. Errors: `SettingsError` if there is none, or one has not confirmed."""
    client = open_client("sns", _SETTING)
    with aws_faults(_SETTING):
        pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=paths["topic_arn"])
        found = [one for page in pages for one in page["Subscriptions"]]
    waiting = sorted(one["Endpoint"] for one in found if one["SubscriptionArn"] == _PENDING)
    if waiting:
        raise SettingsError(
            f"{', '.join(waiting)} has to confirm the subscription first: look for a mail from AWS Notifications."
        )
    if not found:
        raise SettingsError("The alarms have no recipients: set alarm_emails in terraform.tfvars and deploy.")
    return f"To {', '.join(sorted(one['Endpoint'] for one in found))}:"


def send(paths: Mapping[str, Any]) -> list[str]:
    """Send the messages; returns a line for each expected one. Effects: mails, and an alarm for some minutes."""
    with aws_faults(_SETTING):
        alarm = {"AlarmName": paths["alarm_name"], "StateValue": "ALARM", "StateReason": _WHY}
        open_client("cloudwatch", _SETTING).set_alarm_state(**alarm)
        answer = open_client("events", _SETTING).put_events(Entries=[dict(paths["event"])])
        open_client("sns", _SETTING).publish(TopicArn=paths["topic_arn"], Subject="Test", Message=_WHY)
    if answer["FailedEntryCount"]:
        refusal = answer["Entries"][0]
        raise SettingsError(f"EventBridge refuses the test event ({refusal['ErrorCode']}: {refusal['ErrorMessage']}).")
    return [
        f"- CloudWatch: {paths['alarm_name']} in alarm, and OK again a few minutes later (two mails)",
        f"- EventBridge: an event of {paths['event']['Source']}, like that of a failed crawl",
        "- the topic itself: a mail with the subject Test. A budget's mails cannot be tested: only AWS sends them",
        "If one does not arrive within five minutes, its path is broken: check the policies of topic and key.",
    ]


if __name__ == "__main__":
    run(app)
