"""The answer to every error, for browsers and for Strava: what happened and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, current_app, g, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed, ServiceUnavailable

from include import errors


@dataclass(frozen=True, slots=True)
class Problem:
    """A page that says what happened and what the reader can do about it."""

    status: int
    title: str
    advice: str
    start_again: bool = False
    """Whether the page offers the way back to the start."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """The button on the page of a problem."""

    address: str
    label: str
    to_strava: bool = False
    """Whether it leads to Strava's consent page, for which Strava has a button of its own."""


ACCESS_DENIED = Problem(
    403,
    "Nothing was connected",
    "You chose not to allow access on Strava's page, so nothing was read, stored or changed. "
    "If you did not mean to, start again and choose Authorize.",
    start_again=True,
)
INVITATION_NOT_ACCEPTED = Problem(
    403,
    "The invitation was not accepted",
    "You chose not to allow access on Strava's page, so nothing was read, stored or changed. "
    "The invitation still works: if you did not mean to, open it again and choose Authorize on Strava's page.",
)
UNTICKED = Problem(
    403,
    "A permission is missing",
    "The invitation was not accepted, and nothing has changed. On Strava's page you unticked a permission that you had "
    "given before. Open the invitation again and leave everything ticked. You can change what you allow on your own "
    "page at any time.",
)
NOT_UNDONE = Problem(
    409,
    "This can no longer be undone",
    "Nothing was changed. A decision can be undone for a day, by whoever made it, while both athletes are connected "
    "and the parent is below the limits of links and invitations. To start afresh, send a new invitation.",
)
PROPOSAL_REPLACED = Problem(
    409,
    "This change is no longer as you saw it",
    "Your answer changed nothing: meanwhile the change was replaced, withdrawn or answered. "
    "Your page shows how things stand now.",
)
LINK_CHANGED = Problem(
    409,
    "The link was changed meanwhile",
    "Nothing was saved: names or options are no longer as they were when you opened the form. Open it again and repeat "
    "your changes.",
)
NOT_CONNECTED = Problem(
    403,
    "This account is not connected",
    "The account that you are logged in to on Strava is not connected here. Nothing was stored, and we have given the "
    "access back to Strava. Connect this account first, or log in to Strava with another one.",
    start_again=True,
)
OTHER_ACCOUNT = Problem(
    403,
    "You are logged in to another account on Strava",
    "Nothing was changed: that account is not the one with which you are signed in here. Log in to the same account on "
    "Strava, and try again on your page. To connect the other account, sign out here first.",
)
NOT_CONFIRMED = Problem(
    503,
    "We could not confirm that it is you",
    "What you asked for has not been done yet, because Strava did not answer as it should. We have noted it: your page "
    "shows it, with a button to try again.",
)
STALE_LINK = Problem(
    400,
    "This sign-in link is no longer valid",
    "Nothing was changed. A sign-in link works once, for ten minutes, and only in the browser where it was started. "
    "If you have just been told that you are connected, all is well. Otherwise, start again.",
    start_again=True,
)
OTHER_BROWSER = Problem(
    400,
    "One more step",
    "You have come back from Strava in a different browser than the one where you started, or after more than ten "
    "minutes. Nothing was connected or changed by this. If you have just been told that you are connected, all is "
    "well. Otherwise, go on here.",
)
OPEN_INVITATION_AGAIN = Problem(
    400,
    "One more step",
    "You have come back from Strava in a different browser than the one where you started, or after more than ten "
    "minutes. The invitation is not accepted yet. Open it again in this browser.",
)
FOREIGN_FORM = Problem(
    403,
    "This form can no longer be used",
    "Nothing was changed. You opened the page with this form before you last signed in or out, or more than 30 days "
    "ago. Open the page again and repeat what you did.",
    start_again=True,
)
UPLOAD_NOT_ALLOWED = Problem(
    403,
    "A permission is missing",
    "The invitation was not accepted, because copies have to be uploaded to your account. Open the invitation again, "
    "and leave “Upload your activities from this application” ticked on Strava's page.",
)
SCOPE_MISSING = Problem(
    403,
    "A permission is missing",
    "Nothing was connected. Start again, and on Strava's page leave “View data about your activities” ticked, or "
    "“Upload your activities from this application” if this account is only to receive copies.",
    start_again=True,
)
INVITE_GONE = Problem(
    410,
    "This invitation can no longer be used",
    "An invitation works once, and for a week. If you have just accepted it, all is well, and your page shows it. "
    "Otherwise, ask the person who sent it for a new one.",
)
OWN_INVITE = Problem(
    409,
    "This invitation is your own",
    "Activities cannot be copied to the account they come from. The invitation still works: send its link to the "
    "athlete it is for. If that athlete uses this browser too, sign out here and on Strava first.",
)
ALREADY_LINKED = Problem(
    409,
    "You are already linked",
    "Your account is already linked with the person who sent this invitation, so there is nothing to accept. "
    "Your page shows the link.",
)
_CODE_REFUSED = Problem(
    400,
    "Strava did not accept the sign-in",
    "Nothing was changed. Strava's confirmation had already been used or had expired, which happens when a page is "
    "loaded twice. Start again: it takes a few seconds. If this page comes back, tell the people who run this service.",
    start_again=True,
)
_BEING_ERASED = Problem(
    409,
    "Your data is still being erased",
    "Nothing was connected. You can connect again and start afresh once that is done, usually within a few minutes.",
    start_again=True,
)
_FULL = Problem(
    403,
    "No more athletes can be connected",
    "Nothing was connected. Strava limits how many athletes this service may connect, and that limit is reached. "
    "Please tell the people who run this service. Connecting works again once a place is free.",
)
_INACTIVE = Problem(
    503,
    "Strava has switched this service off",
    "Nothing is wrong with your account. Please tell the people who run this service that Strava reports their "
    "application as inactive.",
)
_STRAVA_SILENT = Problem(
    503,
    "Strava is not answering",
    "Nothing was changed. Wait a few minutes, then start again.",
    start_again=True,
)
_BUSY = Problem(503, "We are busy at the moment", "Nothing was lost. Wait a minute, then try again.", start_again=True)
_STRANGE_ANSWER = Problem(
    502,
    "Strava gave an unexpected answer",
    "Nothing was changed. Try again later. If it happens again, tell the people who run this service.",
    start_again=True,
)
_OUR_FAULT = Problem(
    500, "Something went wrong here", "It is not your fault. Please tell the people who run this service."
)
_BAD_EVENT = Problem(400, "This is not a valid event", "Send an event in the form that Strava documents.")

_BAD_SIGNATURE = Problem(
    403,
    "This event is not signed by Strava",
    "Sign it with the configured key, and send it within five minutes.",
)

_NO_LONGER_THERE = Problem(
    404,
    "This is no longer there",
    "Nothing was changed. It has ended, or was removed, since you opened the page that led here. "
    "Your page shows how things stand now.",
)

_BY_ERROR: Mapping[type[errors.IngestError], Problem] = {
    errors.IngestError: _OUR_FAULT,
    errors.RetryLater: _BUSY,
    errors.VersionConflict: _BUSY,
    errors.StravaUnavailable: _STRAVA_SILENT,
    errors.QuotaSpent: _STRAVA_SILENT,
    errors.ScopeMissing: SCOPE_MISSING,
    errors.CapacityReached: _FULL,
    errors.BeingErased: _BEING_ERASED,
    errors.ApplicationInactive: _INACTIVE,
    errors.BadRequest: _CODE_REFUSED,
    errors.TokenRefused: _CODE_REFUSED,
    errors.UnexpectedShape: _STRANGE_ANSWER,
    errors.BadEvent: _BAD_EVENT,
    errors.BadSignature: _BAD_SIGNATURE,
}

_BY_STATUS: Mapping[int, Problem] = {
    404: Problem(404, "There is no such page", "Check the address, or go to the start page.", start_again=True),
    405: Problem(
        405, "This page cannot be used that way", "Nothing was changed. Go to the start page.", start_again=True
    ),
    413: Problem(
        413, "That is too long", "Nothing was changed. Send at most 8 KB: go back and shorten what you entered."
    ),
    503: _BUSY,
}


def register(app: Flask) -> None:
    """Make `app` answer every error with its problem: JSON to machines, a page to browsers."""
    app.register_error_handler(errors.IngestError, _answer_ingest_error)
    app.register_error_handler(HTTPException, _answer_http_error)


def route() -> str:
    """The route of the present request, with `<secret>` where its path has one."""
    return request.url_rule.rule if request.url_rule else "(no route)"


def problem_page(problem: Problem, next_step: NextStep | None = None) -> ResponseReturnValue:
    """The problem as a page with its status, and a button for the next step.

    By default that is `g.next_step`, which pages of an invitation set to lead back to it; there may be none.
    """
    return render_template("problem.html", problem=problem, next_step=next_step or g.get("next_step")), problem.status


def to_own_page() -> NextStep:
    """The button to the signed-in athlete's own page."""
    return NextStep(url_for("me.show"), "Go to your page")


def problem_of(err: errors.IngestError) -> Problem:
    """The problem for `err`: that of its own class, or of the nearest class above."""
    return next(_BY_ERROR[cls] for cls in type(err).__mro__ if cls in _BY_ERROR)


def _answer_ingest_error(err: errors.IngestError) -> ResponseReturnValue:
    problem = problem_of(err)
    if problem.status >= 500:
        current_app.logger.error("%s %s failed", request.method, route(), exc_info=err)
    else:
        current_app.logger.warning("%s %s refused: %s", request.method, route(), err)
    # Only a bad event gets the error's own message, for its sender; a browser needs advice instead.
    return _answer(problem, str(err) if isinstance(err, errors.BadEvent) else problem.title)


def _answer_http_error(err: HTTPException) -> ResponseReturnValue:
    status = err.code or 500
    if status < 400:
        return err.get_response()
    problem = _BY_STATUS.get(status) or Problem(status, err.name, _OUR_FAULT.advice if status >= 500 else err.name)
    if status == 404 and g.get("athlete"):  # of an own page: a link, an invitation, a copy
        problem = _NO_LONGER_THERE
    answer = make_response(_answer(problem, err.name))
    if isinstance(err, MethodNotAllowed):
        answer.allow.update(err.valid_methods or ())
    if isinstance(err, ServiceUnavailable):
        answer.retry_after = err.retry_after
    return answer


def _answer(problem: Problem, reason: str) -> ResponseReturnValue:
    if request.path.startswith(("/webhook/", "/health")):
        return jsonify(error=reason), problem.status
    return problem_page(problem)
