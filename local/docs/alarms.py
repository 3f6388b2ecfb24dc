"""`docs/alarms.md`: every alarm of an environment, from the words that Terraform puts into it."""

from __future__ import annotations

import json

from local.docs import markdown
from ops.repository import REPOSITORY

WORDS = REPOSITORY / "terraform" / "modules" / "observability" / "alarms.json"


def render() -> str:
    """The page."""
    words = json.loads(WORDS.read_text())
    rows = [(f"`{name}`", alarm["says"].replace("<dag>", "`<dag>`"), alarm["do"]) for name, alarm in words.items()]
    return (
        "\n\n".join(
            [
                "# Alarms on AWS",
                markdown.paragraph(_HEAD),
                markdown.table(["alarm", "says", "what to do"], [*rows, _BUDGET]),
                "## What has no alarm",
                "\n".join(markdown.item(line) for line in _NOTES),
            ]
        )
        + "\n"
    )


_HEAD = """Made from `terraform/modules/observability/alarms.json`, whose words Terraform puts into the alarms too, so a
mail says the same. Each name begins with that of the environment, for example `strava-dev-quota`. All go to one topic,
and from it to everybody in `alarm_emails` who has confirmed the subscription; another mail follows when an alarm is
over. `make alarms ENV=dev` sends a test down each path. In the commands, `…` stands for dev or prod."""

_BUDGET = (
    "the budget",
    "80 % of the month's budget are spent, or more than all of it is foreseen; it counts the whole account.",
    "AWS's Cost Explorer shows by what; [cost](cost.md) says what is expected. It mails for each once a month.",
)

_NOTES = (
    "Nobody asks `/health` on AWS but `make deploy`. It answers 503 while the state or the queue cannot be reached: "
    "the log says which, and it counts as `page-errors`. That the edge cannot be reached at all is noticed only by "
    "whoever asks from outside: let a monitor of yours ask `/health` if that matters to you.",
    "Whatever the functions count is alarmed or on the dashboard, or listed with its reason in "
    "`tests/terraform/test_alarms.py`, which holds this.",
    "A mail to an athlete that is refused is in the log of the task `send_mails` alone; where no mail can be sent at "
    "all, the task fails, and `failed-strava-reconcile` says so.",
    "Airflow's queue, workers and database are MWAA's; its own metrics of them are in CloudWatch under `AWS/MWAA`.",
)
