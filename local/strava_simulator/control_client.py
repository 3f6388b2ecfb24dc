"""A Python client of the simulator's control API, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import requests

from local.strava_simulator.api.faults import Faults
from local.strava_simulator.api.script import Line
from local.strava_simulator.world.activity import SimulatedActivity

_TIMEOUT_S = 30


class ControlRefused(Exception):
    """The simulator refused a control call; the message is its reason."""


class SimulatorControl:
    """Acts for the athletes and controls the simulator at `base_url`; `control` documents each call.

    Calls go through `session`, if given, which is closed with the client.
    """

    def __init__(self, base_url: str, session: requests.Session | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self._session = session or requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def health(self) -> dict[str, Any]:
        """Status and time of the simulator."""
        return dict(self._call("GET", "health"))

    def athletes(self) -> list[dict[str, Any]]:
        """The profiles of everyone who has an account."""
        return list(self._call("GET", "athletes"))

    def create_athlete(self, **values: Any) -> int:
        """Open an account, with `athlete_id`, `firstname` and `lastname` if given; returns its id."""
        return int(self._call("POST", "athletes", values)["id"])

    def activity_ids(self, athlete_id: int) -> list[int]:
        """The ids of all of the athlete's activities, newest first."""
        return list(self._call("GET", f"athletes/{athlete_id}/activities")["activity_ids"])

    def finish_activity(self, athlete_id: int, activity: SimulatedActivity, *, announce: bool = True) -> int:
        """Let the athlete finish this activity; returns its id."""
        body = {"detail": activity.detail, "streams": activity.streams, "announce": announce}
        return int(self._call("POST", f"athletes/{athlete_id}/activities", body)["activity_id"])

    def generate_activity(
        self, athlete_id: int, kind: str, *, start_at: datetime, announce: bool = True, **values: Any
    ) -> int:
        """Let the athlete finish a generated activity, with `seed`, `name` and `points` if given; returns its id."""
        body = {"kind": kind, "start_at": start_at.isoformat(), "announce": announce, **values}
        return int(self._call("POST", f"athletes/{athlete_id}/activities", body)["activity_id"])

    def activity(self, activity_id: int) -> dict[str, Any]:
        """The truth: `detail`, `streams`, `deleted` and `upload`."""
        return dict(self._call("GET", f"activities/{activity_id}"))

    def rename(self, activity_id: int, name: str) -> None:
        """Give the activity another title."""
        self._call("PATCH", f"activities/{activity_id}", {"name": name})

    def change_sport(self, activity_id: int, sport_type: str) -> None:
        """Give the activity another sport type."""
        self._call("PATCH", f"activities/{activity_id}", {"sport_type": sport_type})

    def change_visibility(self, activity_id: int, visibility: str) -> None:
        """Show the activity to `everyone`, `followers_only` or `only_me`."""
        self._call("PATCH", f"activities/{activity_id}", {"visibility": visibility})

    def change_silently(self, activity_id: int, **values: Any) -> None:
        """Change fields that raise no event, such as `workout_type`, `commute` or `kudos_count`."""
        self._call("PATCH", f"activities/{activity_id}", values)

    def correct(self, activity_id: int, **factors: float) -> None:
        """Let Strava multiply the `altitude` or the `distance` by a factor."""
        self._call("POST", f"activities/{activity_id}/correct", factors)

    def crop(self, activity_id: int, *, first: int = 0, last: int = 0) -> None:
        """Remove samples from the start and the end."""
        self._call("POST", f"activities/{activity_id}/crop", {"first": first, "last": last})

    def hide_start(self, activity_id: int) -> None:
        """Hide when the activity began."""
        self._call("POST", f"activities/{activity_id}/hide-start")

    def set_zone(self, athlete_id: int, *, lat: float, lng: float, radius_m: float) -> None:
        """Hide the ends of the athlete's tracks in this circle from tokens without `activity:read_all`."""
        self._call("PUT", f"athletes/{athlete_id}/zone", {"lat": lat, "lng": lng, "radius_m": radius_m})

    def delete_activity(self, activity_id: int) -> None:
        """Delete the activity."""
        self._call("DELETE", f"activities/{activity_id}")

    def disconnect(self, athlete_id: int, client_id: int) -> None:
        """Let the athlete disconnect the application at strava.com."""
        self._call("DELETE", f"athletes/{athlete_id}/connections/{client_id}")

    def tokens(self) -> list[str]:
        """Every token ever issued."""
        return list(self._call("GET", "tokens"))

    def deliveries(self) -> list[dict[str, Any]]:
        """Every attempt to deliver an event so far."""
        return list(self._call("GET", "deliveries")["deliveries"])

    def pending_events(self) -> int:
        """How many events still wait to be delivered."""
        return int(self._call("GET", "deliveries")["pending"])

    def calls(self) -> list[dict[str, Any]]:
        """How often each route answered with which status."""
        return list(self._call("GET", "calls"))

    def faults(self, client_id: int) -> Faults:
        """The application's faults."""
        return Faults.from_json(self._call("GET", f"applications/{client_id}/faults"))

    def switch_faults(self, client_id: int, faults: Faults) -> None:
        """Replace the application's faults."""
        self._call("PUT", f"applications/{client_id}/faults", faults.to_json())

    def script(self) -> list[dict[str, Any]]:
        """The answer script, each line with its `calls` so far."""
        return list(self._call("GET", "script"))

    def write_script(self, *lines: Line) -> None:
        """Replace the answer script; without lines it ends."""
        self._call("PUT", "script", [asdict(line) for line in lines])

    def authorize(self, url: str, athlete_id: int, *, scopes: Iterable[str] | None = None) -> str:
        """Open an authorize address in the athlete's browser and press Authorize; returns the address it leads to.

        `scopes` are those left ticked; by default all that the address requests.

        Errors: ControlRefused if Strava shows an error page instead.
        """
        query = urlsplit(url).query
        asked = parse_qs(query).get("scope", [""])[0].replace(",", " ").split()
        response = self._session.post(
            f"{self.base_url}/oauth/authorize?{query}",
            data={
                "athlete_id": athlete_id,
                "scope": list(asked if scopes is None else scopes),
                "decision": "authorize",
            },
            allow_redirects=False,
            timeout=_TIMEOUT_S,
        )
        if response.status_code != 302:
            raise ControlRefused(f"the authorize page answered {response.status_code} to athlete {athlete_id}")
        return response.headers["Location"]

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        response = self._session.request(method, f"{self.base_url}/simulator/{path}", json=body, timeout=_TIMEOUT_S)
        if not response.ok:
            raise ControlRefused(f"{method} {path} was refused with {response.status_code}: {response.text}")
        return response.json() if response.content else None
