"""An erasure that another run began, or during which records appear, removes what the ledgers led to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from include.lake.keys import athlete_prefixes, gpx_key
from include.pipeline.erasure import erase as module
from include.pipeline.erasure.erase import EraseRequest, Outcome, erase
from include.state.accounts.athletes import AthleteStatus
from include.state.erasures.ledger import LEASE_S, EraseReason
from local.testbed.settings import NO_STRAVA, settings_in
from tests.include.pipeline.erasure.offline_athletes import ANN, REX, connect, copy, put, raw

OPERATOR = EraseRequest(ANN, EraseReason.OPERATOR, asked_at_epoch_s=2_000_000_000)
THEIRS, ORPHAN = gpx_key(REX, 12, ANN), gpx_key(REX, 99, ANN)


@pytest.fixture
def settings(tmp_path):
    return settings_in(tmp_path, NO_STRAVA)


@pytest.fixture
def ann(offline):
    """Ann, who has disconnected, a copy of Rex's activity to her with its file, and a file that no ledger names."""
    connect(offline)
    offline.state.athletes.mark(ANN, AthleteStatus.REVOKED)
    raw(offline)
    copy(offline, REX, ANN, 12)
    for key in (THEIRS, ORPHAN):
        put(offline, key)
    return offline


def files(services):
    return list(services.lake.objects.list("gpx/"))


@pytest.fixture
def begun(ann, settings, monkeypatch):
    """The run that began the erasure has died when the ledger's rows were gone; its lease is over."""

    def dies(*_args, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(ann.lake.objects), "delete", dies)
        with pytest.raises(KeyboardInterrupt):
            erase(ann, OPERATOR, settings)
    assert ann.state.copies.get(12, ANN) is None
    ann.clock.advance(LEASE_S)
    return ann


def test_run_that_continues_finds_the_objects_of_others_in_the_draft(begun, settings):
    erased = erase(begun, OPERATOR, settings)

    assert (erased.outcome, erased.counts["upload_files"]) == (Outcome.ERASED, 1)
    assert files(begun) == [ORPHAN], "the night's look removes a file that no ledger led to"


def test_run_that_continues_an_older_version_s_erasure_looks_at_everybody_s_objects(begun, settings):
    [key] = begun.lake.objects.list("certificates/")
    document = json.loads(begun.lake.objects.get(key).body)
    del document["elsewhere"]
    put(begun, key, json.dumps(document).encode())

    assert erase(begun, OPERATOR, settings).outcome is Outcome.ERASED
    assert files(begun) == []


def test_run_after_the_certificate_was_finished_looks_at_no_objects_of_others(begun, settings, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(module, "_finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erase(begun, OPERATOR, settings)
    begun.clock.advance(LEASE_S)

    assert erase(begun, OPERATOR, settings).outcome is Outcome.ERASED
    assert files(begun) == [ORPHAN]


def test_copy_that_appears_meanwhile_goes_with_its_file(ann, settings, monkeypatch):
    records_of, looks = module.personal_records, []
    late = gpx_key(REX, 13, ANN)

    def with_a_late_copy(services, erasure, others):
        looks.append(erasure)
        found = list(records_of(services, erasure, others))
        if len(looks) == 2:  # the first look counts
            copy(services, REX, ANN, 13)
            put(services, late)
        return iter(found)

    monkeypatch.setattr(module, "personal_records", with_a_late_copy)

    assert erase(ann, OPERATOR, settings).outcome is Outcome.ERASED
    assert files(ann) == [ORPHAN]
    assert ann.state.copies.get(13, ANN) is None


def test_empty_folders_of_the_athlete_go_too(ann, settings):
    lake = Path(settings.lake_url.removeprefix("file://"))
    folders = [lake / prefix for prefix in athlete_prefixes(ANN)]
    assert [folder.is_dir() for folder in folders].count(True) == 1

    erase(ann, OPERATOR, settings)

    assert [folder.is_dir() for folder in folders].count(True) == 0


def test_request_that_was_answered_removes_nothing_that_came_later(ann, settings):
    first = erase(ann, OPERATOR, settings)
    key = raw(ann)

    again = erase(ann, OPERATOR, settings)

    assert (again.outcome, again.certificate) == (Outcome.ERASED_BEFORE, first.certificate)
    assert list(ann.lake.objects.list("raw/")) == [key], "reconcile looks for late records"


def test_certificate_keeps_the_sealed_address_of_who_is_told(ann, settings):
    addresses = ann.state.mail_addresses
    addresses.confirm(ANN, addresses.give(ANN, "ann@example.com"))

    erase(ann, OPERATOR, settings)

    linked = ann.state.certificates.get(ann.state.erasures.get(ANN).link_id)
    assert addresses.opened(ANN, linked.sealed_address) == "ann@example.com"
    assert addresses.get(ANN) is None
