"""A process that calls Strava at one priority until its work or the budget ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from include.crypto.backend import open_cipher
from include.errors import QuotaSpent
from include.state.accounts.tokens import Tokens
from include.state.application.quota import Quota
from include.strava.client import Bucket, Priority, StravaClient
from include.strava.http.session import StravaSession
from include.strava.models import UploadFile
from local.proofs.race.race_world import ATHLETE_ID, RaceWorld
from local.proofs.race.workers.pool import Work

_FILE = UploadFile("race", "gpx", b"no track", "Race", "Run")


@dataclass(frozen=True, slots=True)
class Shift:
    """A worker's job: a number of calls, or with None as many as the budget allows."""

    priority: Priority
    bucket: Bucket
    calls: int | None = None
    pause_s: float = 0.0
    """The pause before each call: live work does not arrive at once."""


@dataclass(frozen=True, slots=True)
class AllowedCall:
    """One allowed call: how long it waited for the budget, and how long it took in all."""

    waited_s: float
    took_s: float


@dataclass(frozen=True, slots=True)
class ShiftResult:
    """The calls of a shift, and until when the budget refused more; None where all work was done."""

    calls: tuple[AllowedCall, ...]
    refused_until_epoch_s: float | None = None


class _TimedQuota(Quota):
    """Measures how long the last call waited for the budget."""

    waited_s = 0.0

    def reserve(self, bucket: Bucket, priority: Priority) -> None:
        asked_at_s = time.monotonic()
        super().reserve(bucket, priority)
        self.waited_s = time.monotonic() - asked_at_s


@contextmanager
def quota_worker(_: int, place: RaceWorld) -> Iterator[Work]:
    """A worker that answers each `Shift` with a `ShiftResult`."""
    store = place.open_store()
    quota = _TimedQuota(store, place.clock)
    tokens = Tokens(store, open_cipher(place.settings.key_url), place.clock, place.oauth().refresh, time.sleep)
    session = StravaSession(place.clock)

    def work(shift: Shift) -> ShiftResult:
        client = StravaClient(session, place.settings.strava_api_url, tokens, quota, shift.priority)
        made: list[AllowedCall] = []
        while shift.calls is None or len(made) < shift.calls:
            time.sleep(shift.pause_s)
            began_s = time.monotonic()
            try:
                _call(client, shift.bucket)
            except QuotaSpent as spent:
                return ShiftResult(tuple(made), spent.until_epoch_s)
            made.append(AllowedCall(quota.waited_s, time.monotonic() - began_s))
        return ShiftResult(tuple(made))

    yield work
    store.close()


def _call(client: StravaClient, bucket: Bucket) -> None:
    if bucket is Bucket.UPLOAD:
        client.create_upload(ATHLETE_ID, _FILE, lambda: None)
    else:
        client.athlete(ATHLETE_ID)
