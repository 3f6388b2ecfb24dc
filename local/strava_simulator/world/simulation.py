"""The parts that the whole simulator shares: its state, clock, rules and outgoing session."""

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
    """The form in which an upload's error names the original: with a link as today, or as plain text as until 2023."""

    HTML = "html"
    PLAIN = "plain"


class OlderPair(StrEnum):
    """The effect of a new authorisation on the token pairs that the application already has of the athlete.

    Strava documents neither, so the system has to work with both.
    """

    DIES = "dies"
    """They end at once, and the grant is the last authorisation."""
    LIVES = "lives"
    """They stay valid with the scopes they were issued for."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Behaviour that Strava does not document or changes from time to time.

    Units: `processing_s` is how long an upload is processed, `retry_gap_s` the time between attempts to deliver.
    """

    limits: Limits = Tier.STANDARD.limits
    processing_s: float = 1.5
    retry_gap_s: float = 60.0
    duplicate_text: DuplicateText = DuplicateText.HTML
    seed: int = 0
    older_pair: OlderPair = OlderPair.DIES


@dataclass(frozen=True, slots=True)
class Simulation:
    """One running simulator. Calls to webhooks use `session`, simulated latency uses `sleep`."""

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
