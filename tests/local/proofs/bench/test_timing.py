from __future__ import annotations

import pytest

from local.proofs.bench.timing import interleaved, percentile


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        pytest.param([5.0], 0.99, 5.0, id="one"),
        pytest.param([float(value) for value in range(100, 0, -1)], 0.99, 99.0, id="a-hundred-unsorted"),
        pytest.param([1.0, 2.0, 3.0, 4.0], 0.5, 2.0, id="half"),
        pytest.param([1.0, 2.0, 3.0], 1.0, 3.0, id="all"),
    ],
)
def test_percentile_is_the_smallest_value_that_the_share_does_not_exceed(
    values: list[float], share: float, expected: float
) -> None:
    assert percentile(values, share) == expected


def test_interleaved_takes_turns_after_a_warm_up() -> None:
    calls: list[str] = []

    ours_ms, rivals_ms = interleaved(lambda: calls.append("ours"), lambda: calls.append("rival"), 2)

    assert calls == ["ours", "rival"] + ["rival", "ours", "ours"] * 2
    assert len(ours_ms) == len(rivals_ms) == 2
    assert min(*ours_ms, *rivals_ms) > 0
