"""Whoever counts first has counted: all who work at one erasure hold the same certificate."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition
from include.pipeline.erasure.certificate import (
    Certificate,
    finish_certificate,
    last_certificate,
    open_certificate,
)
from include.state.erasures.ledger import EraseReason, Erasure, ErasureGrounds, ErasureStage
from include.state.erasures.residual_records import ResidualRecord

BEGAN_S, FINISHED_S = 1_781_697_600, 1_781_697_660
ERASURE = Erasure(42, ErasureGrounds(EraseReason.OPERATOR, BEGAN_S), BEGAN_S, ErasureStage.UNDER_WAY)
KEY = "certificates/42-20260617T120000Z.json"
RECORDS = [ResidualRecord("logs", 14, "Logs."), ResidualRecord("backups", None, "By hand.")]
TRACES = {
    "logs": {"gone_by": "2026-07-01T12:01:00+00:00", "because": "Logs."},
    "backups": {"gone_by": None, "because": "By hand."},
}


@pytest.fixture
def objects(tmp_path):
    return FileObjects(tmp_path / "lake")


def opened(objects, erasure=ERASURE):
    return open_certificate(objects, erasure, ["b", "a"], lambda: {"rows": 3})


def finished(objects, draft, at=FINISHED_S):
    return finish_certificate(objects, draft, RECORDS, at)


def test_certificate_counts_once_however_often_it_is_opened(objects):
    draft = opened(objects)

    assert draft == Certificate(42, "operator", BEGAN_S, {"rows": 3}, shared_object_keys=("a", "b"))
    assert list(objects.list("")) == [KEY]
    assert open_certificate(objects, ERASURE, [], lambda: pytest.fail("it is counted")) == draft


def test_certificate_is_the_first_ones_when_two_count_at_once(objects):
    first = []

    def count_after_another():
        first.append(open_certificate(objects, ERASURE, ["a"], lambda: {"rows": 3}))
        return {"rows": 2}

    assert open_certificate(objects, ERASURE, ["b"], count_after_another) == first[0]
    assert first[0].removed == {"rows": 3}


def test_finished_certificate_is_a_document_for_people_without_the_keys_of_others(objects):
    finished(objects, opened(objects))

    assert json.loads(objects.get(KEY).body) == {
        "certificate": "erasure of all stored data of an athlete",
        "athlete_id": 42,
        "reason": "operator",
        "began_at": "2026-06-17T12:00:00+00:00",
        "finished_at": "2026-06-17T12:01:00+00:00",
        "removed": {"rows": 3},
        "last_traces": TRACES,
        "stays": [
            "The activities in the athlete's own Strava account.",
            "Copies in the Strava accounts of others: Strava gives applications no way to delete an activity.",
            "The athlete's number: in this certificate; for 30 days so that nothing is stored anew; and for 30 days"
            " with each event that Strava still sends, which is dropped.",
        ],
    }


def test_draft_names_the_objects_of_others_for_a_run_that_continues_and_no_end(objects):
    opened(objects)

    document = json.loads(objects.get(KEY).body)
    assert (document["elsewhere"], document["finished_at"], document["last_traces"]) == (["a", "b"], None, {})


def test_certificate_is_finished_once(objects):
    draft = opened(objects)
    first = finished(objects, draft)

    assert first == replace(draft, finished_at_epoch_s=FINISHED_S, residual_records=TRACES, shared_object_keys=None)
    assert finished(objects, draft, at=FINISHED_S + 60) == first
    assert last_certificate(objects, 42) == first


def test_certificate_keeps_the_stored_counts_when_another_run_s_draft_is_finished(objects):
    opened(objects)

    assert finished(objects, replace(opened(objects), removed={"rows": 0})).removed == {"rows": 3}


def test_certificate_whose_draft_is_gone_is_written_anew(objects):
    draft = opened(objects)
    objects.delete(KEY, expected=Condition.ANYTHING)

    assert last_certificate(objects, 42) is None
    assert finished(objects, draft) == last_certificate(objects, 42)


def test_certificate_is_the_first_ones_when_two_finish_at_once(objects, monkeypatch):
    draft, put, first = opened(objects), objects.put, []

    def after_another(key, body, *, expected):
        monkeypatch.undo()
        first.append(finished(objects, draft))
        return put(key, body, expected=expected)

    monkeypatch.setattr(objects, "put", after_another)

    assert finished(objects, draft, at=FINISHED_S + 60) == first[0]
    assert last_certificate(objects, 42).finished_at_epoch_s == FINISHED_S


def test_last_certificate_is_the_athlete_s_newest(objects):
    later = replace(ERASURE, began_at_epoch_s=BEGAN_S + 86_400)
    for erasure in (later, ERASURE, replace(later, athlete_id=421), replace(later, athlete_id=4)):
        opened(objects, erasure)

    assert last_certificate(objects, 42).began_at_epoch_s == BEGAN_S + 86_400
    assert last_certificate(objects, 2) is None


def test_draft_of_an_older_version_does_not_know_the_objects_of_others(objects):
    opened(objects)
    document = json.loads(objects.get(KEY).body)
    del document["elsewhere"]
    objects.put(KEY, json.dumps(document).encode(), expected=Condition.ANYTHING)

    assert opened(objects) == Certificate(42, "operator", BEGAN_S, {"rows": 3}, shared_object_keys=None)
