"""The audit remembers what became of an event, for a while."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.clock import Clock
from include.state.events import AuditedEvent, EventAudit
from include.store.store import Store
from tests.include.state.meanwhile import Meanwhile

KEPT_S = 30 * 86_400


@pytest.fixture
def audit(store: Store, clock: Clock) -> EventAudit:
    return EventAudit(store, clock)


def test_unknown_event_has_no_record(audit: EventAudit) -> None:
    assert audit.get("1.create.2") is None


def test_last_outcome_and_first_time_are_kept(audit: EventAudit, pass_time: Callable[[float], None]) -> None:
    audit.record("1.create.2", athlete_id=42, object_id=2**53 + 1, outcome="queued")
    pass_time(10)
    audit.record("1.create.2", athlete_id=42, object_id=2**53 + 1, outcome="run started 🐕")

    assert audit.get("1.create.2") == AuditedEvent(42, 2**53 + 1, "run started 🐕", 1_700_000_000.0, 2)
    assert audit.get("1.create.3") is None


def test_record_is_forgotten_when_its_time_is_over(audit: EventAudit, pass_time: Callable[[float], None]) -> None:
    audit.record("1.create.2", athlete_id=42, object_id=1, outcome="queued")
    pass_time(KEPT_S - 1)
    before = audit.get("1.create.2")
    pass_time(1)

    assert before is not None
    assert audit.get("1.create.2") is None


def test_record_lives_on_from_its_latest_outcome(audit: EventAudit, pass_time: Callable[[float], None]) -> None:
    audit.record("1.create.2", athlete_id=42, object_id=1, outcome="queued")
    pass_time(KEPT_S - 1)
    audit.record("1.create.2", athlete_id=42, object_id=1, outcome="run started")
    pass_time(KEPT_S - 1)

    assert audit.get("1.create.2") == AuditedEvent(42, 1, "run started", 1_700_000_000.0, 2)


def test_two_who_record_at_once_are_both_counted(store: Store, clock: Clock, audit: EventAudit) -> None:
    def record(events: EventAudit, outcome: str) -> None:
        events.record("1.create.2", athlete_id=42, object_id=1, outcome=outcome)

    raced = Meanwhile(store, "events", lambda: record(audit, "queued"), lambda: record(audit, "run started"))
    record(EventAudit(raced, clock), "run ended")

    assert audit.get("1.create.2") == AuditedEvent(42, 1, "run ended", 1_700_000_000.0, 3)


def test_events_of_an_athlete_are_found_and_forgotten_without_anybody_elses(audit: EventAudit) -> None:
    for event_id, athlete_id in (("a", 42), ("b", 42), ("c", 43)):
        audit.record(event_id, athlete_id=athlete_id, object_id=1, outcome="queued")
    assert [sorted(audit.of_athlete(athlete_id)) for athlete_id in (42, 43, 44)] == [["a", "b"], ["c"], []]

    for _ in range(2):
        audit.forget("a")
    assert (audit.get("a"), list(audit.of_athlete(42)), list(audit.of_athlete(43))) == (None, ["b"], ["c"])
