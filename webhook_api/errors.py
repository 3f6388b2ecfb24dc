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
class WayOn:
    """A button that leads on from a problem."""

    address: str
    label: str
    to_strava: bool = False
    """Whether it leads to Strava's consent page, for which Strava has a button of its own."""


ACCESS_DENIED = Problem(
    403,
    "Nothing was connected",
    "You chose not to allow access on Strava's page, so nothing was read, stored or changed. "
    "If that was not meant, start again and choose Authorize.",
    start_again=True,
)
INVITATION_NOT_ACCEPTED = Problem(
    403,
    "The invitation was not accepted",
    "You chose not to allow access on Strava's page, so nothing was read, stored or changed. "
    "The invitation is still good: if that was not meant, open it again and choose Authorize at Strava.",
)
UNTICKED = Problem(
    403,
    "A permission is missing",
    "The invitation was not accepted, and nothing has changed. On Strava's page a permission was unticked that you had "
    "given before. Open the invitation again and leave everything ticked; what you allow you can change on your own "
    "page at any time.",
)
NOT_UNDONE = Problem(
    409,
    "This cannot be undone any more",
    "Nothing was changed. A decision can be undone for a day, by whoever made it, while both athletes are connected "
    "and the parent has not made as many other links or invitations as there can be. A new invitation starts afresh.",
)
PROPOSAL_REPLACED = Problem(
    409,
    "This change is no longer as you saw it",
    "Nothing was changed by this. The change was replaced, withdrawn or answered meanwhile; "
    "your page shows how things stand.",
)
NOT_CONNECTED = Problem(
    403,
    "This account is not connected",
    "You are logged in at Strava with an account that is not connected here. Nothing was stored, and Strava was told "
    "that this application needs no access. Connect the account first, or log in at Strava with another one.",
    start_again=True,
)
OTHER_ACCOUNT = Problem(
    403,
    "Another account is logged in at Strava",
    "Nothing was changed: at Strava you are logged in with another account than the one with which you are signed in "
    "here. Log in there with the same one, and try again on your page. To connect the other one, sign out here first.",
)
NOT_CONFIRMED = Problem(
    503,
    "We could not confirm that it is you",
    "What you asked for is not done yet, because Strava did not answer as it should. It is noted: your page shows it, "
    "with a button to try again.",
)
STALE_LINK = Problem(
    400,
    "This sign-in link is no longer valid",
    "Such a link works once, for ten minutes, and only in the browser in which it was started. "
    "If you have just seen that you are connected, all is well; otherwise start again.",
    start_again=True,
)
OTHER_BROWSER = Problem(
    400,
    "One more step",
    "You have come back from Strava in another browser than the one in which you started, or after ten minutes. "
    "Nothing was connected or changed. If you have just seen that you are connected, all is well; "
    "otherwise go on here.",
)
OPEN_INVITATION_AGAIN = Problem(
    400,
    "One more step",
    "You have come back from Strava in another browser than the one in which you started, or after ten minutes. "
    "The invitation was not accepted by this. Open it again, in this browser.",
)
FOREIGN_FORM = Problem(
    403,
    "This form can no longer be used",
    "Nothing was changed. The page with the form was opened before you signed in or out, or more than 30 days ago. "
    "Open the page again and repeat what you did.",
    start_again=True,
)
UPLOAD_NOT_ALLOWED = Problem(
    403,
    "A permission is missing",
    "The invitation was not accepted. Open its link again, and on Strava's page please leave "
    "“Upload your activities from this application” ticked: the copies are uploaded to your account.",
)
SCOPE_MISSING = Problem(
    403,
    "A permission is missing",
    "Nothing was connected. On Strava's page please leave “View data about your activities” ticked, "
    "or “Upload your activities from this application” if this account shall only receive copies.",
    start_again=True,
)
INVITE_GONE = Problem(
    410,
    "This invitation can no longer be used",
    "An invitation works once, and for a week. If you have just accepted it, all is well: your page shows it; "
    "otherwise ask the person who sent it for a new one.",
)
OWN_INVITE = Problem(
    409,
    "This invitation is your own",
    "Copies go to another account than the one they come from. The invitation is still good: "
    "send its link to the athlete it is for. If you share this browser, sign out here and at Strava first.",
)
ALREADY_LINKED = Problem(
    409,
    "You are linked already",
    "Your account has a link with the person who sent this invitation, so there is nothing to accept. "
    "Your own page shows it.",
)
_CODE_REFUSED = Problem(
    400,
    "Strava did not accept the sign-in",
    "Strava's confirmation was used before or has expired; that happens when a page is loaded twice. "
    "Start again, it takes a few seconds; if this page comes back, tell the person who runs this service.",
    start_again=True,
)
_BEING_ERASED = Problem(
    409,
    "Your data is still being erased",
    "Nothing was connected. You can connect again and start afresh when that is done, usually within minutes.",
    start_again=True,
)
_FULL = Problem(
    403,
    "No more athletes can be connected",
    "Strava limits how many athletes this application may connect, and that number is reached. "
    "Please tell the person who runs this service; connecting works again when a place is free.",
)
_INACTIVE = Problem(
    503,
    "Strava has switched this application off",
    "This is not about your account and there is nothing for you to do. "
    "Please tell the person who runs this service that Strava reports the application as inactive.",
)
_STRAVA_SILENT = Problem(
    503,
    "Strava does not answer at the moment",
    "Nothing was changed. Wait a few minutes and start again.",
    start_again=True,
)
_BUSY = Problem(
    503, "This does not work at the moment", "Nothing was lost. Wait a minute and try again.", start_again=True
)
_STRANGE_ANSWER = Problem(
    502,
    "Strava gave an unexpected answer",
    "Nothing was changed. Try again later, and tell the person who runs this service if it happens again.",
    start_again=True,
)
_OUR_FAULT = Problem(
    500, "Something is broken here", "It is not your fault. Please tell the person who runs this service."
)
_BAD_EVENT = Problem(400, "This is not a valid event", "Send an event in the form that Strava documents.")

_BAD_SIGNATURE = Problem(
    403,
    "This event is not signed by Strava",
    "Sign it with the configured key, and send it within five minutes.",
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
    405: Problem(405, "This page cannot be used that way", "Go to the start page.", start_again=True),
    413: Problem(413, "That is too large", "At most 8 KB are accepted here."),
    503: _BUSY,
}


def register(app: Flask) -> None:
    """Make `app` answer every error with its problem: JSON to machines, a page to browsers."""
    app.register_error_handler(errors.IngestError, _answer_ingest_error)
    app.register_error_handler(HTTPException, _answer_http_error)


def route() -> str:
    """The route of the present request, with `<secret>` where its path has one."""
    return request.url_rule.rule if request.url_rule else "(no route)"


def problem_page(problem: Problem, way_on: WayOn | None = None) -> ResponseReturnValue:
    """The problem as a page with its status, and the button that leads on.

    Without `way_on` that is `g.way_on`: where the request belongs to a walk, it leads back into it.
    """
    return render_template("problem.html", problem=problem, way_on=way_on or g.get("way_on")), problem.status


def to_own_page() -> WayOn:
    """The way to the own page of whoever is signed in."""
    return WayOn(url_for("me.show"), "Go to your page")


def problem_of(err: errors.IngestError) -> Problem:
    """The problem for `err`: that of its own class, or of the nearest class above."""
    return next(_BY_ERROR[cls] for cls in type(err).__mro__ if cls in _BY_ERROR)


def _answer_ingest_error(err: errors.IngestError) -> ResponseReturnValue:
    problem = problem_of(err)
    if problem.status >= 500:
        current_app.logger.error("%s %s failed", request.method, route(), exc_info=err)
    else:
        current_app.logger.warning("%s %s refused: %s", request.method, route(), err)
    # Only a bad event shows the error's own message, for whoever sent it; a browser needs advice instead.
    return _answer(problem, str(err) if isinstance(err, errors.BadEvent) else problem.title)


def _answer_http_error(err: HTTPException) -> ResponseReturnValue:
    status = err.code or 500
    if status < 400:
        return err.get_response()
    problem = _BY_STATUS.get(status) or Problem(status, err.name, _OUR_FAULT.advice if status >= 500 else err.name)
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
