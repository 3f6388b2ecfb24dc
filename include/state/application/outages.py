"""The present outage of Strava or of this application: when it began, and when Strava was last checked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from include.clock import Clock
from include.errors import VersionConflict
from include.store.codec import decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store
from include.strava.quota import WINDOW_S, window_start

_KEY = Key("outages", "strava")
_OTHERS = Key("outages", "others")

KEPT_S = 2 * WINDOW_S
"""How long a noted outage counts without a check: after that the next call tells."""


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage of Strava or of the application: every call fails, through no fault of an activity."""

    since_epoch_s: int
    reason: str
    """The class of the first error; its message is not stored, because it may name an athlete."""
    asked_at_epoch_s: int

    def is_to_be_asked(self, now_epoch_s: float) -> bool:
        """Whether no process has checked Strava in the present quota window."""
        return window_start(now_epoch_s) > self.asked_at_epoch_s


class Outages:
    """One row while Strava is down, none otherwise; any number of processes may begin, check and end an outage."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def current(self) -> Outage | None:
        """The current outage, or None."""
        item = self._store.get(_KEY)
        return decode(Outage, item.fields) if item else None

    @retry_on_conflict
    def begin(self, reason: str) -> Outage:
        """Note an outage that was just found; an earlier one continues. Safe to repeat."""
        item, now_epoch_s = self._store.get(_KEY), int(self._clock())
        outage = (
            replace(decode(Outage, item.fields), asked_at_epoch_s=now_epoch_s)
            if item
            else Outage(now_epoch_s, reason, now_epoch_s)
        )
        self._put(outage, item)
        return outage

    def ask(self) -> bool:
        """Claim the check of Strava: True once in each window of an outage, and then the caller has to make a call."""
        item, now_epoch_s = self._store.get(_KEY), self._clock()
        if item is None or not decode(Outage, item.fields).is_to_be_asked(now_epoch_s):
            return False
        try:
            self._put(replace(decode(Outage, item.fields), asked_at_epoch_s=int(now_epoch_s)), item)
        except VersionConflict:
            return False
        return True

    def ask_others(self) -> bool:
        """Claim the check of other athletes: True once in each window, and then the caller has to make their calls."""
        item, now_epoch_s = self._store.get(_OTHERS), self._clock()
        if item is not None and window_start(now_epoch_s) <= item.fields["asked_at_epoch_s"]:
            return False
        version = item.version if item else ABSENT
        fields, expires_at_epoch_s = {"asked_at_epoch_s": int(now_epoch_s)}, int(now_epoch_s) + KEPT_S
        try:
            self._store.put(_OTHERS, fields, expected_version=version, expires_at_epoch_s=expires_at_epoch_s)
        except VersionConflict:
            return False
        return True

    @retry_on_conflict
    def end(self) -> None:
        """Note the end of the outage. Effects: safe to repeat."""
        item = self._store.get(_KEY)
        if item is not None:
            self._store.delete(_KEY, expected_version=item.version)

    def _put(self, outage: Outage, item: Item | None) -> None:
        self._store.put(
            _KEY,
            encode(outage),
            expected_version=item.version if item else ABSENT,
            expires_at_epoch_s=int(self._clock()) + KEPT_S,
        )
