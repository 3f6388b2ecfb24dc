"""How much a copy hides where the parent chose, and where not."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from include.copying.trimming import hidden_radius_m
from include.state.links import CopyOptions

FULL = ("read", "activity:read", "activity:read_all")
CROPPED = ("read", "activity:read")


@pytest.mark.parametrize(
    ("trim_m", "scopes", "radius_m"),
    [
        pytest.param(None, FULL, 200, id="full tracks"),
        pytest.param(None, CROPPED, 0, id="Strava crops"),
        pytest.param(None, None, 200, id="grant unknown"),
        pytest.param(0, FULL, 0, id="chosen: nothing"),
        pytest.param(0, None, 0, id="chosen: nothing, grant unknown"),
        pytest.param(70, FULL, 70, id="chosen: less"),
        pytest.param(70, CROPPED, 70, id="chosen beside Strava's cropping"),
    ],
)
def test_radius_is_the_choice_else_what_the_present_grant_asks_for(
    trim_m: int | None, scopes: Collection[str] | None, radius_m: int
) -> None:
    assert hidden_radius_m(CopyOptions(trim_m=trim_m), scopes) == radius_m
