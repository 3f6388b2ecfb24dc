"""The kinds of activity that the simulator can generate, and their profiles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """One kind of activity; together the kinds cover every shape that Strava returns."""

    RUN = "run"
    RIDE = "ride"
    TRAIL_RUN = "trail_run"
    INDOOR_RIDE = "indoor_ride"
    TREADMILL = "treadmill"
    SWIM = "swim"
    VIRTUAL_RIDE = "virtual_ride"


@dataclass(frozen=True, slots=True)
class Profile:
    """The common properties of all activities of one kind.

    Shape: `channels` are the stream types recorded, empty where Strava has no streams.
    `place` is where the athlete starts (`lat, lng`), None without GPS. `stop_every_s` is how often traffic stops the
    athlete, None for never. `lap_m` is the device's automatic lap, None for a single one.
    """

    sport_type: str
    noun: str
    speed_mps: float
    usual_points: tuple[int, int]
    channels: tuple[str, ...] = ()
    place: tuple[float, float] | None = None
    hills_m: float = 0.0
    cadence_rpm: float = 0.0
    stop_every_s: int | None = None
    device_pause: bool = False
    lap_m: float | None = None
    trainer: bool = False
    manual: bool = False
    device_name: str | None = None
    external_id: str | None = None
    """The external id in the format of the device's maker, with a `{number}`."""


_OUTDOOR = ("time", "distance", "latlng", "altitude", "velocity_smooth", "heartrate", "cadence")
_DERIVED = ("moving", "grade_smooth")

PROFILES = {
    Kind.RUN: Profile(
        sport_type="Run",
        noun="Run",
        speed_mps=3.1,
        usual_points=(1500, 4200),
        channels=(*_OUTDOOR, "temp", *_DERIVED),
        place=(52.4731, 13.4011),
        hills_m=6.0,
        cadence_rpm=86.0,
        stop_every_s=900,
        lap_m=1000.0,
        device_name="Garmin Forerunner 265",
        external_id="garmin_push_{number}",
    ),
    Kind.RIDE: Profile(
        sport_type="Ride",
        noun="Ride",
        speed_mps=7.8,
        usual_points=(3600, 9000),
        channels=(*_OUTDOOR, "watts", "temp", *_DERIVED),
        place=(52.5074, 13.2602),
        hills_m=18.0,
        cadence_rpm=86.0,
        stop_every_s=600,
        lap_m=5000.0,
        device_name="Garmin Edge 840",
        external_id="garmin_push_{number}",
    ),
    Kind.TRAIL_RUN: Profile(
        sport_type="TrailRun",
        noun="Trail Run",
        speed_mps=2.5,
        usual_points=(2400, 6000),
        channels=(*_OUTDOOR, "temp", *_DERIVED),
        place=(52.4466, 13.6423),
        hills_m=45.0,
        cadence_rpm=80.0,
        device_pause=True,
        device_name="COROS APEX 2",
        external_id="coros_{number}.fit",
    ),
    Kind.INDOOR_RIDE: Profile(
        sport_type="Ride",
        noun="Ride",
        speed_mps=8.6,
        usual_points=(1800, 5400),
        channels=("time", "distance", "velocity_smooth", "heartrate", "cadence", "watts", "moving"),
        cadence_rpm=90.0,
        trainer=True,
        device_name="Wahoo ELEMNT BOLT",
        external_id="indoor-{number}.fit",
    ),
    Kind.TREADMILL: Profile(
        sport_type="Run",
        noun="Run",
        speed_mps=2.9,
        usual_points=(1200, 3600),
        trainer=True,
        device_name="Technogym Run",
        external_id="treadmill-{number}.tcx",
    ),
    Kind.SWIM: Profile(sport_type="Swim", noun="Swim", speed_mps=0.85, usual_points=(1200, 3600), manual=True),
    Kind.VIRTUAL_RIDE: Profile(
        sport_type="VirtualRide",
        noun="Virtual Ride",
        speed_mps=9.2,
        usual_points=(2400, 5400),
        channels=(*_OUTDOOR, "watts", *_DERIVED),
        place=(-11.6368, 166.9721),
        hills_m=30.0,
        cadence_rpm=88.0,
        device_name="Zwift",
        external_id="zwift-activity-{number}.fit",
    ),
}
