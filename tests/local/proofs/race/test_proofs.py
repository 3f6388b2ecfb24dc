"""The races, in a few rounds: what they find, and that they can find the opposite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from include.errors import RetryLater
from include.lake.objects.objects import Condition
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import SyncItem
from include.pipeline.services import Services, open_services
from local.proofs.race.agreement import differences, held
from local.proofs.race.copies import prove_copies
from local.proofs.race.lake import prove_lake
from local.proofs.race.month import LakeKind, prove_month
from local.proofs.race.quota import SHORT_DAY, prove_quota
from local.proofs.race.race_world import ATHLETE_ID, StoreKind, race_world
from local.proofs.race.tokens import Round, prove_tokens
from local.proofs.race.workers.token_worker import Refresh, Stage, TokenResult
from local.proofs.race.writers import prove_writers
from local.proofs.verdict import Verdict
from local.strava_simulator.control_client import SimulatorControl

STARTED = datetime(2026, 2, 28, 23, 59, 50, tzinfo=UTC)


def ignore(done: int) -> None:
    """Nobody watches."""


def figures(verdicts: list[Verdict]) -> str:
    return "\n".join(f"{verdict.holds}: {verdict.claim}: {verdict.figures}" for verdict in verdicts)


# --- the proofs ----------------------------------------------------------------------------------


@pytest.mark.network
@pytest.mark.parametrize("kind", list(StoreKind))
def test_tokens_survive_races_and_kills(kind: StoreKind) -> None:
    done: list[int] = []
    verdicts = prove_tokens(kind, rounds=2, seed=7, advance=done.append)

    assert all(verdict.holds for verdict in verdicts), figures(verdicts)
    assert "2 rounds: 2 refreshes, 0 failures" in verdicts[0].figures
    assert "connected after 2" in verdicts[1].figures
    assert done[-1] == 2


@pytest.mark.network
@pytest.mark.parametrize("kind", list(StoreKind))
def test_quota_is_kept_and_used_up(kind: StoreKind) -> None:
    verdicts = prove_quota(kind, day=SHORT_DAY, seed=7, advance=ignore)

    assert all(verdict.holds for verdict in verdicts), figures(verdicts)
    assert "60 of 60 calls, 20 of 20 reads" in verdicts[1].figures


@pytest.mark.network
def test_writers_end_as_strava_is() -> None:
    verdicts = prove_writers(rounds=3, seed=7, advance=ignore)

    assert all(verdict.holds for verdict in verdicts), figures(verdicts)
    assert "3 rounds" in verdicts[0].figures


@pytest.mark.network
@pytest.mark.parametrize("kind", LakeKind)
def test_month_keeps_every_row_that_many_write(kind: LakeKind) -> None:
    verdicts = prove_month(kind, writes=24, advance=ignore)

    assert all(verdict.holds for verdict in verdicts), figures(verdicts)
    assert "24 writes, 0 failed, 0 not there" in verdicts[0].figures


@pytest.mark.network
def test_lake_loses_and_doubles_no_row_when_processes_die() -> None:
    verdicts = prove_lake(rounds=4, seed=3, advance=ignore)

    assert all(verdict.holds for verdict in verdicts), figures(verdicts)
    assert "4 rounds agree" in verdicts[0].figures


@pytest.mark.network
@pytest.mark.parametrize("kind", list(StoreKind))
def test_copies_are_made_once_when_processes_die_at_them(kind: StoreKind) -> None:
    verdicts = prove_copies(kind, rounds=3, seed=7, advance=ignore)

    assert all(verdict.holds for verdict in verdicts), figures(verdicts)
    assert "3 copies" in verdicts[0].figures
    assert ": 3 right" in verdicts[0].figures


# --- what they are made of ------------------------------------------------------------------------


ALL_WELL = Round(
    taken=(TokenResult("token", 0.1, Refresh(0.01, 0.001, 0.001, ("put",))), TokenResult("token", 0.1, None)),
    errors=(),
    killed_at=(),
    refreshes=1,
    is_connected=True,
)


@pytest.mark.parametrize(
    ("found", "is_clean"),
    [
        pytest.param(ALL_WELL, True, id="all is well"),
        pytest.param(replace(ALL_WELL, killed_at=(Stage.LEASING,)), True, id="a death that costs nothing"),
        pytest.param(replace(ALL_WELL, refreshes=2), False, id="two refreshes"),
        pytest.param(replace(ALL_WELL, errors=(RetryLater("later"),)), False, id="somebody failed"),
        pytest.param(replace(ALL_WELL, is_connected=False), False, id="the pair is lost"),
    ],
)
def test_round_is_clean_when_one_refresh_serves_all(found: Round, is_clean: bool) -> None:
    assert found.is_clean is is_clean


@pytest.mark.parametrize(
    ("stage", "hit"),
    [(Stage.LOOKING, False), (Stage.LEASING, False), (Stage.CALLING, True), (Stage.HOLDING, True), (Stage.DONE, False)],
)
def test_only_deaths_between_call_and_write_hit_the_window(stage: Stage, hit: bool) -> None:
    assert replace(ALL_WELL, killed_at=(Stage.DONE, stage)).may_have_lost_pair is hit


@dataclass(frozen=True, slots=True)
class Synced:
    """An activity that was synced once, and what it is compared with."""

    services: Services
    control: SimulatorControl
    activity_id: int

    def differences(self) -> tuple[str, ...]:
        return differences(self.services, self.control.activity(self.activity_id), self.activity_id)

    def sync(self) -> None:
        sync(self.services, SyncItem(ATHLETE_ID, self.activity_id, 0), source="webhook")


@pytest.fixture(scope="module")
def place() -> Iterator[Synced]:
    with ExitStack() as stack:
        opened = stack.enter_context(race_world(StoreKind.SQLITE))
        services = stack.enter_context(open_services(opened.settings, clock=opened.clock))
        yield Synced(services, stack.enter_context(SimulatorControl(opened.simulator_url)), 0)


@pytest.fixture
def synced(place: Synced) -> Synced:
    activity_id = place.control.generate_activity(ATHLETE_ID, "run", start_at=STARTED, seed=1, points=40)
    synced = replace(place, activity_id=activity_id)
    synced.sync()
    return synced


@pytest.mark.network
def test_agreement_is_complete_after_a_sync(synced: Synced) -> None:
    assert synced.differences() == ()


@pytest.mark.network
@pytest.mark.parametrize(
    ("change", "differs"),
    [
        pytest.param("rename", {"ledger", "name", "raw detail"}, id="title"),
        pytest.param("crop", {"ledger", "rows are in"}, id="crop into another month"),
        pytest.param("delete", {"ledger", "streams/", "activities/", "laps/", "raw/"}, id="deletion"),
    ],
)
def test_agreement_ends_with_every_change_until_it_is_synced(synced: Synced, change: str, differs: set[str]) -> None:
    if change == "rename":
        synced.control.rename(synced.activity_id, "Another")
    elif change == "crop":
        synced.control.crop(synced.activity_id, first=20)
    else:
        synced.control.delete_activity(synced.activity_id)

    before = synced.differences()
    synced.sync()

    assert all(any(text in difference for difference in before) for text in differs), before
    assert synced.differences() == ()


@pytest.mark.network
def test_agreement_sees_stale_raw_objects_and_leftovers(synced: Synced) -> None:
    (key,) = [key for key in held(synced.services)[synced.activity_id] if key.endswith(".streams.json.gz")]
    stored = synced.services.lake.objects.get(key)
    assert stored is not None
    synced.services.lake.objects.delete(key, expected=stored.etag)
    assert synced.differences() == ("the raw streams are missing or not Strava's last answer",)

    synced.control.delete_activity(synced.activity_id)
    synced.sync()
    synced.services.lake.objects.put(key, stored.body, expected=Condition.ABSENT)
    assert synced.differences() == (f"{key} still holds it",)
