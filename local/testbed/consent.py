"""Athletes' consent without a browser: the OAuth flow of one account, and a link to which both sides agreed."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from include.state.links import CopyOptions, Link
from include.strava.grant import TokenGrant
from include.strava.oauth import OAuthClient
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_READ_ALL, ACTIVITY_WRITE, READ, parse_scopes
from local.strava_simulator.control_client import SimulatorControl

EVERYTHING = (READ, ACTIVITY_READ, ACTIVITY_READ_ALL, ACTIVITY_WRITE)
"""Every scope that the pages ask for."""
READ_AND_WRITE = (READ, ACTIVITY_READ, ACTIVITY_WRITE)


def open_account(control: SimulatorControl, athlete_id: int, firstname: str = "Ann") -> None:
    """Open an account at Strava for the athlete; an existing account stays unchanged."""
    if athlete_id not in {profile["id"] for profile in control.athletes()}:
        control.create_athlete(athlete_id=athlete_id, firstname=firstname, lastname="Other")


def authorize(
    control: SimulatorControl, oauth: OAuthClient, athlete_id: int, scopes: Iterable[str] = EVERYTHING
) -> tuple[TokenGrant, frozenset[str]]:
    """Let the athlete grant these scopes at Strava, and exchange the code; returns tokens and granted scopes."""
    address = oauth.authorize_url(redirect_uri="http://localhost/callback", scopes=scopes, state="x", force=True)
    back = parse_qs(urlsplit(control.authorize(address, athlete_id)).query)
    return oauth.exchange(back["code"][0]), parse_scopes(back["scope"][0])


def agreed_link(parent_id: int, child_id: int, name: str, options: CopyOptions | None = None) -> Link:
    """A link to the child with this name, to which both have agreed."""
    options = options or CopyOptions()
    return Link(parent_id, child_id, (name,), options, parent_consent_epoch_s=1, child_consent_epoch_s=1)
