"""Disconnecting gives the access back at Strava and destroys the tokens here, or says that it did not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.state.accounts.athletes import Athletes, AthleteStatus, athlete_key
from include.state.links import Link, Links
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock
from webhook_api.session import COOKIE

ADA, REX = 134815, 22
NewBrowser = Callable[[], Any]


@pytest.fixture
def ada(new_browser: NewBrowser) -> Any:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    return browser


def disconnect(browser: Any) -> Any:
    """Press the button and let Strava say who it is."""
    return browser.walk(browser.post("/me/disconnect", page="/me/disconnect"), ADA, "Ada", "read")


def status_of(athletes: Athletes) -> AthleteStatus:
    athlete = athletes.get(ADA)
    assert athlete is not None
    return athlete.status


def test_nothing_happens_before_the_athlete_confirms(ada: Any, athletes: Athletes) -> None:
    page = ada.client.get("/me/disconnect")

    assert "Disconnect from Strava?" in page.text
    assert status_of(athletes) is AthleteStatus.ACTIVE


def test_access_is_given_back_and_destroyed_and_the_links_stay(
    ada: Any, athletes: Athletes, strava: Any, store: SqliteStore, clock: ManualClock
) -> None:
    Links(store, clock).save(Link(ADA, REX, ("Rex",)))

    strava.document = strava.document | {"access_token": "token-of-the-confirmation"}

    page = disconnect(ada)

    assert "You are disconnected" in page.text
    revoked = [form["token"] for form in strava.forms if "token" in form]
    assert revoked == ["token-of-the-confirmation", "access-token-that-nobody-may-see"]
    assert status_of(athletes) is AthleteStatus.REVOKED
    row = store.get(athlete_key(ADA))
    assert row is not None
    assert row.fields["tokens"] is None
    assert ada.client.get_cookie(f"__Host-{COOKIE}") is None
    assert len(Links(store, clock).of_parent(ADA)) == 1
    assert ada.connect(ADA, "Ada").status_code == 200
    assert status_of(athletes) is AthleteStatus.ACTIVE


def test_athlete_whose_tokens_strava_refuses_is_disconnected_by_the_token_of_the_confirmation(
    ada: Any, athletes: Athletes, strava: Any
) -> None:
    athletes.mark(ADA, AthleteStatus.NEEDS_REAUTH)
    calls = len(strava.forms)

    assert "You are disconnected" in disconnect(ada).text
    assert status_of(athletes) is AthleteStatus.REVOKED
    assert [form.get("grant_type") for form in strava.forms[calls:]] == ["authorization_code", None]


def test_athlete_who_connects_in_between_is_disconnected_too_never_half(
    app: Any, ada: Any, athletes: Athletes, strava: Any
) -> None:
    from include.strava.grant import TokenGrant
    from include.strava.models import Athlete, AthleteId
    from webhook_api.edge import EXTENSION
    from webhook_api.pages.disconnect import disconnect as end_access

    edge = app.extensions[EXTENSION]
    oauth = edge.oauth()
    given_back: list[str] = []
    revoke = oauth.revoke

    def revoke_while_connecting(athlete_id: int, access_token: str) -> None:
        revoke(athlete_id, access_token)
        given_back.append(access_token)
        if len(given_back) == 2:
            grant = TokenGrant("second-token", "second-refresh", 1_760_021_600, Athlete(AthleteId(ADA), "Ada", ""))
            athletes.connect(grant, frozenset({"activity:read"}))

    oauth.revoke = revoke_while_connecting

    end_access(edge, ADA, "token-of-the-confirmation")

    assert given_back == ["token-of-the-confirmation", "access-token-that-nobody-may-see", "second-token"]
    assert status_of(athletes) is AthleteStatus.REVOKED
