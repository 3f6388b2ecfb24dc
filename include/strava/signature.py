"""Checks Strava's signature of webhook events against the configured key."""

from __future__ import annotations

import hashlib
import hmac
import re

from include.errors import BadSignature

HEADER = "X-Strava-Signature"

TOLERANCE_S = 300
"""How far the time in a signature may be from our clock, in either direction; an event that is older is a replay."""

_TIME = re.compile(r"[0-9]{1,12}")


def check(header: str | None, body: bytes, *, key: str, now_epoch_s: float) -> None:
    """Return if `header` signs exactly this body with `key`, and recently; compares in constant time.

    Shape: `t=<unix seconds>,v1=<hex>`, where `v1` is the HMAC-SHA256 over `<t>.<body>`; other elements are ignored.
    Errors: `BadSignature` for a header that is missing, malformed, wrong or stale.
    Source: https://developers.strava.com/docs/webhooks/, 2026; where the key comes from is undocumented.
    """
    if header is None:
        raise BadSignature(
            f"The event has no {HEADER}. If Strava does not sign this application's events, unset WEBHOOK_SIGNING_KEY."
        )
    elements = dict(element.strip().partition("=")[::2] for element in header.split(","))
    signed_at, given = elements.get("t", ""), elements.get("v1", "")
    if not _TIME.fullmatch(signed_at) or not given:
        raise BadSignature(f"The event's {HEADER} is not of the form t=<seconds>,v1=<hex>.")
    if not hmac.compare_digest(given.encode(errors="replace"), _digest(signed_at, body, key).encode()):
        raise BadSignature(
            f"The event's {HEADER} is wrong: a forgery, or WEBHOOK_SIGNING_KEY is not the key that Strava signs with."
        )
    if abs(now_epoch_s - int(signed_at)) > TOLERANCE_S:
        raise BadSignature(
            f"The event's {HEADER} is more than {TOLERANCE_S} s off our clock: a replay, or our clock is wrong."
        )


def _digest(signed_at: str, body: bytes, key: str) -> str:
    return hmac.new(key.encode(), signed_at.encode() + b"." + body, hashlib.sha256).hexdigest()
