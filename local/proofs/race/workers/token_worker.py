"""A process that requests an access token, and records its stage in memory that outlives it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, MutableSequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from include.crypto.backend import open_cipher
from include.errors import IngestError, VersionConflict
from include.state.accounts.tokens import Tokens
from include.store.store import Item, Key, Store
from include.strava.grant import TokenGrant
from local.proofs.race.race_world import ATHLETE_ID, RaceWorld
from local.proofs.race.workers.pool import Work
from local.testbed.forwarding_store import ForwardingStore

SCOPE = "activity:read"
_FASTER = 8
"""How much faster than on a real clock a worker waits for another worker's pair."""


class Stage(IntEnum):
    """The stages of a call of `access_token`."""

    LOOKING = 0
    """It reads the row, or waits for the worker that refreshes."""
    LEASING = 1
    """It writes its lease, or has written it and not yet called Strava."""
    CALLING = 2
    """The refresh is under way: Strava may have ended the old pair already."""
    HOLDING = 3
    """It has Strava's answer, which is not stored yet."""
    DONE = 4
    """The pair is stored, by this worker or by another."""


REFRESHING = (Stage.LEASING, Stage.CALLING, Stage.HOLDING)
"""The stages of the one worker that refreshes."""
WINDOW = (Stage.CALLING, Stage.HOLDING)
"""The stages in which a kill can lose the pair: Strava has ended the old one, the new one is not stored."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """The times of one refresh: how long the call took, and what happened between its answer and the stored pair."""

    call_s: float
    holding_s: float
    write_s: float
    operations: tuple[str, ...]
    """The operations of the store between the answer and the stored pair."""


@dataclass(frozen=True, slots=True)
class TokenResult:
    """The token that a worker got, how long that took, and its refresh if it made one."""

    access_token: str
    took_s: float
    refresh: Refresh | None


class StageRecord:
    """The present worker's stage, in memory that it shares with the coordinator."""

    def __init__(self, stages: MutableSequence[int], worker: int) -> None:
        self._stages = stages
        self._worker = worker
        self.called_at_s = 0.0
        self.answered_at_s = 0.0
        self.operations: list[str] = []
        self.refresh: Refresh | None = None

    @property
    def stage(self) -> Stage:
        """Where the worker is."""
        return Stage(self._stages[self._worker])

    @stage.setter
    def stage(self, stage: Stage) -> None:
        self._stages[self._worker] = stage

    def begin(self) -> None:
        """Note that a new job begins."""
        self.operations, self.refresh, self.stage = [], None, Stage.LOOKING


class _TracedStore(ForwardingStore):
    def __init__(self, store: Store, trace: StageRecord) -> None:
        super().__init__(store)
        self._trace = trace

    def get(self, key: Key) -> Item | None:
        self._note("get")
        return super().get(key)

    def put(
        self, key: Key, fields: Mapping[str, Any], *, expected_version: int, expires_at_epoch_s: int | None = None
    ) -> int:
        self._note("put")
        before, began_s = self._trace.stage, time.monotonic()
        if before is Stage.LOOKING:
            self._trace.stage = Stage.LEASING
        try:
            version = super().put(key, fields, expected_version=expected_version, expires_at_epoch_s=expires_at_epoch_s)
        except VersionConflict:
            self._trace.stage = before
            raise
        if before is Stage.HOLDING:
            self._kept(began_s)
        return version

    def _note(self, operation: str) -> None:
        if self._trace.stage is Stage.HOLDING:
            self._trace.operations.append(operation)

    def _kept(self, began_s: float) -> None:
        trace, now_s = self._trace, time.monotonic()
        trace.stage = Stage.DONE
        trace.refresh = Refresh(
            call_s=trace.answered_at_s - trace.called_at_s,
            holding_s=now_s - trace.answered_at_s,
            write_s=now_s - began_s,
            operations=tuple(trace.operations),
        )


def _traced(refresh: Callable[[int, str], TokenGrant], trace: StageRecord) -> Callable[[int, str], TokenGrant]:
    def call(athlete_id: int, refresh_token: str) -> TokenGrant:
        trace.stage, trace.called_at_s = Stage.CALLING, time.monotonic()
        try:
            grant = refresh(athlete_id, refresh_token)
        except IngestError:
            trace.stage = Stage.LOOKING
            raise
        trace.answered_at_s, trace.stage = time.monotonic(), Stage.HOLDING
        return grant

    return call


@contextmanager
def token_worker(worker: int, place: RaceWorld, stages: MutableSequence[int]) -> Iterator[Work]:
    """A worker that answers each job with a `TokenResult`."""
    trace = StageRecord(stages, worker)
    store = _TracedStore(place.open_store(), trace)
    tokens = Tokens(
        store,
        open_cipher(place.settings.key_url),
        place.clock,
        _traced(place.oauth().refresh, trace),
        wait=lambda seconds: time.sleep(seconds / _FASTER),
    )

    def take(_: object) -> TokenResult:
        trace.begin()
        began_s = time.monotonic()
        try:
            access_token = tokens.access_token(ATHLETE_ID, scope=SCOPE)
        finally:
            trace.stage = Stage.DONE
        return TokenResult(access_token, time.monotonic() - began_s, trace.refresh)

    trace.stage = Stage.DONE
    yield take
    store.close()
