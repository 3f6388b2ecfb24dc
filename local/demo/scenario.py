"""The demo's scenario: the parent's history and fresh activities; one title names the child, another one later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from include.errors import BadRequest
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.recordings.directory import load_directory
from local.strava_simulator.recordings.generator import Kind, generate
from local.strava_simulator.world.activity import SimulatedActivity

CHILD_NAME = "Rex"
PARENT_ID = 4_100_001
CHILD_ID = 4_100_002
FIRST_ACTIVITY_ID = 16_500_000_000
HISTORY_SIZE = 30
HISTORY_DAYS = 400
FRESH = (
    (Kind.RUN, 3_600),
    (Kind.RIDE, 7_200),
    (Kind.TRAIL_RUN, 4_500),
    (Kind.INDOOR_RIDE, 2_700),
    (Kind.VIRTUAL_RIDE, 3_000),
    (Kind.TREADMILL, None),
    (Kind.SWIM, None),
)
"""Every kind of activity, with its number of points."""
EXTREMES = ((Kind.RUN, 1), (Kind.RIDE, 20_000))
"""The shortest and the longest recording; they belong to the history."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """The parent's activities, oldest first in both lists."""

    history: tuple[SimulatedActivity, ...]
    """Recorded before the parent connected: no webhook reports them, the backfill finds them."""
    fresh: tuple[SimulatedActivity, ...]
    named_at_once_id: int
    renamed_later_id: int
    new_title: str

    @property
    def first_day(self) -> str:
        """The day of the oldest activity, for the backfill's form."""
        return str(self.history[0].detail["start_date"])[:10]

    @property
    def last_day(self) -> str:
        """The day of the newest activity of the history."""
        return str(self.history[-1].detail["start_date"])[:10]


def invented(now: datetime, *, seed: int) -> Scenario:
    """Activities of every kind, with 1 to 20,000 points, over a bit more than a year."""
    chance = Random(seed)
    kinds = [(chance.choice(list(Kind)), chance.randint(300, 3_000)) for _ in range(HISTORY_SIZE - len(EXTREMES))]
    days = sorted((chance.uniform(3, HISTORY_DAYS) for _ in range(HISTORY_SIZE)), reverse=True)
    history = [
        generate(
            kind,
            seed=seed + number,
            activity_id=FIRST_ACTIVITY_ID + number,
            athlete_id=PARENT_ID,
            start_at=(now - timedelta(days=days[number])).replace(microsecond=0),
            points=points,
        )
        for number, (kind, points) in enumerate((*kinds, *EXTREMES))
    ]
    fresh = [
        generate(
            kind,
            seed=seed + 1_000 + number,
            activity_id=FIRST_ACTIVITY_ID + 1_000 + number,
            athlete_id=PARENT_ID,
            start_at=(now - timedelta(hours=4 * (len(FRESH) - number))).replace(microsecond=0),
            points=points,
        )
        for number, (kind, points) in enumerate(FRESH)
    ]
    return _cast(history, fresh)


def recorded(directory: Path) -> Scenario:
    """The recordings in `directory`: the older half is history, the newer half happens now.

    Errors: `BadRequest` when fewer than two have a track: one names the child at once, one later.
    """
    activities = load_directory(directory, athlete_id=PARENT_ID)
    with_track = [activity for activity in activities if _can_be_copied(activity)]
    if len(with_track) < 2:
        raise BadRequest(
            f"{directory} has {len(with_track)} recorded activities with times; the demo needs two or more, "
            "each as <name>/activity.json and <name>/streams.json."
        )
    fresh = [*with_track[-2:]]
    others = [activity for activity in activities if activity not in fresh]
    half = (len(others) + 1) // 2
    return _cast(others[:half], sorted([*others[half:], *fresh], key=_start))


def populate(control: SimulatorControl, scenario: Scenario) -> None:
    """Give the parent and the child accounts at the simulated Strava, and the parent the scenario's history.

    What is there already stays as it is.
    """
    there = {profile["id"] for profile in control.athletes()}
    for athlete_id, firstname, lastname in ((PARENT_ID, "Paula", "Parent"), (CHILD_ID, CHILD_NAME, "Child")):
        if athlete_id not in there:
            control.create_athlete(athlete_id=athlete_id, firstname=firstname, lastname=lastname)
    known = set(control.activity_ids(PARENT_ID))
    for activity in scenario.history:
        if activity.activity_id not in known:
            control.finish_activity(PARENT_ID, activity, announce=False)


def _cast(history: Sequence[SimulatedActivity], fresh: Sequence[SimulatedActivity]) -> Scenario:
    named, renamed = [activity for activity in fresh if _can_be_copied(activity)][:2]
    title = f"{named.detail['name']} with {CHILD_NAME}"
    titled = replace(named, detail={**named.detail, "name": title})
    return Scenario(
        history=tuple(sorted(history, key=_start)),
        fresh=tuple(titled if activity is named else activity for activity in fresh),
        named_at_once_id=named.activity_id,
        renamed_later_id=renamed.activity_id,
        new_title=f"{renamed.detail['name']} – #{CHILD_NAME.lower()} came along",
    )


def _can_be_copied(activity: SimulatedActivity) -> bool:
    return activity.streams is not None and "time" in activity.streams and len(activity.streams["time"]["data"]) > 1


def _start(activity: SimulatedActivity) -> datetime:
    return datetime.fromisoformat(activity.detail["start_date"]).astimezone(UTC)
