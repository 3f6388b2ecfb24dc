"""Operators link athletes from the command line."""

from __future__ import annotations

import time

import pytest

from include.crypto.backend import open_cipher
from include.errors import BadRequest
from include.settings import EXAMPLES, Settings
from include.state.athletes import Athletes
from include.state.backend import open_store
from include.state.links import Links, LinkStatus
from include.strava.models import Athlete, AthleteId, TokenGrant
from local.links import link

PARENT_ID, CHILD_ID = 1, 2


@pytest.fixture
def settings(tmp_path):
    places = {
        "STATE_URL": f"sqlite://{tmp_path}/state.sqlite",
        "KEY_URL": f"file://{tmp_path}/token.key",
    }
    return Settings.from_environ({**EXAMPLES, **places})


@pytest.fixture
def links(settings):
    """The links of a system in which parent and child are connected."""
    store = open_store(settings.state_url, time.time)
    athletes = Athletes(store, open_cipher(settings.key_url), time.time)
    for athlete_id in (PARENT_ID, CHILD_ID):
        athlete = Athlete(AthleteId(athlete_id), "A", "B")
        athletes.connect(TokenGrant("a" * 40, "r" * 40, 2_000_000_000, athlete), frozenset({"activity:read"}))
    yield Links(store)
    store.close()


def test_link_is_active_with_the_consent_of_both(settings, links):
    link(settings, PARENT_ID, CHILD_ID, ("Rex", "Rexi"))
    stored = links.get(PARENT_ID, CHILD_ID)
    assert (stored.names, stored.status) == (("Rex", "Rexi"), LinkStatus.ACTIVE)
    assert stored.parent_consent_epoch_s == stored.child_consent_epoch_s > 0


def test_linking_again_replaces_the_names_and_keeps_the_consent(settings, links):
    first = link(settings, PARENT_ID, CHILD_ID, ("Rex",))
    again = link(settings, PARENT_ID, CHILD_ID, ("Bello",))
    assert links.get(PARENT_ID, CHILD_ID).names == ("Bello",)
    assert again.parent_consent_epoch_s == first.parent_consent_epoch_s


@pytest.mark.parametrize(
    ("parent_id", "child_id", "names", "why"),
    [
        pytest.param(PARENT_ID, PARENT_ID, ("Rex",), "two athletes", id="to oneself"),
        pytest.param(PARENT_ID, CHILD_ID, (), "at least one name", id="no name"),
        pytest.param(PARENT_ID, 99, ("Rex",), "99 is not connected", id="unknown child"),
        pytest.param(99, CHILD_ID, ("Rex",), "99 is not connected", id="unknown parent"),
    ],
)
def test_impossible_link_is_refused_with_the_next_step(settings, links, parent_id, child_id, names, why):
    with pytest.raises(BadRequest, match=why):
        link(settings, parent_id, child_id, names)
    assert links.of_parent(PARENT_ID) == []
