"""A request for an athlete's history: stored first, then queued again and again until the history is loaded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from include.errors import BadRequest, NotConnected
from include.pipeline.uses import UsesStateAndQueue
from include.queue.content import ResumeBackfill, to_body
from include.state.histories import History
from include.state.state import UsesState

_LAST_DAY = date(9998, 12, 31)

RUNS_AT_ONCE = 4
"""For how many histories one reconcile queues a run: as many as `strava_backfill` runs at a time."""


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """Which history to load: the athlete's activities that started between two days, both included (UTC)."""

    athlete_id: int
    first_day: date
    last_day: date
    asked_at_epoch_s: int
    """A finished history that was requested at this time or later answers the request."""
    dry_run: bool = False
    again: bool = False
    """Whether stored activities are fetched again, with their streams."""

    @classmethod
    def of(cls, history: History) -> BackfillRequest:
        """The request that made the history."""
        first = datetime.fromtimestamp(history.after_epoch_s + 1, UTC).date()
        last = datetime.fromtimestamp(history.until_epoch_s - 1, UTC).date()
        return cls(history.athlete_id, first, last, history.asked_at_epoch_s, history.dry_run, history.again)

    @classmethod
    def from_params(cls, params: Mapping[str, Any], *, default_asked_at: datetime) -> BackfillRequest:
        """The request in the form's params; without a time, its run's time counts.

        Errors: `BadRequest` for an invalid day, or days in the wrong order.
        """
        try:
            first, last = date.fromisoformat(params["from"]), date.fromisoformat(params["to"])
        except ValueError as err:
            raise BadRequest(f"A day of the backfill cannot be read: {err}; write it like 2026-06-17.") from err
        if last > _LAST_DAY:
            raise BadRequest(f"The backfill ends after {_LAST_DAY}; choose an earlier last day.")
        if last < first:
            raise BadRequest(f"The backfill ends ({last}) before it starts ({first}); swap the two days.")
        asked_at_epoch_s = params.get("asked_at_epoch_s")
        if asked_at_epoch_s is None:
            asked_at_epoch_s = int(default_asked_at.timestamp())
        return cls(params["athlete"], first, last, asked_at_epoch_s, bool(params["dry_run"]), bool(params.get("again")))

    def to_params(self) -> dict[str, Any]:
        """The request as params of the form."""
        return {
            "athlete": self.athlete_id,
            "from": self.first_day.isoformat(),
            "to": self.last_day.isoformat(),
            "dry_run": self.dry_run,
            "again": self.again,
            "asked_at_epoch_s": self.asked_at_epoch_s,
        }

    @property
    def after_epoch_s(self) -> int:
        """The last second before the first day; Strava's `after` excludes it."""
        return int(datetime.combine(self.first_day, time(), UTC).timestamp()) - 1

    @property
    def before_epoch_s(self) -> int:
        """The first second after the last day; Strava's `before` excludes it."""
        return int(datetime.combine(self.last_day + timedelta(days=1), time(), UTC).timestamp())

    def to_history(self) -> History:
        """The history's row before anything is listed."""
        return History(
            athlete_id=self.athlete_id,
            after_epoch_s=self.after_epoch_s,
            until_epoch_s=self.before_epoch_s,
            dry_run=self.dry_run,
            again=self.again,
            asked_at_epoch_s=self.asked_at_epoch_s,
            before_epoch_s=self.before_epoch_s,
        )


def ask(services: UsesState, request: BackfillRequest) -> History:
    """Store the request before anything else; a history of the same span that is under way continues.

    Errors: `NotConnected` for an unknown athlete, or one who is being erased.
    Effects: for half an hour, or until its last chunk is loaded, no other run works on the history.
    """
    history = services.state.histories.ask(request.to_history())
    if history is None:
        raise being_erased(request.athlete_id)
    return history


def queue_histories(services: UsesStateAndQueue, connected: Collection[int]) -> int:
    """Queue a run for each due history, longest overdue first; returns how many.

    Histories of athletes who are not connected wait. Histories of unknown athletes are removed.
    Effects: sends messages. A queued history is postponed first, so that only one of two reconciles queues it.
    """
    now_epoch_s, queued = services.clock(), 0
    for history in services.state.histories.open(now_epoch_s):
        if history.athlete_id not in connected:
            if services.state.athletes.get(history.athlete_id) is None:
                services.state.histories.forget(history.athlete_id)
        elif services.state.histories.put_off(history):
            form = BackfillRequest.of(history).to_params()
            services.queue.send(to_body(ResumeBackfill(form, now_epoch_s)))
            queued += 1
        if queued == RUNS_AT_ONCE:
            break
    return queued


def being_erased(athlete_id: int) -> NotConnected:
    """The error that stops a history of an athlete who is being erased."""
    return NotConnected(f"Athlete {athlete_id} is being erased, so this backfill ends here; nothing more is stored.")
