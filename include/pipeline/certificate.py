"""The certificate of an erasure: what was removed, when, and when its last trace is gone; no personal data."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from include.errors import ObjectConflict
from include.lake.objects import Condition, ObjectStore
from include.queue.queue import LONGEST_LIFE_DAYS
from include.state.erasures import Erasure
from include.trigger.finished_runs import RUNS_KEPT_DAYS

VERSIONS_DAYS = 7
"""After so many days the bucket's lifecycle rule removes the earlier versions of its objects."""

RECOVERY_DAYS = 7
"""So far back the tables' point-in-time recovery reaches."""

LOGS_DAYS = 30
"""So long the logs are kept."""

STAYS = (
    "The activities in the athlete's own Strava account.",
    "Copies in the Strava accounts of others: Strava gives applications no way to delete an activity.",
    "The athlete's number: in this certificate; for 30 days as a mark against late work, and with events that Strava "
    "still sends, which are dropped.",
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One erasure's certificate, a draft until it is finished."""

    athlete_id: int
    reason: str
    began_at_epoch_s: int
    removed: Mapping[str, int]
    """How many of each kind there were when the erasure began."""
    finished_at_epoch_s: int | None = None
    last_traces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    elsewhere: tuple[str, ...] | None = None
    """The objects of others that named the athlete when it began, in a draft; a draft of an older version has none."""

    @property
    def key(self) -> str:
        """Where the lake keeps it."""
        return f"{certificates_prefix(self.athlete_id)}{_instant(self.began_at_epoch_s):%Y%m%dT%H%M%SZ}.json"

    def to_json(self) -> dict[str, Any]:
        """The certificate as people read it."""
        finished = self.finished_at_epoch_s
        elsewhere = {} if self.elsewhere is None else {"elsewhere": list(self.elsewhere)}
        return {
            "certificate": "erasure of everything that was kept of an athlete",
            "athlete_id": self.athlete_id,
            "reason": self.reason,
            "began_at": _instant(self.began_at_epoch_s).isoformat(),
            "finished_at": None if finished is None else _instant(finished).isoformat(),
            "removed": dict(self.removed),
            "last_traces": {name: dict(line) for name, line in self.last_traces.items()},
            "stays": list(STAYS),
            **elsewhere,
        }


@dataclass(frozen=True, slots=True)
class Leaves:
    """Where the lake and the state are kept, from which follows how long traces outlive a removal."""

    lake_url: str
    state_url: str

    def last_traces(self, finished_at_epoch_s: int) -> dict[str, dict[str, Any]]:
        """For each place that remembers what was removed: by when it has forgotten, or who has to see to it."""

        def line(days: int | None, why: str) -> dict[str, Any]:
            end = None if days is None else _instant(finished_at_epoch_s) + timedelta(days=days)
            return {"gone_by": None if end is None else end.isoformat(), "because": why}

        on_s3, on_dynamodb = self.lake_url.startswith("s3:"), self.state_url.startswith("dynamodb:")
        return {
            "object_versions": line(VERSIONS_DAYS, "The bucket keeps earlier versions of its objects for 7 days.")
            if on_s3
            else line(0, "A local lake keeps no earlier versions; backups are yours to clear."),
            "point_in_time_recovery": line(RECOVERY_DAYS, "The tables can be recovered as of any time in 7 days.")
            if on_dynamodb
            else line(0, "The local state file keeps no history; backups are yours to clear."),
            "logs": line(LOGS_DAYS, "Logs hold ids and times; they are kept for 30 days.")
            if on_dynamodb
            else line(None, "Local logs hold ids and times until they are deleted by hand."),
            "queue": line(LONGEST_LIFE_DAYS, f"A message, or a dead letter, is kept for {LONGEST_LIFE_DAYS} days."),
            "airflow_runs": line(
                RUNS_KEPT_DAYS + 1, f"Runs hold ids; the night {RUNS_KEPT_DAYS} days after their end deletes them."
            ),
            "airflow_audit_log": line(
                None, "Airflow's audit log and asset events hold ids until an operator cleans them, see docs/deploy.md."
            )
            if on_dynamodb
            else line(
                RUNS_KEPT_DAYS + 1,
                f"Airflow's audit log and asset events hold ids for {RUNS_KEPT_DAYS} days, then until the "
                "system has run for a day.",
            ),
        }


def certificates_prefix(athlete_id: int) -> str:
    """What the keys of an athlete's certificates start with; the times in them sort."""
    return f"certificates/{athlete_id}-"


def open_certificate(
    objects: ObjectStore, erasure: Erasure, elsewhere: Collection[str], count: Callable[[], Mapping[str, int]]
) -> Certificate:
    """The erasure's certificate: the stored one, else a draft with what `count` finds.

    A draft keeps the keys of others' objects `elsewhere`, for whoever goes on when no ledger leads there any more.

    Call it before anything is removed. Whoever comes later, after a crash or at the same time, gets the same counts.
    Effects: the draft is stored, once.
    """
    draft = Certificate(erasure.athlete_id, erasure.wish.reason, erasure.began_at_epoch_s, {})
    stored = _read(objects, draft.key)
    if stored is not None:
        return stored
    draft = replace(draft, removed=count(), elsewhere=tuple(sorted(elsewhere)))
    try:
        _write(objects, draft, Condition.ABSENT)
    except ObjectConflict:
        return _read(objects, draft.key) or draft  # another process counted first
    return draft


def finish_certificate(objects: ObjectStore, draft: Certificate, leaves: Leaves, now_epoch_s: int) -> Certificate:
    """The certificate with the end of the erasure, stored; one that is finished stays as it is."""
    stored = objects.get(draft.key)
    present = _parse(stored.body) if stored else draft
    if present.finished_at_epoch_s is not None:
        return present
    last_traces = leaves.last_traces(now_epoch_s)
    finished = replace(present, finished_at_epoch_s=now_epoch_s, last_traces=last_traces, elsewhere=None)
    try:
        _write(objects, finished, stored.etag if stored else Condition.ABSENT)
    except ObjectConflict:
        return finish_certificate(objects, draft, leaves, now_epoch_s)  # another process finished it first
    return finished


def last_certificate(objects: ObjectStore, athlete_id: int) -> Certificate | None:
    """The athlete's newest certificate, or None."""
    keys = list(objects.list(certificates_prefix(athlete_id)))
    return _read(objects, keys[-1]) if keys else None


def _read(objects: ObjectStore, key: str) -> Certificate | None:
    stored = objects.get(key)
    return _parse(stored.body) if stored else None


def _write(objects: ObjectStore, certificate: Certificate, expected: str | Condition) -> None:
    body = json.dumps(certificate.to_json(), indent=2).encode()
    objects.put(certificate.key, body, expected=expected)


def _parse(body: bytes) -> Certificate:
    document = json.loads(body)
    finished_at = document["finished_at"]
    return Certificate(
        athlete_id=document["athlete_id"],
        reason=document["reason"],
        began_at_epoch_s=_epoch_s(document["began_at"]),
        removed=document["removed"],
        finished_at_epoch_s=None if finished_at is None else _epoch_s(finished_at),
        last_traces=document["last_traces"],
        elsewhere=tuple(document["elsewhere"]) if "elsewhere" in document else None,
    )


def _instant(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)


def _epoch_s(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
