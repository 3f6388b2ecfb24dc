"""The page after an athlete has allowed full tracks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from include.copying.choices import CopyOptions
from include.state.links import Link, Links
from include.store.sqlite import SqliteStore
from include.strava.models import AthleteId
from local.testbed.manual_clock import ManualClock

ADA, REX, EVE = 134815, 22, 33


def test_page_of_full_tracks_leads_a_stranger_to_the_start(new_browser: Callable[[], Any]) -> None:
    answer = new_browser().client.get("/connect/more")

    assert (answer.status_code, answer.location) == (303, "/")


def test_page_of_full_tracks_says_of_each_link_what_is_hidden(
    new_browser: Callable[[], Any], store: SqliteStore, clock: ManualClock
) -> None:
    ada = new_browser()
    ada.connect(ADA, "Ada", "read,activity:read,activity:read_all")
    for child_id, name, options in ((REX, "Rex", CopyOptions()), (EVE, "Eve", CopyOptions(trim_m=0))):
        Links(store, clock).save(
            Link(
                AthleteId(ADA),
                AthleteId(child_id),
                (name,),
                parent_consent_epoch_s=1,
                child_consent_epoch_s=1,
                options=options,
            )
        )

    page = ada.client.get("/connect/more").text
    items = [" ".join(re.sub(r"<[^>]+>", "", item).split()) for item in re.findall(r"<li>(.*?)</li>", page, re.DOTALL)]

    assert "Rex: whatever lies within 200&nbsp;m of the start or the end is left out. Change: Rex" in items
    assert "Eve: nothing is left out, so tracks show where you live. Change: Eve" in items
    assert f'href="/me/children/{REX}"' in page
