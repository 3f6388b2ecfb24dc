"""Whoever counts first has counted: all who work at one erasure hold the same certificate."""

from __future__ import annotations

import pytest

from include.lake.objects.files import FileObjects
from include.pipeline.erasure.certificate import open_certificate
from include.state.erasures.ledger import EraseReason, Erasure, ErasureGrounds, ErasureStage

ERASURE = Erasure(42, ErasureGrounds(EraseReason.OPERATOR, 1_000), 1_000, ErasureStage.UNDER_WAY)


@pytest.fixture
def objects(tmp_path):
    return FileObjects(tmp_path / "lake")


def test_certificate_counts_once_however_often_it_is_opened(objects):
    opened = open_certificate(objects, ERASURE, ["b", "a"], lambda: {"rows": 3})

    assert (opened.removed, opened.shared_object_keys) == ({"rows": 3}, ("a", "b"))
    assert open_certificate(objects, ERASURE, [], lambda: {"rows": 0}) == opened


def test_certificate_is_the_first_ones_when_two_count_at_once(objects):
    first = []

    def count_after_another():
        first.append(open_certificate(objects, ERASURE, ["a"], lambda: {"rows": 3}))
        return {"rows": 2}

    assert open_certificate(objects, ERASURE, ["b"], count_after_another) == first[0]
    assert first[0].removed == {"rows": 3}


def test_certificate_of_an_unfinished_erasure_is_a_whole_document(objects):
    assert open_certificate(objects, ERASURE, ["a"], lambda: {"rows": 3}).to_json() == {
        "certificate": "erasure of all stored data of an athlete",
        "athlete_id": 42,
        "reason": "operator",
        "began_at": "1970-01-01T00:16:40+00:00",
        "finished_at": None,
        "removed": {"rows": 3},
        "last_traces": {},
        "stays": [
            "The activities in the athlete's own Strava account.",
            "Copies in the Strava accounts of others: Strava gives applications no way to delete an activity.",
            "The athlete's number: in this certificate; for 30 days so that nothing is stored anew; and for 30 days "
            "with each event that Strava still sends, which is dropped.",
        ],
        "elsewhere": ["a"],
    }
