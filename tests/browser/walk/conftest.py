"""A family at the pages, in real browsers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect

from include.state.links import Link
from local.docs.pictures.visitor import PATIENCE_MS, Visitor
from local.testbed.installation import Installation

PAULA, REX = 4_100_001, 4_100_002
HOUR_S = 3600


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True)
class Family:
    """A parent and a child, each in a browser of their own."""

    system: Installation
    paula: Visitor
    rex: Visitor

    def run(self, title: str) -> int:
        """Paula runs, an hour later."""
        self.system.clock.advance(HOUR_S)
        return self.system.finish(PAULA, title)

    def copies(self) -> list[int]:
        """What Rex has at Strava: nothing but copies."""
        return self.system.control.activity_ids(REX)

    def latest(self) -> Locator:
        """The newest of Paula's recent activities, on her page as it is now."""
        self.paula.open("/me")
        return self.paula.section("Recent activities").get_by_role("article").first


@pytest.fixture
def family(system: Installation, new_visitor: Callable[[], Visitor]) -> Family:
    for athlete_id, name in ((PAULA, "Paula"), (REX, "Rex")):
        system.control.create_athlete(athlete_id=athlete_id, firstname=name, lastname="Smith")
    return Family(system, new_visitor(), new_visitor())


@pytest.fixture
def inviting(family: Family, sign_in: Callable[..., None]) -> Family:
    """Paula has connected."""
    sign_in(family.paula, PAULA)
    return family


@pytest.fixture
def linked(family: Family, sign_in: Callable[..., None]) -> Family:
    """Both have connected and agreed, some other day."""
    sign_in(family.paula, PAULA)
    sign_in(family.rex, REX, receive="1")
    link = Link(PAULA, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    family.system.services.state.links.save(link)
    return family
