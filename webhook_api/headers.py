"""The security headers of every answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from webhook_api.edge import current_edge


def register(app: Flask) -> None:
    """Make `app` send the security headers with every answer, error pages included."""
    app.after_request(_secure)


def _secure(answer: Response) -> Response:
    settings = current_edge().settings
    answer.headers["Content-Security-Policy"] = content_security_policy(settings.strava_oauth_url)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    if settings.public_url.startswith("https://"):
        answer.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static":
        answer.headers["Cache-Control"] = "no-store"
    return answer


def content_security_policy(strava_oauth_url: str) -> str:
    """The policy: only our own stylesheet and images, no frames; forms may post here or to Strava.

    The start page's form is redirected to Strava, and browsers apply `form-action` to the redirect as well.
    """
    strava = urlsplit(strava_oauth_url)
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            f"form-action 'self' {strava.scheme}://{strava.netloc}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
