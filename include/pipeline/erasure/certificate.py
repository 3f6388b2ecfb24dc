"""The certificate of an erasure: what was removed, when, and where records remain for how long."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from include.errors import ObjectConflict
from include.lake.objects.objects import Condition, ObjectStore
from include.state.erasures.ledger import KEPT_S as ERASURE_KEPT_S
from include.state.erasures.ledger import Erasure
from include.state.erasures.residual_records import ResidualRecord
from include.state.events import KEPT_S as EVENT_KEPT_S

_DAY_S = 86_400

STAYS = (
    "The activities in the athlete's own Strava account.",
    "Copies in the Strava accounts of others: Strava gives applications no way to delete an activity.",
    f"The athlete's number: in this certificate; for {ERASURE_KEPT_S // _DAY_S} days so that nothing is stored anew; "
    f"and for {EVENT_KEPT_S // _DAY_S} days with each event that Strava still sends, which is dropped.",
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One erasure's certificate, a draft until it is finished."""

    athlete_id: int
    reason: str
    began_at_epoch_s: int
    removed: Mapping[str, int]
    """How many records of each kind there were when the erasure began."""
    finished_at_epoch_s: int | None = None
    residual_records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    shared_object_keys: tuple[str, ...] | None = None
    """Keys of other athletes' objects that named the athlete when the erasure began; None in drafts of older
    versions."""

    @property
    def key(self) -> str:
        """The certificate's key in the lake."""
        return f"{certificates_prefix(self.athlete_id)}{_instant(self.began_at_epoch_s):%Y%m%dT%H%M%SZ}.json"

    def to_json(self) -> dict[str, Any]:
        """The certificate as a document for people."""
        finished = self.finished_at_epoch_s
        shared_object_keys = {} if self.shared_object_keys is None else {"elsewhere": list(self.shared_object_keys)}
        return {
            "certificate": "erasure of all stored data of an athlete",
            "athlete_id": self.athlete_id,
            "reason": self.reason,
            "began_at": _instant(self.began_at_epoch_s).isoformat(),
            "finished_at": None if finished is None else _instant(finished).isoformat(),
            "removed": dict(self.removed),
            "last_traces": {name: dict(line) for name, line in self.residual_records.items()},
            "stays": list(STAYS),
            **shared_object_keys,
        }


def certificates_prefix(athlete_id: int) -> str:
    """The prefix of the keys of an athlete's certificates; the keys sort by time."""
    return f"certificates/{athlete_id}-"


def open_certificate(
    objects: ObjectStore, erasure: Erasure, shared_object_keys: Collection[str], count: Callable[[], Mapping[str, int]]
) -> Certificate:
    """The erasure's certificate: the stored one, else a draft with the counts that `count` returns.

    A draft keeps `shared_object_keys` for a later run: by then no ledger may lead to those objects any more.

    Call it before anything is removed: a later or parallel run gets the same counts.
    Effects: the draft is stored, once.
    """
    draft = Certificate(erasure.athlete_id, erasure.grounds.reason, erasure.began_at_epoch_s, {})
    stored = _read(objects, draft.key)
    if stored is not None:
        return stored
    draft = replace(draft, removed=count(), shared_object_keys=tuple(sorted(shared_object_keys)))
    try:
        _write(objects, draft, Condition.ABSENT)
    except ObjectConflict:
        return _read(objects, draft.key) or draft  # another process counted first
    return draft


def finish_certificate(
    objects: ObjectStore, draft: Certificate, records: Sequence[ResidualRecord], now_epoch_s: int
) -> Certificate:
    """The certificate with the erasure's end and its residual records, stored; a finished one stays as it is."""
    stored = objects.get(draft.key)
    present = _parse(stored.body) if stored else draft
    if present.finished_at_epoch_s is not None:
        return present
    residual_records = {record.place: record.to_json(now_epoch_s) for record in records}
    finished = replace(
        present, finished_at_epoch_s=now_epoch_s, residual_records=residual_records, shared_object_keys=None
    )
    try:
        _write(objects, finished, stored.etag if stored else Condition.ABSENT)
    except ObjectConflict:
        return finish_certificate(objects, draft, records, now_epoch_s)  # another process finished it first
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
        residual_records=document["last_traces"],
        shared_object_keys=tuple(document["elsewhere"]) if "elsewhere" in document else None,
    )


def _instant(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)


def _epoch_s(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
