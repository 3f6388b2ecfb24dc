"""The applications that are registered with Strava."""

from __future__ import annotations

import hmac
import sqlite3
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local.strava_simulator.api import answers

_ALWAYS_ALLOWED = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Application:
    """An application as its owner registered it at strava.com/settings/api.

    `athlete_capacity` is how many athletes may be connected at once.
    """

    client_id: int = 10_001
    client_secret: str = field(default="simulated-secret-of-10001", repr=False)
    callback_domain: str = "localhost"
    athlete_capacity: int = 10

    def may_redirect_to(self, uri: str) -> bool:
        """Whether `uri` lies in the application's callback domain, or on this machine."""
        try:
            parts = urlsplit(uri)
            host = parts.hostname or ""
        except ValueError:
            return False
        inside = host == self.callback_domain or host.endswith(f".{self.callback_domain}")
        return parts.scheme in ("http", "https") and (inside or host in _ALWAYS_ALLOWED)


def register(db: sqlite3.Connection, application: Application) -> None:
    """Register the application, or update it; its faults stay."""
    db.execute(
        "INSERT INTO applications (client_id, client_secret, callback_domain, athlete_capacity) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET client_secret = excluded.client_secret,"
        " callback_domain = excluded.callback_domain, athlete_capacity = excluded.athlete_capacity",
        (
            application.client_id,
            application.client_secret,
            application.callback_domain,
            application.athlete_capacity,
        ),
    )


def identify(db: sqlite3.Connection, client_id: str | None) -> Application:
    """The application with this id.

    Errors: Refusal 400 when there is none.
    """
    row = None
    if client_id is not None and client_id.isascii() and client_id.isdigit() and len(client_id) < 19:
        row = db.execute("SELECT * FROM applications WHERE client_id = ?", (int(client_id),)).fetchone()
    if row is None:
        raise answers.bad_request("Application", "client_id")
    return Application(row["client_id"], row["client_secret"], row["callback_domain"], row["athlete_capacity"])


def authenticate(db: sqlite3.Connection, client_id: str | None, client_secret: str | None) -> Application:
    """The application with this id and secret.

    Errors: Refusal 400 for an unknown id, 401 for a wrong secret.
    """
    application = identify(db, client_id)
    if not hmac.compare_digest((client_secret or "").encode(), application.client_secret.encode()):
        raise answers.wrong_secret()
    return application
