from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from local.proofs.bench.claim import Claim, as_table, write_json
from local.proofs.verdict import Verdict


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        pytest.param(Claim.times_better("a", "ms", [2.0], [20.0], at_least=10), True, id="exactly-fast-enough"),
        pytest.param(Claim.times_better("a", "ms", [2.1], [20.0], at_least=10), False, id="a-little-too-slow"),
        pytest.param(Claim.share("a", "kB", [11.0], [10.0], at_most=1.1), True, id="exactly-small-enough"),
        pytest.param(Claim.share("a", "kB", [11.2], [10.0], at_most=1.1), False, id="a-little-too-large"),
        pytest.param(Claim.bounded("a", "s", [0.25], at_most=0.25), True, id="on-the-bound"),
        pytest.param(Claim.bounded("a", "s", [0.26], at_most=0.25), False, id="over-the-bound"),
        pytest.param(Claim.rate("a", "1/s", [100.0], [5.0], at_least=20), True, id="exactly-the-rate"),
        pytest.param(Claim.rate("a", "1/s", [99.0], [5.0], at_least=20), False, id="below-the-rate"),
    ],
)
def test_claim_holds_on_its_bound_and_not_beyond(claim: Claim, holds: bool) -> None:
    assert claim.holds is holds


@pytest.mark.parametrize(
    ("claim", "spare"),
    [
        # Medians 4 and 40, interquartile ranges 2 and 20.
        pytest.param(Claim.bounded("a", "s", [3.0, 4.0, 5.0, 1.0, 9.0], at_most=6), 0.0, id="most-reached"),
        pytest.param(Claim.bounded("a", "s", [3.0, 4.0, 5.0, 1.0, 9.0], at_most=5.9), -0.1 / 5.9, id="most-exceeded"),
        pytest.param(Claim.bounded("a", "s", [3.0, 4.0, 5.0, 1.0, 9.0], at_most=12), 0.5, id="half-of-the-most-left"),
        pytest.param(Claim.rate("a", "1/s", [30, 40, 50, 10, 90], [1.0] * 5, at_least=20), 0.0, id="least-reached"),
        pytest.param(Claim.rate("a", "1/s", [30, 40, 50, 10, 90], [1.0] * 5, at_least=25), -0.2, id="least-missed"),
        pytest.param(Claim.rate("a", "1/s", [30, 40, 50, 10, 90], [1.0] * 5, at_least=10), 1.0, id="twice-the-least"),
    ],
)
def test_target_holds_only_when_the_spread_is_left_over(claim: Claim, spare: float) -> None:
    assert claim.spare == pytest.approx(spare)
    assert claim.holds is (spare >= 0)


def test_ratio_is_taken_round_by_round_when_both_are_measured_in_turn() -> None:
    busy_in_the_second = Claim.times_better("a", "ms", [2.0, 4.0, 2.0], [20.0, 40.0, 20.0], at_least=10)

    assert (busy_in_the_second.figure, busy_in_the_second.spread) == (10.0, 0.0)
    assert (busy_in_the_second.ours, busy_in_the_second.rival) == (2.0, 20.0)


def test_claim_is_refused_when_a_round_lacks_its_rival() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Claim.share("a", "ms", [1.0, 2.0], [1.0], at_most=2)


def test_json_is_a_list_with_every_figure_when_written(tmp_path: Path) -> None:
    claims = [
        Claim.times_better("fast", "ms", [2.0], [30.0], at_least=10),
        Claim.bounded("small", "MB", [70.0, 74.0], at_most=60),
    ]

    write_json(claims, tmp_path / "build" / "bench.json")

    fast = {"row": "fast", "ours": 2.0, "rival": 30.0, "ratio": 15.0, "spread": 0.0, "spare": 0.5, "holds": True}
    small = {"row": "small", "ours": 72.0, "rival": None, "ratio": None, "spread": 2.0, "holds": False}
    assert json.loads((tmp_path / "build" / "bench.json").read_text()) == [
        {**fast, "target": "rival / ours ≥ 10"},
        {**small, "target": "≤ 60 MB", "spare": pytest.approx(-14 / 60)},
    ]


def test_table_shows_each_number_and_which_row_does_not_hold() -> None:
    shown = StringIO()

    claims = [
        Claim.times_better("fast", "ms", [2.0, 2.0], [3000.0, 3200.0], at_least=8),
        Claim.bounded("small", "MB", [70.0], at_most=60),
    ]
    Console(file=shown, width=120).print(as_table(claims))

    fast, small = (line.split() for line in shown.getvalue().splitlines() if line.split()[:1] in (["fast"], ["small"]))
    assert fast[:9] == ["fast", "2", "ms", "3,100", "ms", "1,550", "×", "50", "×"]
    assert fast[9:] == ["rival", "/", "ours", "≥", "8", "18650%", "yes"]
    assert small == ["small", "70", "MB", "–", "70", "MB", "0", "MB", "≤", "60", "MB", "-17%", "NO"]


@pytest.mark.parametrize(
    ("claim", "figures"),
    [
        pytest.param(Claim.bounded("a", "MB", [70.0], at_most=80), "70 MB", id="counted"),
        pytest.param(Claim.bounded("a", "s", [1.0, 2.0], at_most=4), "1.5 s, spread 0.5 s, 50% to spare", id="bounded"),
        pytest.param(
            Claim.rate("a", "1/s", [30, 40, 50], [2.0] * 3, at_least=10),
            "20 × (40 1/s, rival 2 1/s), spread 5 ×, 50% to spare",
            id="compared",
        ),
    ],
)
def test_verdict_says_figure_spread_and_what_is_left(claim: Claim, figures: str) -> None:
    assert claim.verdict() == Verdict("a", str(claim.bound), figures, True)
