"""What a request of an erasure asks for, and how its run answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.errors import NotConnected, RetryLater
from include.pipeline.erasure import erase as module
from include.pipeline.erasure.certificate import Certificate
from include.pipeline.erasure.erase import Erased, EraseRequest, Outcome, erase
from include.state.accounts.athletes import AthleteStatus
from include.state.copies.ledger import Copy, CopyState
from include.state.erasures.ledger import EraseReason, ErasureGrounds, ErasureStage
from local.testbed.settings import NO_STRAVA, settings_in
from tests.include.pipeline.erasure.offline_athletes import ANN, REX, connect, enter, raw

NOON = datetime(2026, 6, 17, 12, 0, 0, 900_000, UTC)
OPERATOR = EraseRequest(ANN, EraseReason.OPERATOR)
EVENT = EraseRequest(ANN, EraseReason.DEAUTHORISATION)


@pytest.mark.parametrize(
    ("params", "request_"),
    [
        pytest.param({}, EraseRequest(ANN, EraseReason.OPERATOR, False, 1_781_697_600), id="form"),
        pytest.param({"dry_run": True}, EraseRequest(ANN, EraseReason.OPERATOR, True, 1_781_697_600), id="dry run"),
        pytest.param({"asked_at_epoch_s": None}, EraseRequest(ANN, EraseReason.OPERATOR, False, 1_781_697_600), id="-"),
        pytest.param({"asked_at_epoch_s": 0}, EraseRequest(ANN, EraseReason.OPERATOR, False, 0), id="dispatcher"),
    ],
)
def test_request_is_read_from_the_form_and_from_the_dispatcher(params, request_):
    form = {"athlete": ANN, "reason": "operator", **params}

    assert EraseRequest.from_params(form, default_asked_at=NOON) == request_


def test_result_is_carried_to_the_next_task_with_the_key_of_its_certificate():
    certificate = Certificate(ANN, "operator", 1_781_697_600, {})

    assert Erased(ANN, Outcome.ERASED, {"links": 2}, certificate).to_json() == {
        "athlete_id": ANN,
        "outcome": "erased",
        "counts": {"links": 2},
        "certificate": "certificates/71-20260617T120000Z.json",
    }
    assert Erased(ANN, Outcome.UNKNOWN).to_json()["certificate"] is None


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.ERASED, "everything is erased: 2 copies rows, 1 links."),
        (Outcome.COUNTED, "an erasure would remove 2 copies rows, 1 links; nothing was changed."),
        (Outcome.IN_HAND, "another run is carrying the erasure out; if it dies, strava_reconcile starts one that"
         " continues."),
        (Outcome.UNKNOWN, "not known here; there is nothing to erase."),
    ],
)  # fmt: skip
def test_message_of_a_run_says_what_became_of_whom(outcome, words):
    assert Erased(ANN, outcome, {"copies_rows": 2, "links": 1}).message == f"Athlete 71: {words}"


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_words(outcome):
    assert Erased(ANN, outcome).message.startswith("Athlete 71: ")


@pytest.fixture
def ann(offline):
    """Ann, who has disconnected, and an object of hers: no call of Strava is needed."""
    connect(offline)
    offline.state.athletes.mark(ANN, AthleteStatus.REVOKED)
    raw(offline)
    return offline


@pytest.fixture
def settings(tmp_path):
    return settings_in(tmp_path, NO_STRAVA)


def stage(services, athlete_id=ANN):
    erasure = services.state.erasures.get(athlete_id)
    return erasure and erasure.stage


def test_dry_run_counts_and_asks_for_nothing(ann, settings):
    assert erase(ann, replace(OPERATOR, dry_run=True), settings) == Erased(
        ANN, Outcome.COUNTED, {"athletes": 1, "raw_objects": 1}
    )
    assert (stage(ann), list(ann.lake.objects.list("certificates/"))) == (None, [])


def test_erased_athlete_is_gone_with_a_certificate_under_the_link(ann, settings):
    erased = erase(ann, OPERATOR, settings)

    assert erased == Erased(ANN, Outcome.ERASED, {"athletes": 1, "raw_objects": 1}, erased.certificate)
    assert erased.certificate.finished_at_epoch_s == int(ann.clock())
    assert (ann.state.athletes.get(ANN), list(ann.lake.objects.list("raw/"))) == (None, [])
    erasure = ann.state.erasures.get(ANN)
    assert (erasure.stage, erasure.finished_at_epoch_s) == (ErasureStage.FINISHED, int(ann.clock()))
    assert erasure.lease_until_epoch_s == 0
    assert ann.state.certificates.get(erasure.link_id).is_finished


def test_second_request_tells_the_first_one_s_certificate(ann, settings):
    first = erase(ann, OPERATOR, settings)
    ann.clock.advance(60)

    for request in (OPERATOR, EVENT, replace(OPERATOR, reason=EraseReason.ATHLETE)):
        assert erase(ann, request, settings) == Erased(ANN, Outcome.ERASED_BEFORE, certificate=first.certificate)


@pytest.mark.parametrize("reason", [EraseReason.DEAUTHORISATION, EraseReason.ATHLETE])
def test_unknown_athlete_is_no_work_and_nothing_is_stored(offline, settings, reason):
    assert erase(offline, EraseRequest(5, reason), settings) == Erased(5, Outcome.UNKNOWN)
    assert stage(offline, 5) is None


def test_operator_is_told_that_the_number_is_wrong(offline, settings):
    with pytest.raises(NotConnected) as refusal:
        erase(offline, EraseRequest(5, EraseReason.OPERATOR), settings)
    assert str(refusal.value) == "There is no athlete 5 here; check the number."
    assert stage(offline, 5) is None


@pytest.mark.parametrize(
    ("request_", "outcome"), [(EVENT, Outcome.UNKNOWN), (OPERATOR, Outcome.ERASED)], ids=["event", "operator"]
)
def test_records_of_an_athlete_without_a_row_go_only_when_a_person_asks(offline, settings, request_, outcome):
    raw(offline)

    assert erase(offline, request_, settings).outcome is outcome
    assert bool(list(offline.lake.objects.list("raw/"))) is (outcome is Outcome.UNKNOWN)


def test_open_request_about_an_athlete_of_whom_nothing_is_left_is_over(offline, settings):
    offline.state.erasures.ask(5, ErasureGrounds(EraseReason.ATHLETE, 7))

    erased = erase(offline, EraseRequest(5, EraseReason.ATHLETE, asked_at_epoch_s=7), settings)

    erasure = offline.state.erasures.get(5)
    assert (erased, erasure.stage) == (Erased(5, Outcome.UNKNOWN), ErasureStage.FINISHED)
    assert (erasure.finished_at_epoch_s, erasure.lease_until_epoch_s) == (int(offline.clock()), 0)


def test_confirmed_event_about_an_athlete_without_a_row_removes_nothing_more(offline, settings):
    raw(offline)
    offline.state.erasures.ask(ANN, ErasureGrounds(EraseReason.DEAUTHORISATION, 7))

    assert erase(offline, replace(EVENT, asked_at_epoch_s=7), settings).outcome is Outcome.UNKNOWN
    assert (stage(offline), len(list(offline.lake.objects.list("raw/")))) == (ErasureStage.FINISHED, 1)


def test_request_of_before_the_connection_is_answered_that_the_athlete_is_back(ann, settings):
    ann.state.erasures.ask(ANN, ErasureGrounds(EraseReason.ATHLETE, 7))
    connect(ann)

    erased = erase(ann, EraseRequest(ANN, EraseReason.ATHLETE, asked_at_epoch_s=7), settings)

    assert erased == Erased(ANN, Outcome.CONNECTED_AGAIN)
    assert list(ann.lake.objects.list("raw/"))


def test_run_leaves_the_erasure_to_the_one_that_holds_it(ann, settings):
    ann.state.erasures.ask_now(ANN, EraseReason.OPERATOR)

    with ann.state.erasures.held(ANN):
        assert erase(ann, OPERATOR, settings) == Erased(ANN, Outcome.IN_HAND)
    assert list(ann.lake.objects.list("raw/"))


# --- workers ---------------------------------------------------------------------------------------


def hold_activity(services):
    enter(services, 1)
    return services.state.activities.acquire(ANN, 1), services.state.activities.settle


def hold_copy(services, parent_id, child_id):
    services.state.copies.plan(Copy(1, child_id, parent_id, CopyState.PLANNED))
    held = services.state.copies.acquire(1, child_id)
    return held, lambda held, _: services.state.copies.settle(held)


WORKERS = [
    pytest.param(hold_activity, id="a sync"),
    pytest.param(lambda services: hold_copy(services, ANN, REX), id="a copy to a child"),
    pytest.param(lambda services: hold_copy(services, REX, ANN), id="a copy of a parent's"),
]


@pytest.mark.parametrize("hold", WORKERS)
def test_erasure_waits_for_a_worker_and_removes_nothing_while_it_works(ann, settings, hold):
    hold(ann)
    began_at = ann.clock()

    with pytest.raises(RetryLater) as fault:
        erase(ann, OPERATOR, settings)

    assert str(fault.value) == (
        "Another run is still working on activities of athlete 71. Nothing was removed yet, and nothing new is written"
        " for the athlete; the erasure continues when that run has ended. Run it again in a few minutes."
    )
    assert ann.clock() - began_at == 20
    assert (stage(ann), len(list(ann.lake.objects.list("raw/")))) == (ErasureStage.UNDER_WAY, 1)


@pytest.mark.parametrize("hold", WORKERS)
def test_erasure_goes_on_at_the_next_check_after_the_worker_has_ended(ann, settings, hold):
    held, settle = hold(ann)
    waited = []

    def wait(seconds):
        waited.append(seconds)
        if len(waited) == 9:
            settle(held, getattr(held, "entry", None))

    assert erase(replace(ann, wait=wait), OPERATOR, settings).outcome is Outcome.ERASED
    assert waited == [2.0] * 9


# --- the sweep -------------------------------------------------------------------------------------


def test_records_that_keep_appearing_are_left_to_the_next_run(ann, settings, monkeypatch):
    records_of, looks = module.personal_records, []

    def with_a_late_one(services, erasure, others):
        looks.append(erasure)
        raw(services, 100 + len(looks))
        return records_of(services, erasure, others)

    monkeypatch.setattr(module, "personal_records", with_a_late_one)

    with pytest.raises(RetryLater) as fault:
        erase(ann, OPERATOR, settings)
    assert str(fault.value) == "Records of athlete 71 keep appearing; run the erasure again in a few minutes."
    assert stage(ann) is ErasureStage.UNDER_WAY
    monkeypatch.undo()
    assert erase(ann, OPERATOR, settings).outcome is Outcome.ERASED


def test_lease_is_renewed_while_many_records_are_removed(ann, settings, monkeypatch):
    for number in range(5):
        raw(ann, number)
    delete = ann.lake.objects.delete

    def slow(key, *, expected):
        ann.clock.advance(140)
        delete(key, expected=expected)

    monkeypatch.setattr(ann.lake.objects, "delete", slow)

    assert erase(ann, OPERATOR, settings).outcome is Outcome.ERASED


def test_athlete_who_connects_at_the_very_end_is_not_shut_out(ann, settings, monkeypatch):
    finish = module.finish_certificate

    def connected_meanwhile(*args):
        erasures = ann.state.erasures
        monkeypatch.setattr(type(erasures), "admit", lambda *_: None)  # the barrier was looked at before it was there
        connect(ann)
        return finish(*args)

    monkeypatch.setattr(module, "finish_certificate", connected_meanwhile)

    assert erase(ann, OPERATOR, settings).outcome is Outcome.ERASED
    assert stage(ann) is ErasureStage.WITHDRAWN
    assert ann.state.athletes.get(ANN).status is AthleteStatus.ACTIVE
