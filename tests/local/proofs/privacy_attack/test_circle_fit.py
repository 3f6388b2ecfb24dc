"""The attack finds what lies open and misses what is hidden, in a small size."""

from __future__ import annotations

import math
from contextlib import ExitStack
from random import Random

import pytest

from include.circle import Position
from local.docs.pages import page_path
from local.docs.trimming import figures
from local.proofs.privacy_attack.circle_fit import AttackResult, attack, fitted_middle
from local.proofs.privacy_attack.outings import Door, outing, recording
from local.proofs.privacy_attack.proof import prove_trimming
from local.proofs.proof import Effort


@pytest.fixture(scope="module")
def found() -> dict[str, AttackResult]:
    return dict(attack(8, seed=3))


def test_cutting_by_distance_travelled_leaves_the_door_in_sight(found: dict[str, AttackResult]) -> None:
    assert found["by distance travelled"].nearest_m < 50


def test_exact_circle_gives_its_middle_away(found: dict[str, AttackResult]) -> None:
    assert found["an exact circle"].nearest_m > 200
    assert found["an exact circle"].miss_m < 1.5


def test_moved_circle_hides_both(found: dict[str, AttackResult]) -> None:
    assert found["a moved circle"].nearest_m > 200
    assert found["a moved circle"].miss_m > 60
    assert found["a moved circle"].share_within(20) == 0


def test_claims_hold_in_the_smallest_size() -> None:
    done: list[int] = []
    verdicts = prove_trimming(Effort(is_small=True, seed=2026, advance=done.append, closing=ExitStack()))
    assert [verdict.claim for verdict in verdicts if not verdict.holds] == []
    assert (len(verdicts), done[-1]) == (3, len(done))


@pytest.mark.parametrize("middle", [(0.0, 0.0), (30.0, -400.0)])
def test_fitted_middle_is_the_circle_s_when_points_lie_on_one(middle: tuple[float, float]) -> None:
    points = [(middle[0] + 350 * math.sin(turn), middle[1] + 350 * math.cos(turn)) for turn in (0.1, 1, 2.5, 4, 4.4)]
    assert fitted_middle(points) == pytest.approx(middle, abs=1e-6)


def test_door_tells_the_same_place_in_metres_and_degrees() -> None:
    door = Door(Position(60.1, -20))
    assert door.point(door.position((120.0, -45.0))) == pytest.approx((120.0, -45.0), abs=1e-6)


def test_recordings_have_as_many_times_and_distances_as_positions() -> None:
    door = Door.drawn(Random(1))
    streams = recording(door, outing(Random(1)))
    assert len({len(data) for data in streams.channels.values()}) == 1


def test_page_shows_every_rule_and_names_what_is_not_hidden(found: dict[str, AttackResult]) -> None:
    page = page_path("trimming").read_text()
    assert figures(found).splitlines()[0] in page
    for rule in ("until November 2026", "one for each place (now)"):
        assert rule in page
    for word in ("Time.", "Elevation.", "Streets.", "The original."):
        assert f"**{word}**" in page
