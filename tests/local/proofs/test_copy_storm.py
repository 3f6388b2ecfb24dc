"""The storm in small: nothing is lost or doubled, and it would be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.state.copies.ledger import Copy
from local.proofs.copy_storm import StormResult, storm


def test_storm_leaves_no_copy_lost_or_doubled(tmp_path: Path) -> None:
    assert storm(tmp_path, 4) == StormResult(copies=12, lost=0, doubled=0, waited=8, windows=1)


def test_storm_counts_a_copy_that_is_given_up_for_want_of_access_as_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Copy, "waiting_for_access", lambda self, reason, _now: self.given_up(reason))

    result = storm(tmp_path, 2)

    assert (result.lost, result.doubled, result.waited) == (4, 0, 0)
