"""Airflow's own words about a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST = 500


def detail(answer: Mapping[str, Any], otherwise: str = "no reason given") -> str:
    """What Airflow says; of a validation error only place and message, for it quotes what was sent as well."""
    said = answer.get("detail") or otherwise
    if isinstance(said, list):
        said = "; ".join(f"{error.get('loc')}: {error.get('msg')}" for error in said if isinstance(error, dict))
    return str(said)[:_LONGEST]
