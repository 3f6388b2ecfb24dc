"""moto's server with the answers that Terraform needs and moto 5.2.5 lacks."""

from __future__ import annotations

import json
from typing import Any

from moto.athena.responses import AthenaResponse
from moto.budgets.models import Notification
from moto.budgets.responses import BudgetsResponse
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.events.models import Rule
from moto.server import main
from moto.sns.models import sns_backends
from moto.sqs.models import Queue
from moto.utilities.arns import parse_arn

_ATTRIBUTE = "RedriveAllowPolicy"
_REDRIVE = "RedrivePolicy"


def _attributes(queue: Queue) -> dict[str, Any]:
    """A queue's attributes, with one that moto stores but does not return, and another in AWS's spelling."""
    told: dict[str, Any] = _told(queue)
    if told.get(_REDRIVE):
        told[_REDRIVE] = json.dumps(json.loads(told[_REDRIVE]), separators=(",", ":"))
    return {name: value for name, value in told.items() if name != _ATTRIBUTE or value}


def _set(queue: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
    """Set some attributes, and keep the policy, which moto loses if it is not among them."""
    policy = getattr(queue, "policy", None)
    _set_some(queue, attributes, now)
    if "Policy" not in attributes:
        queue.policy = policy


def _subscribers(response: BudgetsResponse) -> str:
    """The subscribers of a budget's notification."""
    budget = response.backend.budgets[response._get_param("AccountId")][response._get_param("BudgetName")]
    wanted = response._get_param("Notification")
    found: list[Notification] = [one for one in budget.notifications if one.details == wanted]
    return json.dumps({"Subscribers": found[0].subscribers if found else []})


def _create_budget(response: BudgetsResponse) -> str:
    """Create a budget and store its tags, which moto loses."""
    said = _created(response)
    name = response._get_param("Budget")["BudgetName"]
    _tags_of[response._get_param("AccountId"), name] = response._get_param("ResourceTags", [])
    return str(said)


def _tags(response: BudgetsResponse) -> str:
    *_, account_id, name = response._get_param("ResourceARN").replace(":budget/", ":").split(":")
    return json.dumps({"ResourceTags": _tags_of[account_id, name]})


def _to_targets(rule: Rule, event: Any, transform_input: bool = True) -> None:
    """Send an event to the topics among a rule's targets, at which moto fails; a rule with a schedule takes none."""
    if rule.scheduled_expression or not rule.event_pattern.matches_event(event):
        return
    topics = [target["Arn"] for target in rule.targets if parse_arn(target["Arn"]).service == "sns"]
    for topic in topics:
        named = parse_arn(topic)
        sns_backends[named.account][named.region].publish(json.dumps(event, default=str), arn=topic)
    if len(topics) < len(rule.targets):
        _sent(rule, event, transform_input)


def _forget_query(response: AthenaResponse) -> str:
    """Delete a saved query of Athena's."""
    response.athena_backend.named_queries.pop(response._get_param("NamedQueryId"), None)
    return "{}"


def _described(rule: SecurityGroupRule) -> str | None:
    """A rule's description, also for a rule whose other side is a group."""
    found = rule.ip_range.get("Description") or (rule.source_group or {}).get("Description")
    return None if found is None else str(found)


_tags_of: dict[tuple[str, str], list[dict[str, str]]] = {}
_QUEUES: Any = Queue
_BUDGETS: Any = BudgetsResponse
_RULES: Any = SecurityGroupRule
_EVENT_RULES: Any = Rule
_ATHENA: Any = AthenaResponse
_told = _QUEUES.attributes.fget
_set_some = _QUEUES._set_attributes
_QUEUES.redrive_allow_policy = None
_QUEUES.KMS_ATTRIBUTES = [*_QUEUES.KMS_ATTRIBUTES, _ATTRIBUTE]
_QUEUES.attributes = property(_attributes)
_QUEUES._set_attributes = _set
_RULES.description = property(_described)
_sent = _EVENT_RULES.send_to_targets
_EVENT_RULES.send_to_targets = _to_targets
_ATHENA.delete_named_query = _forget_query
_created = _BUDGETS.create_budget
_BUDGETS.create_budget = _create_budget
_BUDGETS.describe_subscribers_for_notification = _subscribers
_BUDGETS.list_tags_for_resource = _tags

if __name__ == "__main__":
    main()
