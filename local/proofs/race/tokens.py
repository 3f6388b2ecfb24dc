"""The proof of the tokens: all processes share one refresh, and only a kill before its one write can lose a pair."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, MutableSequence, Sequence
from contextlib import closing
from dataclasses import dataclass
from random import Random
from statistics import median

from include.errors import IngestError
from include.state.accounts.athletes import athlete_key
from include.state.accounts.token_pair import SealedTokens
from include.state.accounts.tokens import LEASE_S
from include.store.codec import decode
from include.store.store import Store
from include.strava.http.session import BearerAuth, Call, StravaSession, of_athlete
from local.proofs.race.race_world import (
    ATHLETE_ID,
    RaceWorld,
    StoreKind,
    connect,
    race_world,
)
from local.proofs.race.workers.pool import CONTEXT, JobResult, Workers
from local.proofs.race.workers.token_worker import REFRESHING, WINDOW, Refresh, Stage, TokenResult, token_worker
from local.proofs.verdict import Advance, Verdict
from local.strava_simulator.control_client import SimulatorControl

PROCESSES = 16
_CALM_ROUNDS = 20
_MOST_VICTIMS = {StoreKind.SQLITE: 6, StoreKind.DYNAMODB: 3}
"""The most kills in one round; a new client of DynamoDB opens slowly."""
_LIFE_S = 21_601
"""After this time every pair has expired."""
_LOOK_S = 0.005
_LONGEST_ROUND_S = 90.0


@dataclass(frozen=True, slots=True)
class Round:
    """The outcome of one race for one expired token."""

    taken: tuple[TokenResult, ...]
    errors: tuple[IngestError, ...]
    killed_at: tuple[Stage, ...]
    """The stages of the killed processes."""
    refreshes: int
    """How often Strava renewed the pair."""
    is_connected: bool
    """Whether a later request gets the same token as all the others, and Strava accepts it."""

    @property
    def may_have_lost_pair(self) -> bool:
        """Whether a killed process may have had the only copy of the new pair."""
        return any(stage in WINDOW for stage in self.killed_at)

    @property
    def is_clean(self) -> bool:
        """Whether there was exactly one refresh, no surviving process failed, and all got the valid token."""
        return self.refreshes == 1 and not self.errors and self.is_connected

    @property
    def refresh(self) -> Refresh | None:
        """The refresh, if the process that made it survived; else None."""
        return next((taken.refresh for taken in self.taken if taken.refresh), None)


def prove_tokens(kind: StoreKind, *, rounds: int, seed: int, advance: Advance) -> list[Verdict]:
    """Race for an expired token, first without kills, then in several rounds with random kills.

    A round in which a process is killed between Strava's answer and its write shows the one possible loss; it is
    counted separately, and the athlete connects again if the pair was lost.
    """
    stages: MutableSequence[int] = CONTEXT.Array("i", [Stage.DONE] * PROCESSES, lock=False)
    with (
        race_world(kind) as place,
        SimulatorControl(place.simulator_url) as control,
        closing(place.open_store()) as store,
        Workers(PROCESSES, token_worker, place, stages) as workers,
    ):
        race = _Race(place, control, store, workers, stages)
        calm = [race.round([]) for _ in range(min(_CALM_ROUNDS, rounds))]
        span_s = 1.25 * median(taken.took_s for found in calm for taken in found.taken if taken.refresh)
        rng = Random(f"tokens:{kind}:{seed}")
        deadly: list[Round] = []
        aside: list[Round] = []
        while len(deadly) < rounds:
            victims = rng.sample(range(PROCESSES), rng.randint(1, _MOST_VICTIMS[kind]))
            found = race.round(sorted((rng.uniform(0, span_s), victim) for victim in victims))
            (aside if found.may_have_lost_pair else deadly).append(found)
            advance(len(deadly))
    proof = f"tokens · {kind}"
    return [
        _calm_verdict(proof, calm),
        _deadly_verdict(proof, deadly),
        _window_verdict(
            proof, [*calm, *deadly, *aside], aside, expected=_expected_hits(calm, [*deadly, *aside], span_s)
        ),
    ]


class _Race:
    def __init__(
        self,
        place: RaceWorld,
        control: SimulatorControl,
        store: Store,
        workers: Workers,
        stages: Sequence[int],
    ) -> None:
        self._place = place
        self._control = control
        self._store = store
        self._workers = workers
        self._stages = stages
        self._session = StravaSession(place.clock)

    def round(self, kills: list[tuple[float, int]]) -> Round:
        """Let the token expire, let every worker ask for it, and kill the planned workers at the planned seconds."""
        self._place.clock.advance(_LIFE_S)
        before = self._refreshes()
        for worker in range(PROCESSES):
            self._workers.send(worker, None)
        answers, killed_at = self._run(kills)
        self._workers.replace_killed()
        taken = tuple(answer.value for answer in answers if answer.error is None)
        found = Round(
            taken=taken,
            errors=tuple(answer.error for answer in answers if answer.error is not None),
            killed_at=tuple(killed_at),
            refreshes=self._refreshes() - before,
            is_connected=self._is_connected({each.access_token for each in taken}),
        )
        if not found.is_connected:
            connect(self._place, self._control)
        return found

    def _run(self, kills: list[tuple[float, int]]) -> tuple[list[JobResult], list[Stage]]:
        answers: list[JobResult] = []
        killed_at: list[Stage] = []
        began_s = time.monotonic()
        while self._workers.busy or kills:
            passed_s = time.monotonic() - began_s
            if passed_s > _LONGEST_ROUND_S:
                raise TimeoutError(f"workers {sorted(self._workers.busy)} do not come to an end")
            next_s = kills[0][0] - passed_s if kills else _LOOK_S
            answers += self._workers.answers(min(max(next_s, 0), _LOOK_S))
            while kills and kills[0][0] <= time.monotonic() - began_s:
                _, worker = kills.pop(0)
                self._workers.kill(worker)
                killed_at.append(Stage(self._stages[worker]))
            if killed_at:
                self._expire_dead_lease()
        return answers, killed_at

    def _expire_dead_lease(self) -> None:
        """Let the lease expire at once where it belongs to a killed process; that of a living one stays."""
        row = self._store.get(athlete_key(ATHLETE_ID))
        is_leased = row and decode(SealedTokens, row.fields).lease_until_epoch_s > self._place.clock()
        # Read after the row: a worker shows that it has the lease before it writes it to the row.
        if is_leased and not any(self._stages[worker] in REFRESHING for worker in self._workers.busy):
            self._place.clock.advance(LEASE_S + 1)

    def _refreshes(self) -> int:
        return sum(
            call["count"]
            for call in self._control.calls()
            if call["route"].endswith("/oauth/token") and call["status"] == 200
        )

    def _is_connected(self, tokens: set[str]) -> bool:
        self._workers.send(0, None)
        (answer,) = self._workers.finish()
        if answer.error is not None:
            return False
        token = answer.value.access_token
        call = Call("GET", "/athlete", of_athlete(ATHLETE_ID), auth=BearerAuth(token))
        works = self._session.send(self._place.settings.strava_api_url, call).status == 200
        return works and tokens <= {token}


def _calm_verdict(proof: str, calm: Sequence[Round]) -> Verdict:
    failures = sum(len(found.errors) for found in calm)
    refreshes = sum(found.refreshes for found in calm)
    return Verdict(
        proof,
        f"{PROCESSES} processes need the same expired token: one refresh, none fails",
        f"{len(calm)} rounds: {refreshes} refreshes, {failures} failures,"
        f" {sum(found.is_clean for found in calm)} ended with one valid token for all",
        all(found.is_clean and len(found.taken) == PROCESSES for found in calm),
    )


def _deadly_verdict(proof: str, deadly: Sequence[Round]) -> Verdict:
    killed_at = Counter(stage for found in deadly for stage in found.killed_at)
    return Verdict(
        proof,
        "processes killed at random, before the refresh or after the write, leave the athlete connected",
        f"{len(deadly)} rounds, {killed_at.total()} kills ({killed_at[Stage.LOOKING]} before the lease,"
        f" {killed_at[Stage.LEASING]} with it, {killed_at[Stage.DONE]} after the write):"
        f" connected after {sum(found.is_connected for found in deadly)},"
        f" one refresh and no failure in {sum(found.is_clean for found in deadly)}",
        all(found.is_clean for found in deadly),
    )


def _window_verdict(proof: str, every: Sequence[Round], aside: Sequence[Round], *, expected: float) -> Verdict:
    seen = [found.refresh for found in every if found.refresh]
    lost = sum(not found.is_connected for found in aside)
    operations = Counter(refresh.operations for refresh in seen)
    calls, waits, writes = (
        _ms(getattr(refresh, name) for refresh in seen) for name in ("call_s", "holding_s", "write_s")
    )
    return Verdict(
        proof,
        "of random kills only those between the refresh and its one write can lose a pair",
        f"in {len(aside)} more rounds a kill fell there ({expected:.1f} expected): {lost} pairs lost, connected again;"
        f" call {calls}, answer to stored {waits}, of which the write {writes};"
        f" meanwhile asked of the store in {len(seen)} refreshes: {_counted(operations)}",
        set(operations) == {("put",)},
    )


def _expected_hits(calm: Sequence[Round], rounds: Sequence[Round], span_s: float) -> float:
    """How many kills to expect in a window of the measured length, if they are uniform over span and processes."""
    seen = [found.refresh for found in calm if found.refresh]
    window_s = median(refresh.call_s + refresh.holding_s for refresh in seen)
    return sum(len(found.killed_at) for found in rounds) / PROCESSES * window_s / span_s


def _ms(seconds: Iterable[float]) -> str:
    return f"{1000 * median(seconds):.1f} ms"


def _counted(operations: Counter[tuple[str, ...]]) -> str:
    return ", ".join(f"{' + '.join(names) or 'nothing'} ({count})" for names, count in operations.most_common())
