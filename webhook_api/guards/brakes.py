"""Ceilings that keep one client or one athlete from using up what all share; each refusal says when to try again."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import ceil

from flask import make_response, request
from flask.typing import ResponseReturnValue

from include.linking.ceilings import CHILDREN, OPEN_INVITATIONS
from webhook_api.edge import current_edge
from webhook_api.errors import NextStep, Problem, problem_page

SIGN_INS_AN_HOUR = 60
"""How often a client may come back from Strava in an hour: each time costs a call to Strava."""
MAILS_AN_HOUR = 5
"""How many mails an hour one athlete can have sent to confirm an address, which may be anybody's."""
TRY_EVERY_S = 60
"""How long a copy that was just worked on cannot be tried again."""

_V6_SITE = 64
"""The leading bits of an IPv6 address that one household shares."""


def refuse_client() -> ResponseReturnValue | None:
    """Count one more sign-in of the present request's client; the page that refuses it where there were too many.

    The address itself is stored nowhere: only its hash under the cookie key, for the rest of the hour.
    """
    address, edge = client_address(), current_edge()
    if not address:
        return None
    key = edge.settings.cookie_keys[-1].encode()
    client = hmac.new(key, f"client {address}".encode(), hashlib.sha256).hexdigest()
    brakes = edge.state.brakes
    return None if brakes.count(client, most=SIGN_INS_AN_HOUR) else refusal(TOO_MANY_SIGN_INS, brakes.resets_in_s())


def refusal(problem: Problem, wait_s: float, next_step: NextStep | None = None) -> ResponseReturnValue:
    """The problem's page, which says in words and for programs when to try again."""
    answer = make_response(problem_page(replace(problem, advice=f"{problem.advice} {_in_words(wait_s)}"), next_step))
    answer.headers["Retry-After"] = str(max(1, ceil(wait_s)))
    return answer


def client_address() -> str:
    """Who is at the other end, for IPv6 the household's network; empty for this machine itself.

    A proxy on this machine appends the address that it saw to `X-Forwarded-For`; what stands before that anybody may
    have written. From elsewhere the header does not count.
    """
    nearest = _parsed(request.remote_addr or "")
    if nearest is not None and nearest.is_loopback:
        nearest = _parsed(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip())
    if nearest is None or nearest.is_loopback:
        return ""
    return str(ip_network((nearest, _V6_SITE), strict=False)) if nearest.version == 6 else str(nearest)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _in_words(wait_s: float) -> str:
    minutes = max(1, ceil(wait_s / 60))
    if minutes >= 2 * 24 * 60:
        return f"Try again in {ceil(minutes / (24 * 60))} days."
    if minutes >= 120:
        return f"Try again in {ceil(minutes / 60)} hours."
    return "Try again in a minute." if minutes == 1 else f"Try again in {minutes} minutes."


TOO_MANY_SIGN_INS = Problem(
    429,
    "Too many sign-ins from here",
    "Nothing was changed. Somebody on your network has signed in or connected so often that you have to wait.",
    start_again=True,
)
TOO_MANY_INVITATIONS = Problem(
    429,
    "Too many open invitations",
    f"Nothing was created. You have {OPEN_INVITATIONS} open invitations, which is the limit. Withdraw one that you no "
    "longer need, or wait until one is accepted or expires.",
)
TOO_MANY_CHILDREN = Problem(
    409,
    "No more children can be linked",
    f"Nothing was changed. {CHILDREN} children are already linked with this account, which is the limit. One of them "
    "has to be removed before another can be added.",
)
TOO_MANY_MAILS = Problem(
    429,
    "We have sent you too many emails",
    f"Nothing was changed. To confirm an address, we send at most {MAILS_AN_HOUR} emails an hour. Look for the last "
    "one, in your spam folder too.",
)
ASKED_TOO_SOON = Problem(
    429,
    "It is too soon to ask again",
    "Nothing was changed. Less than a week ago, the other side said no to a change of this link. You can save what "
    "copies less than was agreed; about anything more, talk to each other first.",
)
JUST_TRIED = Problem(429, "This copy was tried a moment ago", "Nothing was changed by this.")
