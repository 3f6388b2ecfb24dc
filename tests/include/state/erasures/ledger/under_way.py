"""An erasure under way, and its end."""

from __future__ import annotations

from include.state.erasures.ledger import EraseReason, Erasure, Erasures


def begin(erasures: Erasures, athlete_id: int, reason: EraseReason = EraseReason.OPERATOR) -> Erasure:
    """An erasure under way, with the lease on it."""
    erasures.ask_now(athlete_id, reason)
    lease = erasures.acquire(athlete_id)
    assert lease is not None
    return erasures.advance(lease.confirmed())


def finish(erasures: Erasures, lease: Erasure, now: float = 0) -> Erasure:
    """The erasure once it has ended."""
    return erasures.settle(erasures.check(lease).finished(int(now)))
