"""moto's server with the three answers that Terraform waits for and moto 5.2.5 does not give."""

from __future__ import annotations

import json
from typing import Any

from moto.budgets.models import Notification
from moto.budgets.responses import BudgetsResponse
from moto.server import main
from moto.sqs.models import Queue

_ATTRIBUTE = "RedriveAllowPolicy"


def _attributes(queue: Queue) -> dict[str, Any]:
    """A queue's attributes with the one that moto keeps but does not tell."""
    told: dict[str, Any] = _told(queue)
    kept = getattr(queue, "redrive_allow_policy", None)
    return told | ({_ATTRIBUTE: kept} if kept else {})


def _subscribers(response: BudgetsResponse) -> str:
    """Who is told of one notification of a budget."""
    budget = response.backend.budgets[response._get_param("AccountId")][response._get_param("BudgetName")]
    wanted = response._get_param("Notification")
    found: list[Notification] = [one for one in budget.notifications if one.details == wanted]
    return json.dumps({"Subscribers": found[0].subscribers if found else []})


def _tags(_: BudgetsResponse) -> str:
    return json.dumps({"ResourceTags": []})


_QUEUES: Any = Queue
_BUDGETS: Any = BudgetsResponse
_told = _QUEUES.attributes.fget
_QUEUES.attributes = property(_attributes)
_BUDGETS.describe_subscribers_for_notification = _subscribers
_BUDGETS.list_tags_for_resource = _tags

if __name__ == "__main__":
    main()
