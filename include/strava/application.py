"""The clients that call Strava with this application's own credentials."""

from __future__ import annotations

from include.settings import Settings
from include.strava.http.session import StravaSession
from include.strava.oauth import OAuthClient, RevokeBy
from include.strava.subscriptions import PushSubscriptions


def open_oauth(settings: Settings, session: StravaSession) -> OAuthClient:
    """The client that connects athletes and refreshes their tokens."""
    return OAuthClient(
        session,
        settings.strava_oauth_url,
        settings.strava_client_id,
        settings.strava_client_secret,
        RevokeBy(settings.strava_revoke),
    )


def open_push(settings: Settings, session: StravaSession) -> PushSubscriptions:
    """The client of the application's webhook subscription."""
    return PushSubscriptions(session, settings.strava_api_url, settings.strava_client_id, settings.strava_client_secret)
