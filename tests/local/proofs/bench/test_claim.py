from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from local.proofs.bench.claim import Claim, as_table, write_json


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        pytest.param(Claim.times_better("a", "ms", 2.0, 20.0, at_least=10), True, id="exactly-fast-enough"),
        pytest.param(Claim.times_better("a", "ms", 2.1, 20.0, at_least=10), False, id="a-little-too-slow"),
        pytest.param(Claim.share("a", "kB", 11.0, 10.0, at_most=1.1), True, id="exactly-small-enough"),
        pytest.param(Claim.share("a", "kB", 11.2, 10.0, at_most=1.1), False, id="a-little-too-large"),
        pytest.param(Claim.bounded("a", "s", 0.25, at_most=0.25), True, id="on-the-bound"),
        pytest.param(Claim.bounded("a", "s", 0.26, at_most=0.25), False, id="over-the-bound"),
        pytest.param(Claim.rate("a", "1/s", 100.0, 5.0, at_least=100), True, id="exactly-the-rate"),
        pytest.param(Claim.rate("a", "1/s", 99.0, 5.0, at_least=100), False, id="below-the-rate"),
    ],
)
def test_claim_holds_on_its_bound_and_not_beyond(claim: Claim, holds: bool) -> None:
    assert claim.holds is holds


def test_json_is_a_list_with_the_six_fields_when_written(tmp_path: Path) -> None:
    claims = [Claim.times_better("fast", "ms", 2.0, 30.0, at_least=8), Claim.bounded("small", "MB", 70.0, at_most=60)]

    write_json(claims, tmp_path / "build" / "bench.json")

    assert json.loads((tmp_path / "build" / "bench.json").read_text()) == [
        {"row": "fast", "ours": 2.0, "rival": 30.0, "ratio": 15.0, "target": "rival / ours ≥ 8 (ms)", "holds": True},
        {"row": "small", "ours": 70.0, "rival": None, "ratio": None, "target": "≤ 60 MB", "holds": False},
    ]


def test_table_shows_each_number_and_which_row_does_not_hold() -> None:
    shown = StringIO()

    claims = [Claim.times_better("fast", "ms", 2.0, 3000.0, at_least=8), Claim.bounded("small", "MB", 70.0, at_most=60)]
    Console(file=shown, width=120).print(as_table(claims))

    fast, small = (line.split() for line in shown.getvalue().splitlines() if line.split()[:1] in (["fast"], ["small"]))
    assert fast == ["fast", "2", "ms", "3,000", "ms", "1.5e+03", "×", "rival", "/", "ours", "≥", "8", "(ms)", "yes"]
    assert small == ["small", "70", "MB", "–", "–", "≤", "60", "MB", "NO"]
