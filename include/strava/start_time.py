"""Start times that Strava hides."""

from __future__ import annotations

from include.strava.models import Activity


def start_time_hidden(activity: Activity) -> bool:
    """Whether the athlete hides the start time: Strava then answers one second past midnight.

    Source: strava.com changelog, 2024-07-03 (local time); observed in UTC too.
    """
    times = (activity.fields.get("start_date"), activity.fields.get("start_date_local"))
    return any(isinstance(time, str) and time[10:19] == "T00:00:01" for time in times)
