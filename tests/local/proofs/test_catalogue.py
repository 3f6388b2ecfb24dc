from __future__ import annotations

from collections.abc import Sequence

import pytest

from local.proofs.stack.catalogue import CatalogueHistory


@pytest.mark.parametrize(
    ("event_epoch_s", "during_runs", "without_run"),
    [
        pytest.param([], 0, 0, id="none"),
        pytest.param([5.0], 0, 0, id="before a run"),
        pytest.param([12.0], 1, 0, id="while one runs, before another"),
        pytest.param([17.0], 0, 0, id="between two runs"),
        pytest.param([22.0], 1, 1, id="while the last runs"),
        pytest.param([30.0], 0, 1, id="after the last"),
        pytest.param([5.0, 12.0, 13.0, 22.0, 30.0], 3, 2, id="many"),
    ],
)
def test_event_has_a_run_when_one_begins_after_it(
    event_epoch_s: Sequence[float], during_runs: int, without_run: int
) -> None:
    seen = CatalogueHistory(event_epoch_s, [(10.0, 15.0), (20.0, 25.0)])

    assert (seen.events_during_runs, seen.events_without_run) == (during_runs, without_run)


def test_event_is_without_run_when_the_catalogue_never_ran() -> None:
    assert CatalogueHistory([1.0], []).events_without_run == 1
