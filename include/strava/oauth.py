"""OAuth with Strava: the consent page, and calls that obtain, refresh and revoke tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from urllib.parse import urlencode

from requests.auth import HTTPBasicAuth

from include.errors import (
    ApplicationInactive,
    BadRequest,
    CapacityReached,
    IngestError,
    QuotaSpent,
    TokenEndpointFault,
    TokenRefused,
    UnexpectedShape,
)
from include.strava.grant import NEWCOMER, TokenGrant
from include.strava.http.session import BearerAuth, Call, StravaSession, of_athlete


class RevokeBy(StrEnum):
    """How access is revoked: the values of the setting `STRAVA_REVOKE`.

    Source: https://developers.strava.com/docs/authentication/, changelog of 2026-06-01.
    """

    REVOKE = "token"
    """`POST /oauth/revoke`, with the application's credentials."""
    LEGACY = "legacy"
    """`POST /oauth/deauthorize`, with the athlete's token; Strava counts it as a read and ends it on 2027-06-01."""


_ABOUT_SOMEBODY = (TokenRefused, CapacityReached, ApplicationInactive, QuotaSpent)
"""Errors of the token endpoint that concern the athlete or the application."""


class OAuthClient:
    """The application's own calls to Strava's OAuth endpoints; none of them reserves in the call budget.

    Secrets travel in the body or in the Authorization header, never in a URL, an error or a log.
    """

    def __init__(
        self,
        session: StravaSession,
        oauth_url: str,
        client_id: str,
        client_secret: str,
        revoke_by: RevokeBy = RevokeBy.REVOKE,
    ) -> None:
        self._session = session
        self._oauth_url = oauth_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._revoke_by = revoke_by

    def authorize_url(self, *, redirect_uri: str, scopes: Iterable[str], state: str, force: bool = False) -> str:
        """The address of Strava's consent page; `force` shows it even if all scopes are already granted."""
        query = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "approval_prompt": "force" if force else "auto",
            "scope": ",".join(scopes),
            "state": state,
        }
        return f"{self._oauth_url}/authorize?{urlencode(query)}"

    def exchange(self, code: str) -> TokenGrant:
        """The first token pair for the code of a callback, and its athlete.

        Errors: `BadRequest` (the code is used, expired or too fresh: ask again or let the athlete connect again; or
        the client id or secret is wrong), `CapacityReached`, `TokenEndpointFault`.
        """
        with _as_token_endpoint(BadRequest):
            grant = self._grant({"grant_type": "authorization_code", "code": code}, NEWCOMER)
            if not grant.access_token:
                raise UnexpectedShape(f"The code of {NEWCOMER} gave no access token at /oauth/token. Try again later.")
            return grant

    def refresh(self, athlete_id: int, refresh_token: str) -> TokenGrant:
        """The athlete's new pair; store it before using it, since a new refresh token ends the old one at once.

        Strava returns the same access token while it is valid for more than an hour.
        Errors: `TokenRefused` (read the stored pair once more, another worker may have refreshed it; otherwise the
        athlete has to connect again), `TokenEndpointFault` (anything else: a failure, a page, a wrong client id or
        secret).
        """
        with _as_token_endpoint():
            return self._grant({"grant_type": "refresh_token", "refresh_token": refresh_token}, of_athlete(athlete_id))

    def revoke(self, athlete_id: int, access_token: str) -> None:
        """End the application's access to the athlete's account, with a valid access token of the athlete.

        Effects: every token of the athlete for this application becomes invalid. Safe to repeat: a token that Strava
        does not know is no error, or `TokenRefused` with the legacy endpoint.
        Errors: `TokenEndpointFault` (repeat; a wrong client id or secret too), and with the legacy endpoint also
        `QuotaSpent` and `ApplicationInactive`.
        """
        call = Call(
            "POST",
            "/revoke",
            of_athlete(athlete_id),
            form={"token": access_token},
            auth=HTTPBasicAuth(self._client_id, self._client_secret),
        )
        if self._revoke_by is RevokeBy.LEGACY:
            call = Call("POST", "/deauthorize", of_athlete(athlete_id), auth=BearerAuth(access_token))
        with _as_token_endpoint():
            self._session.send(self._oauth_url, call).checked()

    def _grant(self, grant: Mapping[str, str], whom: str) -> TokenGrant:
        form = {"client_id": self._client_id, "client_secret": self._client_secret, **grant}
        answer = self._session.send(self._oauth_url, Call("POST", "/token", whom, form=form)).checked()
        return answer.read(lambda: TokenGrant.parse(answer.object(), answer.received_at_epoch_s))


@contextmanager
def _as_token_endpoint(*about_somebody: type[IngestError]) -> Iterator[None]:
    """Turn every other error into a `TokenEndpointFault`: a 404 here does not mean that an activity is gone."""
    try:
        yield
    except IngestError as err:
        if isinstance(err, (*_ABOUT_SOMEBODY, *about_somebody)):
            raise
        raise TokenEndpointFault(str(err), retry_after_s=err.retry_after_s) from err
