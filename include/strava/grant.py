"""A token pair in the answer of Strava's token endpoint, and the answer's doubtful parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from include.errors import UnexpectedShape
from include.strava.models import Athlete
from include.strava.quota import MOST_SKEW_S
from include.strava.scopes import parse_scopes

NEWCOMER = "the athlete who came back from Strava"
"""The name in messages of an athlete whose id is known only after the code exchange."""

_TOKEN = re.compile(r"[!-~]{1,2000}")
"""The longest token that fits into a header; Strava's own have 40 characters."""

_LEAST_S, _MOST_S = 600, 86_400
"""The bounds of a plausible lifetime. Strava documents 21,600 s, and refreshes a token with less than 3,600 s left."""

DOUBTED_S = 3600
"""How long a token with an implausible lifetime is used, unless Strava refuses it earlier."""


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """A token pair in the answer of the token endpoint; `athlete` only after a code exchange.

    `scopes` is what the pair may be used for, None where the answer does not say.
    Source: `scope` in the answer since 2026-04-23, by Strava's changelog.
    """

    access_token: str = field(repr=False)
    """Empty where the answer has none."""
    refresh_token: str = field(repr=False)
    expires_at_epoch_s: int
    athlete: Athlete | None = None
    scopes: frozenset[str] | None = None
    doubts: tuple[str, ...] = ()
    """The implausible parts of the answer; if there are any, the replaced pair is kept too."""

    @classmethod
    def parse(cls, answer: Mapping[str, Any], received_at_epoch_s: float) -> TokenGrant:
        """The pair in `answer`; a refresh token is enough, since it may be the only one that still works.

        Errors: `UnexpectedShape` without a refresh token, never quoting a token.
        """
        athlete, scope = answer.get("athlete"), answer.get("scope")
        access_token, refresh_token = _token(answer, "access_token"), _token(answer, "refresh_token")
        expires_at = _expiry(answer, received_at_epoch_s)
        if not refresh_token:
            raise UnexpectedShape("token: 'refresh_token' is missing or is not a token")
        doubts = {
            "no access token": not access_token,
            "one token for both": access_token == refresh_token,
            "the time when it expires": expires_at is None,
        }
        used_until = int(received_at_epoch_s) + DOUBTED_S if expires_at is None else expires_at
        return cls(
            access_token=access_token,
            refresh_token=refresh_token,
            expires_at_epoch_s=used_until if access_token else 0,
            athlete=Athlete.parse(athlete) if isinstance(athlete, Mapping) else None,
            scopes=parse_scopes(scope) if isinstance(scope, str) and scope else None,
            doubts=tuple(doubt for doubt, is_raised in doubts.items() if is_raised),
        )


def _token(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) and _TOKEN.fullmatch(value) else ""


def _expiry(answer: Mapping[str, Any], now_epoch_s: float) -> int | None:
    """When the access token expires; None where the answer has no plausible time."""
    expires_at, expires_in_s = answer.get("expires_at"), answer.get("expires_in")
    if type(expires_at) is not int or not _LEAST_S <= expires_at - now_epoch_s <= _MOST_S:
        return None
    remaining_s = expires_at - now_epoch_s
    if expires_in_s is not None and (type(expires_in_s) is not int or abs(remaining_s - expires_in_s) > MOST_SKEW_S):
        return None
    return expires_at
