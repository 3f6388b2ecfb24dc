"""The audit remembers what became of an event, for a while."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.clock import Clock
from include.state.events import KEPT_S, AuditedEvent, EventAudit
from include.store.store import Store


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
