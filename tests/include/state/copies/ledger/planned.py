"""A planned copy, and the steps that the tests of the ledger share."""

from __future__ import annotations

from dataclasses import replace

from include.state.copies.ledger import Copy, CopyLedger, CopyState, external_id

ACTIVITY, CHILD = 2**53 + 1, 22

PLANNED = Copy(
    parent_activity_id=ACTIVITY,
    child_id=CHILD,
    parent_id=11,
    state=CopyState.PLANNED,
    reason="named in the title: «Rex»",
    external_id=external_id(ACTIVITY, CHILD),
    matched="Rex 🐕",
    planned_at_epoch_s=1_700_000_000,
    next_try_epoch_s=1_700_000_000,
)


def acquired(copies: CopyLedger) -> Copy:
    copy = copies.acquire(ACTIVITY, CHILD)
    assert copy is not None
    return copy


def in_state(copies: CopyLedger, state: CopyState) -> Copy:
    copies.plan(PLANNED)
    return copies.advance(replace(acquired(copies), state=state))


def state_of(copies: CopyLedger) -> CopyState | None:
    copy = copies.get(ACTIVITY, CHILD)
    return copy.state if copy else None
