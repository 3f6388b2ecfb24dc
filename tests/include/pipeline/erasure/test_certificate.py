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
