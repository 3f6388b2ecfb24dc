"""The decision of the OAuth callback: sign the athlete in, connect, return to Strava, or ask."""

from __future__ import annotations

from flask import current_app, redirect, url_for
from flask.typing import ResponseReturnValue

from include.errors import BeingErased, CipherError, IngestError, NotConnected, UnexpectedShape
from include.linking.invitations import accept, objection
from include.state.accounts.athletes import AthleteRow, AthleteStatus
from include.state.links import Link, LinkStatus
from include.strava.grant import NEWCOMER, TokenGrant
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_READ_ALL, ACTIVITY_WRITE, READ
from webhook_api.edge import current_edge
from webhook_api.errors import (
    NOT_CONNECTED,
    OTHER_ACCOUNT,
    SCOPE_MISSING,
    UNTICKED,
    UPLOAD_NOT_ALLOWED,
    Problem,
    problem_page,
    to_own_page,
)
from webhook_api.pages import consent, wishes
from webhook_api.pages.consent import OAuthFlow
from webhook_api.pages.linking.invites import objection_page
from webhook_api.pages.waking import access_given
from webhook_api.session import begin_session


def complete(flow: OAuthFlow, code: str, address_scopes: str) -> ResponseReturnValue:
    """The page on which the OAuth flow continues or ends.

    A new pair is stored only if it has all scopes of the stored one, except those that the athlete chose to give up.
    Otherwise it is dropped, but not revoked: a revocation would end every pair of the athlete.

    Effects: signs the athlete in. Stores a newcomer who connects; revokes the grant of a newcomer who only signs in. An
    athlete who has connected in another tab meanwhile has to allow the access once more. Fulfils the flow's wish, which
    stays stored if Strava does not answer; changes nothing for another athlete than the flow's.
    """
    try:
        return _complete(flow, code, address_scopes)
    except IngestError as err:
        page = wishes.not_confirmed(flow, err)
        if page is None:
            raise
        return page


def _complete(flow: OAuthFlow, code: str, address_scopes: str) -> ResponseReturnValue:
    problem = _missing_scope(flow, flow.granted(address_scopes, None))
    if problem is not None:
        return problem_page(problem)
    grant = current_edge().oauth().exchange(code)
    if grant.athlete is None:
        raise UnexpectedShape(f"/oauth/token named no athlete for {NEWCOMER}: ask the athlete to connect again")
    granted = flow.granted(address_scopes, grant.scopes)
    athlete = current_edge().state.athletes.get(grant.athlete.athlete_id)
    if flow.athlete_id not in (None, grant.athlete.athlete_id):
        return _turn_away(grant, athlete)
    if athlete is None or not athlete.is_connected:
        return _receive_newcomer(flow, grant, granted)
    page = wishes.fulfil(flow, athlete, grant.access_token)
    if page is not None:
        return page
    begin_session(athlete)
    return _receive(flow, grant, granted, athlete)


def _turn_away(grant: TokenGrant, athlete: AthleteRow | None) -> ResponseReturnValue:
    """Answer an athlete for whom the flow is not: nothing changes, for neither athlete."""
    if grant.athlete is not None and (athlete is None or not athlete.is_connected):
        current_edge().oauth().revoke(grant.athlete.athlete_id, grant.access_token)
    elif athlete is not None and not _is_accepted(athlete):
        # This grant has ended the other athlete's own pair at Strava, so that athlete has to allow it once more.
        return consent.begin(OAuthFlow(athlete.scopes | {READ}), force=False)
    return problem_page(OTHER_ACCOUNT, to_own_page())


def _receive_newcomer(flow: OAuthFlow, grant: TokenGrant, granted: frozenset[str]) -> ResponseReturnValue:
    problem = NOT_CONNECTED if flow.is_sign_in else _missing_scope(flow, granted)
    if problem is None:
        return _connect(flow, grant, granted, frozenset())
    if grant.athlete is not None:
        athlete_id = grant.athlete.athlete_id
        current_edge().oauth().revoke(athlete_id, grant.access_token)
        athlete = current_edge().state.athletes.get(athlete_id)
        if athlete is not None and athlete.is_connected:
            # The athlete connected in another tab meanwhile: that pair was revoked too.
            begin_session(athlete)
            return redirect(url_for("connect.again"), code=303)
    return problem_page(problem)


def _receive(flow: OAuthFlow, grant: TokenGrant, granted: frozenset[str], athlete: AthleteRow) -> ResponseReturnValue:
    narrowing = flow.narrowing if flow.narrowing and flow.narrowing.athlete_id == athlete.athlete_id else None
    kept = athlete.scopes - {READ} - (narrowing.scopes if narrowing else frozenset())
    if kept <= granted:
        return _connect(flow, grant, granted, athlete.scopes)
    is_accepted = _is_accepted(athlete)
    if kept <= flow.scopes:
        # Strava's page offered these scopes, and the athlete unticked one.
        if flow.invite_id:
            return problem_page(UNTICKED)
        return redirect(url_for("connect.less", scope=sorted(granted)), code=303)
    cannot_accept = bool(flow.invite_id and objection(current_edge(), flow.invite_id, athlete.athlete_id))
    wanted = athlete.scopes | (frozenset() if cannot_accept else granted)
    if is_accepted and wanted - {READ} <= athlete.scopes:
        return _go_on(flow, athlete.athlete_id)
    edge = current_edge()
    if edge.state.erasures.forbid_writing(athlete.athlete_id):
        raise BeingErased(f"everything of athlete {athlete.athlete_id} is being erased: nothing is authorised again")
    return consent.begin(OAuthFlow(wanted | {READ}, flow.invite_id), force=False)


def _connect(
    flow: OAuthFlow, grant: TokenGrant, granted: frozenset[str], before: frozenset[str]
) -> ResponseReturnValue:
    athlete = current_edge().state.athletes.connect(grant, granted, flow.narrowing)
    access_given(athlete.athlete_id)
    begin_session(athlete)
    if flow.invite_id is None and ACTIVITY_READ_ALL in granted - before and links_given(athlete.athlete_id):
        return redirect(url_for("connect.more"), code=303)
    return _go_on(flow, athlete.athlete_id)


def links_given(athlete_id: int) -> list[Link]:
    """The links over which the athlete's activities are copied, or may be again: a wider grant affects them."""
    links = current_edge().state.links.of_parent(athlete_id)
    return [link for link in links if link.status is not LinkStatus.ENDED]


def _go_on(flow: OAuthFlow, athlete_id: int) -> ResponseReturnValue:
    objected = accept(current_edge(), flow.invite_id, athlete_id) if flow.invite_id else None
    # The redirect takes the code out of the address bar.
    return objection_page(objected) if objected else redirect(url_for("me.show"), code=303)


def _is_accepted(athlete: AthleteRow) -> bool:
    """Whether Strava still refreshes the stored pair; True too if that is not known now.

    Effects: clears an earlier refusal, and makes the copies due that waited for it; or notes a refusal.
    """
    try:
        is_accepted = current_edge().tokens().prove(athlete.athlete_id)
    except NotConnected:
        return False
    except CipherError:
        raise
    except IngestError as err:
        current_app.logger.warning(
            "Whether Strava accepts the tokens of athlete %s is not known: %s", athlete.athlete_id, err
        )
        return True
    if is_accepted and athlete.status is AthleteStatus.NEEDS_REAUTH:
        access_given(athlete.athlete_id)
    return is_accepted


def _missing_scope(flow: OAuthFlow, granted: frozenset[str]) -> Problem | None:
    """The problem of a scope that the flow needs and these lack; None if they suffice."""
    if flow.invite_id and ACTIVITY_WRITE not in granted:
        return UPLOAD_NOT_ALLOWED
    # Without reading, an account is useful only as a target of copies.
    if not flow.is_sign_in and not granted & {ACTIVITY_READ, ACTIVITY_WRITE}:
        return SCOPE_MISSING
    return None
