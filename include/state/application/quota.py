"""The shared call budget: counted before each call, corrected by Strava's report after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from include.clock import Clock
from include.errors import CeilingReached, QuotaSpent, VersionConflict
from include.store.store import ABSENT, Item, Key, Store
from include.strava.quota import (
    COUNTERS,
    DAY_S,
    Bucket,
    Counts,
    Limits,
    Priority,
    Report,
    Room,
    clock_skew_s,
    counters_of,
    day_start,
    next_day,
    next_window,
    reconciled,
    utc_day,
    utc_text,
    window_start,
)

_LIMITS = Key("quota", "limits")
_CLOCK = Key("quota", "clock")
_KEPT_S = 3 * DAY_S
_SETTLING_S = 10
"""How long after a window has opened an answer may still report the usage of the window before."""
_LEAST_SKEW_S = 2
"""A difference of two clocks that is ignored: answers tell the time to a second."""


class Quota:
    """One budget for all processes; satisfies `include.strava.client.QuotaGate`.

    Shape: one row for each UTC day with a counter for the day and one for every window (`read_day`, `read_1315`), and
    one row `limits` with the limits last seen. Counters and limits are separate rows, because counters grow without a
    version while limits are replaced. Rows expire after three days.

    Windows and days are those of Strava's clock: its offset from ours is learned from answers, and kept in a row
    `clock` for new processes. Times in errors are by our clock.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._skew_s: float | None = None

    def reserve(self, bucket: Bucket, priority: Priority) -> None:
        """Count one call, in every counter that it uses or in none.

        Errors: `QuotaSpent`, with the opening of the window or day that has room again.
        Effects: a reserved call counts even if it is never made.
        """
        now_epoch_s = self._strava_now()
        limits = _limits(self._store.get(_LIMITS))
        ceilings = {_field(counter, now_epoch_s): limits.allowed(counter, priority) for counter in counters_of(bucket)}
        try:
            self._add(dict.fromkeys(ceilings, 1), ceilings, now_epoch_s)
        except CeilingReached:
            raise self._spent(ceilings, priority, now_epoch_s) from None

    def observe(self, headers: Mapping[str, str]) -> None:
        """Raise the counters to the usage that Strava reports, and remember its limits.

        Safe to repeat and with many processes: no counter is raised beyond the report. Just after a window has opened,
        its usage is ignored, because it may be that of the window before.
        """
        self._set_clock(headers)
        now_epoch_s = self._strava_now()
        report = Report.parse(headers)
        self._learn(report.limits, now_epoch_s)
        usage = {
            _field(counter, now_epoch_s): used
            for counter, used in report.usage.known().items()
            if now_epoch_s - _opened(counter, now_epoch_s) >= _SETTLING_S
        }
        while raises := self._missing(usage, now_epoch_s):
            try:
                self._add(raises, {field: usage[field] for field in raises}, now_epoch_s)
            except CeilingReached:
                continue  # Another process counted in between: the count is now closer to the report, so the loop ends.

    def used(self) -> Counts:
        """How many calls the present window and day have seen."""
        now_epoch_s = self._strava_now()
        row = self._store.get(_day_key(now_epoch_s))
        return Counts(**{counter: _count(row, _field(counter, now_epoch_s)) for counter in COUNTERS})

    def room(self) -> Room:
        """How many calls the present window and day still allow."""
        return Room.between(self.used(), self.limits())

    def limits(self) -> Limits:
        """The limits last seen, or a standard application's."""
        return _limits(self._store.get(_LIMITS))

    def _add(self, increments: Mapping[str, int], ceilings: Mapping[str, int], now_epoch_s: float) -> None:
        expires_at_epoch_s = day_start(now_epoch_s) + _KEPT_S
        self._store.add(_day_key(now_epoch_s), increments, ceilings=ceilings, expires_at_epoch_s=expires_at_epoch_s)

    def _missing(self, usage: Mapping[str, int], now_epoch_s: float) -> dict[str, int]:
        row = self._store.get(_day_key(now_epoch_s)) if usage else None
        gaps = {field: reconciled(_count(row, field), used) - _count(row, field) for field, used in usage.items()}
        return {field: gap for field, gap in gaps.items() if gap > 0}

    def _learn(self, seen: Counts, now_epoch_s: float) -> None:
        row = self._store.get(_LIMITS) if seen.known() else None
        limits = _limits(row).updated(seen)
        if limits == _limits(row):
            return
        try:
            self._store.put(
                _LIMITS,
                asdict(limits),
                expected_version=row.version if row else ABSENT,
                expires_at_epoch_s=day_start(now_epoch_s) + _KEPT_S,
            )
        except VersionConflict:
            return  # Another process has stored limits from an answer as new; the next answer corrects any difference.

    def _spent(self, ceilings: Mapping[str, int], priority: Priority, now_epoch_s: float) -> QuotaSpent:
        row = self._store.get(_day_key(now_epoch_s))
        full = sorted(field for field, ceiling in ceilings.items() if _count(row, field) >= ceiling)
        is_day = any(field.endswith("_day") for field in full)
        until_epoch_s = next_day(now_epoch_s) if is_day else next_window(now_epoch_s)
        reserve = " (a tenth is reserved for live work)" if priority is Priority.BACKFILL else ""
        return QuotaSpent(
            f"The {'daily' if is_day else '15-minute'} call budget for {priority.name.lower()} work is spent{reserve}: "
            f"{', '.join(f'{field} at {_count(row, field)} of {ceilings[field]}' for field in full)}. "
            f"Try again from {utc_text(until_epoch_s)}.",
            until_epoch_s=until_epoch_s - self._known_skew_s(),
        )

    def _strava_now(self) -> float:
        return self._clock() + self._known_skew_s()

    def _known_skew_s(self) -> float:
        if self._skew_s is None:
            row = self._store.get(_CLOCK)
            self._skew_s = float(row.fields["skew_s"]) if row else 0.0
        return self._skew_s

    def _set_clock(self, headers: Mapping[str, str]) -> None:
        skew_s = clock_skew_s(headers, self._clock())
        if skew_s is None or abs(skew_s - self._known_skew_s()) <= _LEAST_SKEW_S:
            return
        self._skew_s = 0.0 if abs(skew_s) <= _LEAST_SKEW_S else round(skew_s)
        row = self._store.get(_CLOCK)
        try:
            self._store.put(
                _CLOCK,
                {"skew_s": self._skew_s},
                expected_version=row.version if row else ABSENT,
                expires_at_epoch_s=day_start(self._clock()) + _KEPT_S,
            )
        except VersionConflict:
            return  # Another process was first; this process already knows the offset.


def _day_key(now_epoch_s: float) -> Key:
    return Key("quota", utc_day(now_epoch_s))


def _field(counter: str, now_epoch_s: float) -> str:
    """The row's field for a counter of `Limits`: its window is named by the time at which it opened."""
    if counter.endswith("_day"):
        return counter
    return counter.removesuffix("window") + utc_text(window_start(now_epoch_s))[11:16].replace(":", "")


def _opened(counter: str, now_epoch_s: float) -> int:
    return day_start(now_epoch_s) if counter.endswith("_day") else window_start(now_epoch_s)


def _count(row: Item | None, field: str) -> int:
    return int(row.fields.get(field, 0)) if row else 0


def _limits(row: Item | None) -> Limits:
    return Limits(**{counter: int(row.fields[counter]) for counter in COUNTERS}) if row else Limits()
