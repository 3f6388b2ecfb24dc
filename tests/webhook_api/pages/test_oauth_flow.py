"""What a walk to Strava carries, and which scopes count when it comes back."""

from __future__ import annotations

import pytest

from include.state.accounts.narrowing import Narrowing
from webhook_api.pages.consent import OAuthFlow

READ, ALL = "activity:read", "activity:read_all"


@pytest.mark.parametrize(
    ("asked", "address", "proved", "counted"),
    [
        pytest.param({READ}, "activity:read", None, {READ}, id="as asked"),
        pytest.param({READ}, "activity:read,activity:read_all", None, {READ}, id="not asked for"),
        pytest.param({READ}, "activity:read,activity:read_all", {READ, ALL}, {READ}, id="not asked for but proved"),
        pytest.param({READ, ALL}, "activity:read activity:read_all", {READ}, {READ}, id="not proved"),
        pytest.param({READ, ALL}, "activity:read", {READ, ALL}, {READ}, id="not in the address"),
        pytest.param({READ}, "", {READ}, set(), id="no address"),
        pytest.param({READ}, "activity:read", set(), set(), id="nothing proved"),
    ],
)
def test_scope_counts_where_it_was_asked_for_shown_and_proved(
    asked: set[str], address: str, proved: set[str] | None, counted: set[str]
) -> None:
    walk = OAuthFlow(frozenset(asked))

    assert walk.granted(address, None if proved is None else frozenset(proved)) == counted


@pytest.mark.parametrize(
    "walk",
    [
        pytest.param(OAuthFlow(frozenset({"read"})), id="sign in"),
        pytest.param(OAuthFlow(frozenset({"read", READ}), "an-invitation"), id="invitation"),
        pytest.param(
            OAuthFlow(frozenset({READ}), narrowing=Narrowing(7, frozenset({ALL}), removes=True)), id="narrowing"
        ),
    ],
)
def test_walk_comes_back_as_it_went(walk: OAuthFlow) -> None:
    assert OAuthFlow.from_json(walk.to_json()) == walk
