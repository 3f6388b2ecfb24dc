"""What every part of the simulator works with: its state, its clock, its rules and its way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import requests
from flask import current_app

from local.strava_simulator.api.faults import SeededChances
from local.strava_simulator.api.script import Script
from local.strava_simulator.world.quota import Limits, Tier
from local.strava_simulator.world.state import State

Clock = Callable[[], float]
"""Seconds since 1970 in UTC."""

EXTENSION = "strava_simulator"


class DuplicateText(StrEnum):
    """How an upload's error names the activity it repeats: with a link as today, or plainly as until 2023."""

    HTML = "html"
    PLAIN = "plain"


class OlderPair(StrEnum):
    """What a new authorisation does to the token pairs that the application has of the athlete already.

    Strava documents neither, so whatever is built on it has to come out right under both.
    """

    DIES = "dies"
    """They end at once, and the grant is what was allowed last."""
    LIVES = "lives"
    """They go on with the scopes they were issued for."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What Strava leaves open or changes from time to time.

    Units: `processing_s` is how long an upload is processed, `retry_gap_s` lies between tries to deliver an event.
    """

    limits: Limits = Tier.STANDARD.limits
    processing_s: float = 1.5
    retry_gap_s: float = 60.0
    duplicate_text: DuplicateText = DuplicateText.HTML
    seed: int = 0
    older_pair: OlderPair = OlderPair.DIES


@dataclass(frozen=True, slots=True)
class Simulation:
    """One running simulator. Calls to webhooks leave through `session`, simulated latency through `sleep`."""

    state: State
    clock: Clock
    rules: Rules
    chances: SeededChances
    session: requests.Session
    sleep: Callable[[float], None]
    script: Script = field(default_factory=Script)


def simulation() -> Simulation:
    """The simulator that serves the present request."""
    found: Simulation = current_app.extensions[EXTENSION]
    return found
