"""The week-later story in a real browser, under both rules for older token pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from include.lake.query import query
from include.pipeline.reconcile.due import list_athletes
from include.state.accounts.athletes import AthleteStatus
from include.state.links import Link
from local.docs.pictures.visitor import PATIENCE_MS, Visitor
from local.strava_simulator.world.simulation import OlderPair, Rules
from local.testbed.installation import Installation, one_process

pytestmark = pytest.mark.network

NOW = datetime(2026, 6, 17, 6, 34, tzinfo=UTC).timestamp()
PAULA, REX = 4_100_001, 4_100_002
WEEK_S = 7 * 86_400
ALL = {"read", "activity:read", "activity:read_all", "activity:write"}


@pytest.fixture(params=[pytest.param(rule, id=f"older-{rule}") for rule in OlderPair])
def rule(request: pytest.FixtureRequest) -> OlderPair:
    return OlderPair(request.param)


@pytest.fixture
def system(tmp_path: Path, rule: OlderPair) -> Iterator[Installation]:
    with one_process(tmp_path, now_epoch_s=NOW, rules=Rules(older_pair=rule)) as system:
        for athlete_id, name in ((PAULA, "Paula"), (REX, "Rex")):
            system.control.create_athlete(athlete_id=athlete_id, firstname=name, lastname="Smith")
        yield system


def test_athlete_who_comes_back_a_week_later_on_a_phone_signs_in_by_one_button_and_has_lost_nothing(
    system: Installation, rule: OlderPair, new_visitor: Callable[[], Visitor]
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    desk, rex, phone = new_visitor(), new_visitor(), new_visitor()
    desk.connect("Paula", private=True, receive=True)
    rex.connect("Rex", receive=True)
    system.services.state.links.save(Link(PAULA, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    system.finish(PAULA, "Run with Rex")
    system.clock.advance(3600)
    system.control.change_visibility(system.finish(PAULA, "Quiet run"), "only_me")
    system.catch_up()
    system.clock.advance(WEEK_S)

    phone.sign_in("Paula")
    if rule is OlderPair.DIES:
        phone.authorize("Paula")
    phone.sees("Hello, Paula")

    expect(phone.page.get_by_role("main")).to_contain_text("private ones and full tracks included")
    expect(phone.page.get_by_role("main")).to_contain_text("This account may receive copies")
    expect(phone.page.get_by_role("link", name="Connect again")).to_have_count(0)
    list_athletes(system.services, system.settings)
    system.reconcile()
    athlete = system.services.state.athletes.get(PAULA)
    assert athlete is not None
    assert (athlete.scopes, athlete.status) == (ALL, AthleteStatus.ACTIVE)
    rows = query("SELECT athlete_id, name FROM activities ORDER BY start_ts_utc", system.settings.lake_url).to_pylist()
    assert [row["name"] for row in rows if row["athlete_id"] == PAULA] == ["Run with Rex", "Quiet run"]
    system.finish(PAULA, "Second run with Rex")
    assert len(system.control.activity_ids(REX)) == 2
