"""Files that applications upload for athletes, and their states.

Source: https://developers.strava.com/docs/uploads/ (2026) and uploads recorded in 2014 and 2023.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Request

from local.strava_simulator.api import answers
from local.strava_simulator.recordings.sports import SPORT_TYPES
from local.strava_simulator.world import activities
from local.strava_simulator.world.tokens import Caller

PROCESSING = "Your activity is still being processed."
READY = "Your activity is ready."
FAILED = "There was an error processing your activity."
DELETED = "The created activity has been deleted."

_FIRST_UPLOAD_ID = 19_370_000_001
_DATA_TYPES = ("gpx", "gpx.gz", "tcx", "tcx.gz")
_UNSUPPORTED = ("fit", "fit.gz", "json")
"""Types that Strava accepts and the simulator refuses."""
_TEXTS = ("name", "description", "sport_type")
_FLAGS = ("trainer", "commute")


class UnknownUpload(Exception):
    """There is no such upload."""


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """A caller's upload. `label` is the chosen external id, or the file's name."""

    data_type: str
    label: str
    fields: Mapping[str, Any]
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in the simulator's state; `error` and `activity_id` are None until it is settled."""

    upload_id: int
    client_id: int
    athlete_id: int
    data_type: str
    label: str
    fields: Mapping[str, Any]
    settled: bool
    error: str | None
    activity_id: int | None

    @property
    def external_id(self) -> str:
        """The label with the data type appended, without `.gz`, as recorded."""
        ending = f".{self.data_type.removesuffix('.gz')}"
        label = self.label.removesuffix(".gz")
        return label if label.endswith(ending) else label + ending


def read_upload(request: Request) -> UploadRequest:
    """The request's upload; as at Strava, fields may be in the form or in the query.

    Errors: Refusal 400 without a file, for an empty one, and for an unknown data type or sport type.
    """
    file = request.files.get("file")
    if file is None:
        raise answers.bad_request("Upload", "file", "missing")
    data_type = request.values.get("data_type", "").lower()
    if data_type in _UNSUPPORTED:
        raise answers.bad_request("Upload", "data_type", f"{data_type} is not supported by this simulator")
    if data_type not in _DATA_TYPES:
        raise answers.bad_request("Upload", "data_type", "invalid" if data_type else "missing")
    fields: dict[str, Any] = {name: request.values[name] for name in _TEXTS if request.values.get(name)}
    if fields.get("sport_type", "Ride") not in SPORT_TYPES:
        raise answers.bad_request("Upload", "sport_type")
    fields |= {name: request.values.get(name, "").lower() in ("1", "true") for name in _FLAGS}
    content = file.read()
    if not content:
        raise answers.bad_request("Upload", "file", "empty")
    return UploadRequest(data_type, request.values.get("external_id") or file.filename or "upload", fields, content)


def take_in(db: sqlite3.Connection, caller: Caller, upload_request: UploadRequest, *, ready_at: float) -> int:
    """Store the upload until it is processed; returns its id."""
    last = db.execute("SELECT MAX(upload_id) AS last FROM uploads").fetchone()["last"]
    upload_id = max(_FIRST_UPLOAD_ID, (last or 0) + 1)
    db.execute(
        "INSERT INTO uploads (upload_id, client_id, athlete_id, data_type, label, fields, content, ready_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            upload_id,
            caller.client_id,
            caller.athlete_id,
            upload_request.data_type,
            upload_request.label,
            json.dumps(upload_request.fields),
            upload_request.content,
            ready_at,
        ),
    )
    return upload_id


def due(db: sqlite3.Connection, *, now_epoch_s: float) -> list[Upload]:
    """Uploads whose processing time is over, oldest first."""
    rows = db.execute("SELECT * FROM uploads WHERE NOT settled AND ready_at <= ? ORDER BY upload_id", (now_epoch_s,))
    return [_upload(row) for row in rows.fetchall()]


def content_of(db: sqlite3.Connection, upload_id: int) -> bytes:
    """The uploaded file."""
    row = db.execute("SELECT content FROM uploads WHERE upload_id = ?", (upload_id,)).fetchone()
    return bytes(row["content"])


def settle(db: sqlite3.Connection, upload_id: int, *, error: str | None, activity_id: int | None) -> None:
    """End the processing with an error or an activity."""
    db.execute(
        "UPDATE uploads SET settled = 1, error = ?, activity_id = ? WHERE upload_id = ?",
        (error, activity_id, upload_id),
    )


def find(db: sqlite3.Connection, upload_id: int) -> Upload:
    """The upload with this id.

    Errors: UnknownUpload.
    """
    row = db.execute("SELECT * FROM uploads WHERE upload_id = ?", (upload_id,)).fetchone()
    if row is None:
        raise UnknownUpload(f"there is no upload {upload_id}")
    return _upload(row)


def status_of(db: sqlite3.Connection, upload: Upload) -> dict[str, Any]:
    """Strava's answer about the upload."""
    deleted = upload.activity_id is not None and activities.find(db, upload.activity_id).deleted
    ready = upload.activity_id is not None and not deleted
    status = PROCESSING
    if upload.settled:
        status = FAILED if upload.error else DELETED if deleted else READY
    return {
        "id": upload.upload_id,
        "id_str": str(upload.upload_id),
        "external_id": upload.external_id if ready or deleted else None,
        "error": upload.error,
        "status": status,
        "activity_id": upload.activity_id if ready else None,
    }


def of_activity(db: sqlite3.Connection, activity_id: int) -> dict[str, Any] | None:
    """The status of the upload that an activity came from; None if it was not uploaded."""
    row = db.execute("SELECT * FROM uploads WHERE activity_id = ?", (activity_id,)).fetchone()
    return status_of(db, _upload(row)) if row else None


def made(db: sqlite3.Connection) -> frozenset[int]:
    """The ids of all activities that came from an upload."""
    rows = db.execute("SELECT activity_id FROM uploads WHERE activity_id IS NOT NULL").fetchall()
    return frozenset(int(row["activity_id"]) for row in rows)


def _upload(row: sqlite3.Row) -> Upload:
    return Upload(
        upload_id=row["upload_id"],
        client_id=row["client_id"],
        athlete_id=row["athlete_id"],
        data_type=row["data_type"],
        label=row["label"],
        fields=json.loads(row["fields"]),
        settled=bool(row["settled"]),
        error=row["error"],
        activity_id=row["activity_id"],
    )
