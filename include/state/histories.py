"""The ledger of histories: the progress of each backfill, as a row with a cursor from which any run can continue."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Self

from include.clock import Clock
from include.state.activities.entry import DUE, LONGEST_WAIT_S
from include.state.erasures.ledger import Erasures
from include.store.codec import decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store

KEPT_S = 30 * 86_400
"""How long the row of a finished history is kept."""


WORKED_S = 1800
"""After this time without a finished chunk, the run that works on a history counts as dead."""


@dataclass(frozen=True, slots=True)
class History:
    """The progress of loading an athlete's activities of a span into the lake; ids and numbers only."""

    athlete_id: int
    after_epoch_s: int
    """The last second before the span."""
    until_epoch_s: int
    """The first second after it."""
    dry_run: bool
    """Whether the run only lists and counts."""
    asked_at_epoch_s: int
    before_epoch_s: int
    """The cursor: activities that began before it are not listed yet; newer ones are listed first."""
    edge: tuple[int, ...] = ()
    """Listed activities that began in the cursor's second: the next page repeats them."""
    again: bool = False
    """Whether stored activities are fetched again, with their streams."""
    is_listed: bool = False
    listed_at_epoch_s: float = 0.0
    """When the oldest list that `to_load` comes from was requested."""
    to_load: tuple[int, ...] = ()
    """Listed activities that the lake lacks and that are not loaded yet."""
    found: int = 0
    in_lake: int = 0
    changed: int = 0
    """Stored activities that were edited since, or are to be fetched again: queued for `strava_ingest`."""
    unreadable: int = 0
    """Unreadable rows of the list: quarantined by their ids; the others are loaded."""
    lacking: int = 0
    """Activities that the lake lacked when they were listed."""
    read_calls: int = 0
    """Calls made for listing, and those needed for loading; a manual activity needs none."""
    loaded: int = 0
    next_turn_epoch_s: int = 0
    queued: int = 0
    """How often a run was queued since the last run started."""
    reason: str = ""
    """Why the history was postponed."""

    @property
    def span(self) -> str:
        """The key that distinguishes it from the athlete's other histories."""
        kind = f"{'.again' if self.again else ''}{'.dry' if self.dry_run else ''}"
        return f"{self.after_epoch_s}.{self.until_epoch_s}{kind}"

    @property
    def is_open(self) -> bool:
        """Whether it is not finished."""
        return not self.is_listed or bool(self.to_load)

    @property
    def done_share(self) -> float:
        """The share that is done, from 0 to 1, by the time span listed and the share of it loaded."""
        span_s = self.until_epoch_s - self.after_epoch_s
        listed = 1.0 if self.is_listed else (self.until_epoch_s - self.before_epoch_s) / span_s
        return listed * (1 - len(self.to_load) / self.lacking if self.lacking else 1)

    def taken(self, now_epoch_s: float) -> Self:
        """The history while a run works on it: no other run starts on it before this one counts as dead."""
        return replace(self, next_turn_epoch_s=int(now_epoch_s) + WORKED_S, queued=0)

    def put_off(self, now_epoch_s: float) -> Self:
        """The history while a run for it is queued: due again after a wait that grows with each queued run."""
        wait_s = min(WORKED_S << self.queued, LONGEST_WAIT_S)
        return replace(self, next_turn_epoch_s=int(now_epoch_s) + wait_s, queued=self.queued + 1)

    def without(self, settled: Collection[int], *, in_lake: Collection[int], now_epoch_s: float) -> Self:
        """The history without these finished activities, some of them in the lake; each counts once."""
        left = tuple(activity_id for activity_id in self.to_load if activity_id not in settled)
        loaded = self.loaded + sum(activity_id in in_lake for activity_id in self.to_load)
        rest = replace(self, to_load=left, loaded=loaded)
        return rest.taken(now_epoch_s) if left else replace(rest, next_turn_epoch_s=int(now_epoch_s))


class Histories:
    """One row for each requested span; any number of processes may work on it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._erasures = Erasures(store, clock)

    @retry_on_conflict
    def ask(self, wanted: History) -> History | None:
        """The row of that span: a history under way, a finished one that answers the request, or a new one.

        None where the athlete is being erased.
        """
        item = self._store.get(_key(wanted.athlete_id, wanted.span))
        present = decode(History, item.fields) if item else wanted
        if not present.is_open and wanted.asked_at_epoch_s <= present.asked_at_epoch_s:
            return present
        row = present if present.is_open else wanted
        self._put(row.taken(self._clock()), item)
        return self.get(wanted.athlete_id, wanted.span)

    @retry_on_conflict
    def put_off(self, history: History) -> bool:
        """Postpone the history while a run is queued for it; False if it is not due or another process was first."""
        item, now_epoch_s = self._store.get(_key(history.athlete_id, history.span)), self._clock()
        row = decode(History, item.fields) if item else None
        if row is None or not row.is_open or row.next_turn_epoch_s > now_epoch_s:
            return False
        self._put(row.put_off(now_epoch_s), item)
        return True

    def get(self, athlete_id: int, span: str) -> History | None:
        """The row, or None."""
        item = self._store.get(_key(athlete_id, span))
        return decode(History, item.fields) if item else None

    def open(self, now_epoch_s: float) -> Iterator[History]:
        """The due histories under way, longest overdue first."""
        for item in self._store.find("histories", "due", DUE, up_to=now_epoch_s):
            yield decode(History, item.fields)

    @retry_on_conflict
    def amend(self, history: History, change: Callable[[History], History]) -> History | None:
        """Store `change` of the present row; None if it is gone, since the athlete was erased."""
        item = self._store.get(_key(history.athlete_id, history.span))
        if item is None:
            return None
        self._put(change(decode(History, item.fields)), item)
        return self.get(history.athlete_id, history.span)

    def of_athlete(self, athlete_id: int) -> Iterator[History]:
        """Every row of the athlete."""
        return (decode(History, item.fields) for item in self._store.query("histories", str(athlete_id)))

    @retry_on_conflict
    def forget(self, athlete_id: int) -> None:
        """Remove the athlete's rows. Effects: safe to repeat."""
        for item in list(self._store.query("histories", str(athlete_id))):
            self._store.delete(item.key, expected_version=item.version)

    def _put(self, history: History, before: Item | None) -> None:
        self._store.put(
            _key(history.athlete_id, history.span),
            {**encode(history), "due": DUE if history.is_open else None},
            expected_version=before.version if before else ABSENT,
            expires_at_epoch_s=None if history.is_open else int(self._clock()) + KEPT_S,
        )
        if self._erasures.clear_away(history.athlete_id):  # checked after the write, see `Erasures`
            self.forget(history.athlete_id)


def _key(athlete_id: int, span: str) -> Key:
    return Key("histories", str(athlete_id), span)
