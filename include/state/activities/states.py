"""The states of an activity, and the steps between them."""

from __future__ import annotations

from enum import StrEnum

from include.state.transition import Transition


class ActivityState(StrEnum):
    """The state of an activity."""

    PENDING = "pending"
    """To be fetched at `next_try_epoch_s`."""
    SYNCED = "synced"
    NO_STREAMS = "no_streams"
    """In the lake without points: a manual activity, or one whose streams Strava does not have."""
    REMOVED = "removed"
    """Strava no longer shows it, and none of its data is kept."""
    QUARANTINED = "quarantined"
    """Its answer could not be read; the raw object and the reason are kept."""
    EXPIRED = "expired"
    """Deleted here because it was older than the settings allow; only an event or a backfill brings it back."""

    @classmethod
    def _missing_(cls, value: object) -> ActivityState | None:
        return cls.REMOVED if value == "hidden" else None  # as rows of older versions call it


_ANY = frozenset(ActivityState)
_S = ActivityState

SYNCED = Transition("synced", _ANY, _S.SYNCED, "its streams were fetched and its rows are written")
WITHOUT_STREAMS = Transition("without_streams", _ANY, _S.NO_STREAMS, "it has no streams; its other rows are written")
REMOVED = Transition("removed", _ANY, _S.REMOVED, "Strava no longer shows it, and its rows are removed from the lake")
QUARANTINED = Transition("quarantined", _ANY, _S.QUARANTINED, "an answer about it could not be read")
WAITING = Transition("waiting", _ANY, _S.PENDING, "a temporary fault or a spent budget prevented the fetch")
LISTED = Transition("listed", _ANY, _S.PENDING, "its list row is stored; its streams are not fetched yet")
EXPIRED = Transition("expired", _ANY - {_S.REMOVED}, _S.EXPIRED, "it is older than the settings allow, and is deleted")

TRANSITIONS = (SYNCED, WITHOUT_STREAMS, REMOVED, QUARANTINED, WAITING, LISTED, EXPIRED)
"""Every step; a row that has taken none is `pending`."""
