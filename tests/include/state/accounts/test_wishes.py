"""What an athlete chose before going to Strava comes back as it was."""

from __future__ import annotations

import json

import pytest

from include.state.accounts.narrowing import Narrowing
from include.state.accounts.wishes import Wish, WishKind

SCOPES = frozenset({"read", "activity:read"})


@pytest.mark.parametrize("wish", [Wish(WishKind.ERASE, 5), Wish(WishKind.WIDEN, 5, SCOPES)])
def test_wish_reads_from_json_as_it_was_written(wish: Wish) -> None:
    assert Wish.from_json(json.loads(json.dumps(wish.to_json()))) == wish


@pytest.mark.parametrize("narrowing", [Narrowing(42, SCOPES, removes=True), Narrowing(42, frozenset(), removes=False)])
def test_choice_to_give_up_scopes_reads_from_json_as_it_was_written(narrowing: Narrowing) -> None:
    assert Narrowing.from_json(json.loads(json.dumps(narrowing.to_json()))) == narrowing
