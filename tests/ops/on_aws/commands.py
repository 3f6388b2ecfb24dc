"""Operators' commands, each in a form that changes nothing, and the first words of what each prints."""

from __future__ import annotations

from local.aws.resources import REGION
from ops import dead_letters, keys, query, removals, replay, subscription
from ops.links import __main__ as links

COMMANDS = {
    "dead-letters": (dead_letters.app, ()),
    "keys": (keys.app, ("show",)),
    "links": (links.app, ("list",)),
    "query": (query.app, ("SELECT 1 AS one",)),
    "removals": (removals.app, ("7",)),
    "replay": (replay.app, ("--dry-run",)),
    "subscription": (subscription.app, ("show",)),
}
WITHOUT_SECRET = {"dead-letters", "query"}
THERE = f"dev on AWS ({REGION}, account 123456789012), simulated Strava"
