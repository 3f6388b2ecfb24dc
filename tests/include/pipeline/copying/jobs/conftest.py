"""A family on one machine: Strava accepts every file, and has made the activity when it is asked."""

from __future__ import annotations

from unittest.mock import create_autospec

import pytest

from include.strava.client import StravaClient
from tests.include.pipeline.copying.jobs.family import PARENT_ID, READY, REX, STILL, Family, recorded


@pytest.fixture
def family(offline, monkeypatch):
    """The parent and Rex connected and linked, and a stored activity that names him."""
    strava = create_autospec(StravaClient, instance=True)
    for name in ("create_upload", "upload", "activities", "activity"):
        monkeypatch.setattr(offline.strava.client, name, getattr(strava, name))
    strava.create_upload.side_effect = lambda _child_id, _file, before_sending: (before_sending(), STILL)[1]
    strava.upload.return_value = READY
    strava.activities.side_effect = lambda *_args, **_named: iter([])
    family = Family(offline, strava)
    family.connect(PARENT_ID)
    family.connect(REX, firstname="Rex")
    family.link()
    family.store(recorded())
    return family
