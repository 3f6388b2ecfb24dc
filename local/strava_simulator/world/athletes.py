"""The athletes who have a Strava account."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.strava_simulator.recordings.facts import utc_text

_FIRST_ATHLETE_ID = 5_100_001
_SUMMARY = (
    "id", "username", "resource_state", "firstname", "lastname", "bio", "city", "state", "country", "sex", "premium",
    "summit", "created_at", "updated_at", "badge_type_id", "weight", "profile_medium", "profile", "friend", "follower",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Athlete:
    """An athlete's account: Strava's DetailedAthlete."""

    profile: Mapping[str, Any]

    @property
    def athlete_id(self) -> int:
        """Strava's id of the athlete."""
        return int(self.profile["id"])

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.profile['firstname']} {self.profile['lastname']}".strip()

    def summary(self) -> dict[str, Any]:
        """The athlete as a SummaryAthlete, which is all that the scope `read` shows."""
        return {**{key: self.profile[key] for key in _SUMMARY}, "resource_state": 2}


class AthleteExists(Exception):
    """The athlete's id is taken."""


class UnknownAthlete(Exception):
    """No athlete has this id."""


def create(db: sqlite3.Connection, values: Mapping[str, Any], *, now_epoch_s: float) -> Athlete:
    """Open an account.

    Shape: `values` may contain `athlete_id`, `firstname` and `lastname`; each has a default.

    Errors: AthleteExists when the id is taken; ValueError for an invalid id, and for any other key.
    """
    if not set(values) <= {"athlete_id", "firstname", "lastname"}:
        raise ValueError("an athlete has athlete_id, firstname and lastname, nothing else")
    athlete_id = _whole_number(values.get("athlete_id", _next_id(db)))
    firstname, lastname = str(values.get("firstname", "Athlete")), str(values.get("lastname", str(athlete_id)))
    athlete = Athlete(_profile(athlete_id, firstname, lastname, now_epoch_s))
    try:
        db.execute("INSERT INTO athletes VALUES (?, ?)", (athlete_id, json.dumps(athlete.profile)))
    except sqlite3.IntegrityError as err:
        raise AthleteExists(f"athlete {athlete_id} exists already") from err
    return athlete


def find(db: sqlite3.Connection, athlete_id: int) -> Athlete:
    """The athlete with this id.

    Errors: UnknownAthlete when there is none.
    """
    row = db.execute("SELECT * FROM athletes WHERE athlete_id = ?", (athlete_id,)).fetchone()
    if row is None:
        raise UnknownAthlete(f"there is no athlete {athlete_id}")
    return Athlete(json.loads(row["profile"]))


def everyone(db: sqlite3.Connection) -> list[Athlete]:
    """All athletes, by id."""
    rows = db.execute("SELECT * FROM athletes ORDER BY athlete_id").fetchall()
    return [Athlete(json.loads(row["profile"])) for row in rows]


def _next_id(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT MAX(athlete_id) AS last FROM athletes").fetchone()
    return max(_FIRST_ATHLETE_ID, (row["last"] or 0) + 1)


def _whole_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise ValueError(f"athlete_id is a whole number above 0, not {value!r}")
    return value


def _profile(athlete_id: int, firstname: str, lastname: str, now_epoch_s: float) -> dict[str, Any]:
    moment = utc_text(datetime.fromtimestamp(now_epoch_s, UTC))
    return {
        "id": athlete_id,
        "username": None,
        "resource_state": 3,
        "firstname": firstname,
        "lastname": lastname,
        "bio": None,
        "city": "",
        "state": "",
        "country": None,
        "sex": None,
        "premium": False,
        "summit": False,
        "created_at": moment,
        "updated_at": moment,
        "badge_type_id": 0,
        "weight": None,
        "profile_medium": "avatar/athlete/medium.png",
        "profile": "avatar/athlete/large.png",
        "friend": None,
        "follower": None,
        "blocked": False,
        "can_follow": True,
        "follower_count": 0,
        "friend_count": 0,
        "mutual_friend_count": 0,
        "athlete_type": 1,
        "date_preference": "%m/%d/%Y",
        "measurement_preference": "meters",
        "clubs": [],
        "postable_clubs_count": 0,
        "ftp": None,
        "bikes": [],
        "shoes": [],
    }
