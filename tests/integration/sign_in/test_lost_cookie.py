"""A callback without its cookie binds nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from local.testbed.installation import Installation

pytestmark = pytest.mark.network
PAULA, REX, STRANGER = 4_100_001, 4_100_002, 4_100_003
ALL = frozenset({"read", "activity:read", "activity:read_all", "activity:write"})
STORED = {
    "read": frozenset({"read", "activity:read"}),
    "write": frozenset({"read", "activity:read", "activity:write"}),
    "read_all": frozenset({"read", "activity:read", "activity:read_all"}),
}
HOUR_S = 3600


def scopes_of(system: Installation) -> frozenset[str]:
    athlete = system.services.state.athletes.get(PAULA)
    assert athlete is not None
    return athlete.scopes


@pytest.mark.parametrize("start", ["/sign-in", "/connect", "/connect?private=1&receive=1"])
def test_callback_without_its_cookie_binds_nothing_and_leads_into_the_same_walk_by_one_button(
    system: Installation, new_browser: Callable[[], Any], start: str
) -> None:
    new_browser().connect(PAULA, ALL)
    before = system.services.state.athletes.get(PAULA)
    asked = new_browser().open(start)
    other = new_browser()

    page = other.authorize(asked, PAULA)

    assert (page.status_code, "One more step" in page.text) == (400, True)
    assert system.services.state.athletes.get(PAULA) == before
    assert "Hello" not in other.open("/me").text
    (next_step,) = re.findall(r'<a class="button" href="([^"]+)">Go on in this browser</a>', page.text)
    assert next_step.replace("&amp;", "&") == start
    answer = other.authorize(other.open(start), PAULA)
    while answer.status_code == 303:
        answer = other.authorize(answer, PAULA)
    assert "Hello, <bdi>Paula</bdi>" in answer.text
    assert scopes_of(system) == ALL
