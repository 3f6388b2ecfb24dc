"""Copies an activity to the children whom its title names: exactly once each, one child's trouble its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from include.copying.eligibility import ineligible_reason
from include.copying.files import build_file
from include.copying.matching import match
from include.copying.outcome import Outcome, OutcomeState, poll_delays_s, read_outcome
from include.errors import Gone, IngestError, QuotaSpent, Refused, RetryLater, ScopeMissing
from include.lake.keys import gpx_key
from include.lake.objects import Condition
from include.pipeline.services import Services
from include.state.copies import FINAL_STATES, Copy, CopyState, external_id
from include.state.links import Link, LinkStatus
from include.strava.client import Priority
from include.strava.models import Activity, ActivityId, AthleteId, StreamSet, Upload, UploadId

RESUME_AFTER_S = 60
"""When reconcile resumes an upload that Strava was still processing after the last poll."""

SEARCH_WINDOW_S = 86_400
"""How far around the activity's start the child's list is searched for an upload of unknown outcome."""


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What became of one copy; no title, no name."""

    child_id: AthleteId
    state: str
    child_activity_id: int | None
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The result as XCom carries it."""
        return {
            "child_id": self.child_id,
            "state": self.state,
            "child_activity_id": self.child_activity_id,
            "reason": self.reason,
        }
