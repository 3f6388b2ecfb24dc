from __future__ import annotations

from collections.abc import Sequence

import pytest

from local.proofs.stack.catalogue import Seen


@pytest.mark.parametrize(
    ("told", "meanwhile", "unanswered"),
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
def test_event_is_answered_by_a_run_that_begins_after_it(
    told: Sequence[float], meanwhile: int, unanswered: int
) -> None:
    seen = Seen(told, [(10.0, 15.0), (20.0, 25.0)])

    assert (seen.meanwhile, seen.unanswered) == (meanwhile, unanswered)


def test_event_is_unanswered_when_the_catalogue_never_ran() -> None:
    assert Seen([1.0], []).unanswered == 1
