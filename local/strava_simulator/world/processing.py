"""Turns uploaded files into activities after their processing time."""

from __future__ import annotations

import sqlite3

from markupsafe import escape

from local.strava_simulator.files.reader import FileRejected, ParsedFile, read_file
from local.strava_simulator.recordings.details import describe
from local.strava_simulator.recordings.facts import Facts, title
from local.strava_simulator.recordings.sports import DEFAULT, noun
from local.strava_simulator.world import activities, events, uploads
from local.strava_simulator.world.activity import SimulatedActivity
from local.strava_simulator.world.simulation import DuplicateText, Simulation


def settle_due(simulation: Simulation) -> None:
    """Process every upload that is due: each becomes an activity or gets its error, exactly once.

    Effects: a `create` event for each new activity.
    """
    with simulation.state.transaction() as db:
        due = uploads.due(db, now_epoch_s=simulation.clock())
    for upload in due:
        _process(simulation, upload)


def _process(simulation: Simulation, upload: uploads.Upload) -> None:
    with simulation.state.transaction() as db:
        content = uploads.content_of(db, upload.upload_id)
    parsed, error = None, None
    try:
        # Parsed outside the transaction: a long file would block every other caller.
        parsed = read_file(content, upload.data_type)
    except FileRejected as err:
        error = str(err)
    with simulation.state.transaction() as db:
        if uploads.find(db, upload.upload_id).settled:
            return
        if parsed is None:
            uploads.settle(db, upload.upload_id, error=error, activity_id=None)
        else:
            _accept(db, simulation, upload, parsed)


def _accept(db: sqlite3.Connection, simulation: Simulation, upload: uploads.Upload, parsed: ParsedFile) -> None:
    """Create the activity, unless the athlete has one that began in the same second: Strava's duplicate."""
    original = activities.at_start(db, upload.athlete_id, int(parsed.start_at.timestamp()))
    if original is not None:
        text = _duplicate_text(upload, original, simulation.rules.duplicate_text)
        uploads.settle(db, upload.upload_id, error=text, activity_id=None)
        return
    facts = _facts(upload, parsed, activities.next_id(db))
    kept = activities.add(db, SimulatedActivity(describe(facts, parsed.streams), parsed.streams), fresh=True)
    uploads.settle(db, upload.upload_id, error=None, activity_id=kept.activity_id)
    events.activity_created(db, simulation, kept.subject)


def _duplicate_text(upload: uploads.Upload, original: activities.StoredActivity, form: DuplicateText) -> str:
    if form is DuplicateText.PLAIN:
        return f"{upload.external_id} duplicate of activity {original.activity_id}"
    name = escape(original.detail["name"])
    link = f"<a href='/activities/{original.activity_id}' target='_blank'>{name}</a>"
    return f"{upload.external_id} duplicate of {link}"


def _facts(upload: uploads.Upload, parsed: ParsedFile, activity_id: int) -> Facts:
    sport_type = upload.fields.get("sport_type") or parsed.sport or DEFAULT
    return Facts(
        activity_id=activity_id,
        athlete_id=upload.athlete_id,
        name=upload.fields.get("name") or parsed.name or title(noun(sport_type), parsed.start_at),
        sport_type=sport_type,
        start_at=parsed.start_at,
        distance_m=parsed.distance_m,
        elapsed_s=parsed.elapsed_s,
        moving_s=parsed.moving_s,
        upload_id=upload.upload_id,
        external_id=upload.external_id,
        description=upload.fields.get("description"),
        trainer=upload.fields["trainer"],
        commute=upload.fields["commute"],
    )
