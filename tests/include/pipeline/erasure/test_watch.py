"""What becomes of a wish to be erased when its run ends badly: the ledger owns it, reconcile finds it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field

import pytest

from include.errors import BeingErased, IngestError, NotConnected, RetryLater
from include.lake.objects.files import FileObjects
from include.pipeline.backfill import history as backfill
from include.pipeline.erasure.erase import EraseRequest, Outcome, erase
from include.pipeline.erasure.watch import remove_late_records
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import queue_due
from include.pipeline.reconcile.refused_athletes import refused_athletes
from include.queue.content import EraseAthlete, StravaEvent, to_body
from include.state.accounts.athletes import REFUSED_FOR_LONG_S, AthleteStatus
from include.state.erasures.ledger import EraseReason, ErasureGrounds, ErasureStage
from include.store.backend import open_store
from include.strava.events import WebhookEvent
from include.trigger.trigger import Started
from local.strava_simulator.api.faults import Faults
from webhook_api.dispatcher import ERASE_DAG, dispatch

pytestmark = pytest.mark.network

ANN = 71
WINDOW_S = 900
DAY_S = 86_400


@dataclass
class Airflow:
    """Runs an erasure at once; a run's id is used up, whatever became of the run."""

    world: object
    is_out: bool = False
    runs: dict[str, object] = field(default_factory=dict)

    def start(self, dag_id, run_id, conf):
        assert dag_id == ERASE_DAG
        if run_id in self.runs:
            return Started.BEFORE
        self.runs[run_id] = None
        if not self.is_out:
            request = EraseRequest(conf["athlete"], EraseReason(conf["reason"]), False, conf["asked_at_epoch_s"])
            try:
                self.runs[run_id] = erase(self.world.services, request, self.world.settings).outcome
            except IngestError as error:
                self.runs[run_id] = type(error).__name__
        return Started.NOW

    def windows(self, count):
        """So many windows go by, with nothing but reconcile and the dispatcher."""
        for _ in range(count):
            self.world.clock.advance(WINDOW_S)
            queue_due(self.world.services)
            remove_late_records(self.world.services)
            self.dispatch()

    def dispatch(self):
        with closing(open_store(self.world.settings.state_url, self.world.services.clock)) as store:
            dispatch(self.world.services.queue, self, store, self.world.services.clock)


@pytest.fixture
def airflow(world):
    return Airflow(world)


def utter(world, reason=EraseReason.ATHLETE):
    """The wish, as the page writes it down and queues it."""
    erasure = world.services.state.erasures.ask_now(ANN, reason)
    world.services.queue.send(to_body(EraseAthlete(erasure.athlete_id, erasure.grounds, world.clock.now_epoch_s)))


def stage(world):
    return world.services.state.erasures.get(ANN).stage


def store_one(world):
    sync(world.services, world.item(world.finish()), source="webhook")


def is_erased(world):
    objects = list(world.services.lake.objects.list("raw/"))
    return world.services.state.athletes.get(ANN) is None and not objects and stage(world) is ErasureStage.FINISHED


def test_wish_outlives_an_outage_of_strava_that_outlasts_its_run(world, airflow):
    store_one(world)
    world.control.switch_faults(world.client_id, Faults(error_rate=1.0))
    utter(world)
    airflow.dispatch()
    airflow.windows(8)
    assert stage(world) is ErasureStage.ASKED
    world.control.switch_faults(world.client_id, Faults())

    airflow.windows(1)

    assert is_erased(world)
    assert (len(airflow.runs), list(airflow.runs.values())[-1]) == (10, Outcome.ERASED)


@pytest.mark.parametrize("lost", [pytest.param("message", id="message"), pytest.param("run", id="run")])
def test_wish_is_carried_out_within_half_an_hour_when_its_message_or_its_run_is_lost(world, airflow, lost):
    store_one(world)
    utter(world)
    if lost == "message":
        for message in world.services.queue.receive(10, visibility_s=1):
            world.services.queue.delete(message)
    else:
        airflow.is_out = True
        airflow.dispatch()
        airflow.is_out = False

    airflow.windows(2)

    assert is_erased(world)


def test_erasure_that_broke_off_goes_on_and_the_athlete_connects_minutes_later(world, airflow, monkeypatch):
    def out(*args, **kwargs):
        raise RetryLater("the lake is out of reach")

    store_one(world)
    utter(world)
    with monkeypatch.context() as patch:
        patch.setattr(FileObjects, "list", out)
        airflow.dispatch()
        airflow.windows(3)
        assert stage(world) is ErasureStage.UNDER_WAY
        with pytest.raises(BeingErased):
            world.connect(ANN)

    airflow.windows(1)

    assert is_erased(world)
    world.connect(ANN)
    assert not world.services.state.erasures.forbid_writing(ANN)


def test_run_is_started_once_in_a_window_while_something_is_left_and_never_after_it(world, airflow):
    airflow.is_out = True
    utter(world)
    airflow.dispatch()
    for _ in range(96):
        world.clock.advance(WINDOW_S)
        assert [queue_due(world.services).erasures for _ in range(2)] == [1, 0]
        airflow.dispatch()
    assert len(airflow.runs) == 97
    airflow.is_out = False

    airflow.windows(96)

    assert len(airflow.runs) == 98


def test_wish_is_taken_back_by_connecting_while_airflow_is_down(world, airflow):
    store_one(world)
    utter(world)
    world.clock.advance(3600)
    world.connect(ANN)

    airflow.dispatch()
    airflow.windows(4)

    assert list(airflow.runs.values()) == [Outcome.CONNECTED_AGAIN]
    assert stage(world) is ErasureStage.WITHDRAWN
    assert world.services.state.athletes.get(ANN).status is AthleteStatus.ACTIVE
    assert list(world.services.lake.objects.list("raw/"))


def test_event_forbids_nothing_until_it_is_confirmed(world, airflow):
    world.control.switch_faults(world.client_id, Faults(error_rate=1.0))
    event = WebhookEvent("athlete", ANN, "update", ANN, 1, int(world.clock.now_epoch_s), {"authorized": "false"})
    world.services.queue.send(to_body(StravaEvent(event, world.clock.now_epoch_s)))
    airflow.is_out = True
    airflow.dispatch()
    assert stage(world) is ErasureStage.ASKED
    airflow.is_out = False
    airflow.windows(4)
    assert not world.services.state.erasures.forbid_writing(ANN)
    world.control.switch_faults(world.client_id, Faults())

    store_one(world)
    airflow.windows(1)

    assert stage(world) is ErasureStage.WITHDRAWN
    assert list(world.services.lake.objects.list("raw/"))


def test_refusal_alone_erases_nothing_and_is_listed_after_a_week_with_the_days_left(world, airflow):
    store_one(world)
    world.control.disconnect(ANN, world.client_id)  # at strava.com; the event about it is lost
    with pytest.raises(IngestError):
        world.services.strava.client.athlete(ANN)
    assert world.services.state.athletes.get(ANN).status is AthleteStatus.NEEDS_REAUTH
    world.clock.advance(REFUSED_FOR_LONG_S - 1)
    assert refused_athletes(world.services) == []

    world.clock.advance(1)
    (refused,) = refused_athletes(world.services)
    airflow.windows(4)

    assert (refused.athlete_id, refused.days) == (ANN, 7)
    assert "23 of 30 days are left to decide" in refused.message
    assert "strava_erase for athlete 71 with the reason operator" in refused.message
    assert airflow.runs == {}
    assert list(world.services.lake.objects.list("raw/"))

    world.clock.advance(100 * DAY_S)
    assert "0 of 30 days" in refused_athletes(world.services)[0].message
    world.connect(ANN)
    assert refused_athletes(world.services) == []


def test_athlete_of_whom_no_time_is_noted_counts_from_the_first_look(world):
    world.services.state.athletes.mark(ANN, AthleteStatus.NEEDS_REAUTH)
    assert refused_athletes(world.services) == []
    world.clock.advance(REFUSED_FOR_LONG_S)

    assert [refused.days for refused in refused_athletes(world.services)] == [7]


def test_refusal_that_is_met_again_counts_from_the_first(world):
    world.control.disconnect(ANN, world.client_id)
    assert not world.services.strava.tokens.prove(ANN)
    since = world.services.state.athletes.get(ANN).refused_at_epoch_s
    world.clock.advance(DAY_S)

    assert not world.services.strava.tokens.prove(ANN)
    assert world.services.state.athletes.get(ANN).refused_at_epoch_s == since


def test_refused_athlete_whom_an_operator_erases_is_gone(world, airflow):
    store_one(world)
    world.control.disconnect(ANN, world.client_id)
    assert not world.services.strava.tokens.prove(ANN)

    erased = erase(world.services, EraseRequest(ANN, EraseReason.OPERATOR), world.settings)

    assert erased.outcome is Outcome.ERASED
    assert is_erased(world)
    assert refused_athletes(world.services) == []


def test_backfill_that_stalls_over_an_erasure_keeps_nothing(world, monkeypatch):
    world.finish(name="Secret title")
    form = {"athlete": ANN, "from": "2026-06-01", "to": "2026-06-17", "dry_run": False}
    prepare = backfill._prepare

    def stalled(*args, **options):
        assert erase(world.services, EraseRequest(ANN, EraseReason.ATHLETE), world.settings).outcome is Outcome.ERASED
        prepare(*args, **options)

    monkeypatch.setattr(backfill, "_prepare", stalled)

    with pytest.raises(NotConnected, match="is being erased"):
        backfill.list_on(world.services, world.ask(form))
    assert list(world.services.lake.objects.list("raw/")) == []


def test_backfill_that_writes_at_the_very_moment_of_an_erasure_takes_it_back(world, monkeypatch):
    world.finish(name="Secret title")
    form = {"athlete": ANN, "from": "2026-06-01", "to": "2026-06-17", "dry_run": False}
    put_summary = type(world.services.lake.raw).put_summary

    def overtaken(raw, activity):
        erase(world.services, EraseRequest(ANN, EraseReason.ATHLETE), world.settings)
        put_summary(raw, activity)

    monkeypatch.setattr(type(world.services.lake.raw), "put_summary", overtaken)

    with pytest.raises(NotConnected):
        backfill.list_on(world.services, world.ask(form))
    assert list(world.services.lake.objects.list("raw/")) == []


def test_wish_that_nobody_can_carry_out_for_an_unknown_athlete_is_over(world, airflow):
    world.services.state.erasures.ask(5, ErasureGrounds(EraseReason.ATHLETE, int(world.clock.now_epoch_s)))
    airflow.windows(3)

    assert list(airflow.runs.values()) == [Outcome.UNKNOWN]
    assert world.services.state.erasures.get(5).stage is ErasureStage.FINISHED
