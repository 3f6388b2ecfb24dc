"""Whether an activity may be copied over a link."""

from __future__ import annotations

from include.copying.samples import timed_samples, times_increase, too_few_reason
from include.copying.sports import sport_in_words
from include.state.links import Link, LinkStatus
from include.strava.models import Activity, StreamSet
from include.strava.start_time import start_time_hidden

COPY_PREFIX = "sdi-"
"""The prefix of every copy's external id, in every installation."""

_LAST_YEAR = 9990
"""The last year in which all times of an activity have a four-digit year, however long the activity is."""

_IS_A_COPY = "This activity is itself a copy, and copies are not copied again."
_IS_MANUAL = "This activity was entered by hand: there is no recording to copy."

LASTING_REASONS = frozenset({_IS_A_COPY, _IS_MANUAL})
"""The reasons that no change of the activity or the link can remove."""


def ineligible_reason(activity: Activity, streams: StreamSet | None, link: Link, *, is_copy: bool) -> str | None:
    """Why the activity is not copied over the link, in words for the athlete; None if it is copied.

    `streams` is None where Strava has none; `is_copy` says whether the ledger knows the activity as a copy.
    None means that `build_file` finds enough points for a file.
    """
    return (
        _link_reason(link)
        or _activity_reason(activity, is_copy=is_copy)
        or _choice_reason(activity, link)
        or _points_reason(activity, streams, link)
    )


def _link_reason(link: Link) -> str | None:
    if link.status is LinkStatus.PAUSED:
        return "The link to this child is paused."
    if link.status is LinkStatus.ENDED:
        return "The link to this child has ended."
    if link.parent_consent_epoch_s is None or link.child_consent_epoch_s is None:
        return "The link to this child waits until both sides have agreed."
    return None


def _activity_reason(activity: Activity, *, is_copy: bool) -> str | None:
    if is_copy or (activity.external_id or "").startswith(COPY_PREFIX):
        return _IS_A_COPY
    if activity.manual:
        return _IS_MANUAL
    if activity.flagged:
        return "Strava has flagged this activity, so it is not copied."
    if activity.start_at.year > _LAST_YEAR:
        return f"This activity is dated in the year {activity.start_at.year}: a file cannot hold its times."
    if start_time_hidden(activity):
        return "Strava hides when this activity began, and a copy cannot be made without its time of day."
    return None


def _choice_reason(activity: Activity, link: Link) -> str | None:
    if activity.visibility == "only_me" and not link.options.allow_private:
        return "Only you can see this activity, and the link does not copy private activities."
    if link.options.sports and activity.sport_type not in link.options.sports:
        chosen = ", ".join(sport_in_words(sport) for sport in link.options.sports)
        return f"The link copies only {chosen}; this activity is {sport_in_words(activity.sport_type)}."
    if activity.start_at.timestamp() < link.starts_at_epoch_s:
        return "This activity began before the day from which the link copies."
    return None


def _points_reason(activity: Activity, streams: StreamSet | None, link: Link) -> str | None:
    if streams is None or streams.length == 0:
        return "Strava has no recorded points for this activity."
    if not times_increase(streams):
        return "The times of this recording do not increase from point to point, so Strava would refuse the copy."
    return too_few_reason(timed_samples(activity, streams, link.options))
