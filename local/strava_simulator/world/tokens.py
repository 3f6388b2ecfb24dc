"""Authorization codes and token pairs: issued, rotated, revoked.

Source: https://developers.strava.com/docs/authentication/ (2026) and recorded token answers.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from local.strava_simulator.api import answers
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.simulation import OlderPair

ACCESS_LIFE_S = 21_600
RENEWAL_S = 3600
"""A refresh returns the same pair while its access token is valid for longer than this."""
CODE_LIFE_S = 300

SCOPES = (
    "read",
    "read_all",
    "profile:read_all",
    "profile:write",
    "activity:read",
    "activity:read_all",
    "activity:write",
)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and its refresh token."""

    athlete_id: int
    scopes: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of the API: an application on behalf of an athlete who granted it these scopes."""

    client_id: int
    athlete_id: int
    scopes: frozenset[str]

    @property
    def may_see_only_me(self) -> bool:
        """Whether activities that only their athlete sees are shown."""
        return "activity:read_all" in self.scopes

    def require(self, permission: str, *scopes: str) -> None:
        """Return if one of the scopes was granted.

        Errors: Refusal 401 that names `permission`.
        """
        if self.scopes.isdisjoint(scopes):
            raise answers.scope_missing(permission)


def join_scopes(scopes: Iterable[str]) -> str:
    """The scopes in Strava's order, separated by commas."""
    granted = set(scopes)
    return ",".join(scope for scope in SCOPES if scope in granted)


def write_code(db: sqlite3.Connection, client_id: int, athlete_id: int, scopes: str, *, now_epoch_s: float) -> str:
    """A new authorization code, valid for one exchange within five minutes."""
    code = secrets.token_hex(20)
    db.execute(
        "INSERT INTO codes VALUES (?, ?, ?, ?, ?)", (code, client_id, athlete_id, scopes, now_epoch_s + CODE_LIFE_S)
    )
    return code


def check_capacity(db: sqlite3.Connection, application: Application, athlete_id: int) -> None:
    """Return if the application may connect the athlete.

    Errors: Refusal 403 when its capacity is exhausted by other athletes.
    """
    others = db.execute(
        "SELECT COUNT(*) AS count FROM grants WHERE client_id = ? AND athlete_id <> ?",
        (application.client_id, athlete_id),
    ).fetchone()["count"]
    if others >= application.athlete_capacity:
        raise answers.capacity_reached()


def exchange(
    db: sqlite3.Connection, application: Application, code: str, *, older_pair: OlderPair, now_epoch_s: float
) -> TokenPair:
    """The first pair for a code, which is used up; `older_pair` decides what happens to the athlete's older pairs.

    Errors: Refusal 400 for a code that is unknown, used, expired or another application's; 403 without capacity.
    """
    row = db.execute(
        "DELETE FROM codes WHERE code = ? AND client_id = ? AND expires_at > ? RETURNING athlete_id, scopes",
        (code, application.client_id, now_epoch_s),
    ).fetchone()
    if row is None:
        raise answers.bad_request("AuthorizationCode", "code")
    client_id, athlete_id, scopes = application.client_id, int(row["athlete_id"]), str(row["scopes"])
    check_capacity(db, application, athlete_id)
    if older_pair is OlderPair.DIES:
        _end_pairs(db, client_id, athlete_id, now_epoch_s=now_epoch_s)
    pair = _issue(db, client_id, athlete_id, scopes, now_epoch_s=now_epoch_s)
    db.execute(
        "INSERT INTO grants VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET scopes = excluded.scopes",
        (client_id, athlete_id, _living_scopes(db, client_id, athlete_id)),
    )
    return pair


def refresh(db: sqlite3.Connection, application: Application, refresh_token: str, *, now_epoch_s: float) -> TokenPair:
    """The present pair: the same one while it is valid for more than an hour, else a new one.

    With a new pair the old refresh token is invalid at once; the old access token stays valid until it expires.

    Errors: Refusal 400 for a refresh token that is unknown, rotated, revoked or another application's.
    """
    row = db.execute(
        "SELECT * FROM token_pairs WHERE refresh_token = ? AND client_id = ? AND refresh_ended_at IS NULL",
        (refresh_token, application.client_id),
    ).fetchone()
    if row is None:
        raise answers.bad_request("RefreshToken", "refresh_token")
    if row["expires_at"] - now_epoch_s > RENEWAL_S:
        return TokenPair(row["athlete_id"], row["scopes"], row["access_token"], row["refresh_token"], row["expires_at"])
    db.execute("UPDATE token_pairs SET refresh_ended_at = ? WHERE pair_id = ?", (now_epoch_s, row["pair_id"]))
    return _issue(db, application.client_id, row["athlete_id"], row["scopes"], now_epoch_s=now_epoch_s)


def caller_of(db: sqlite3.Connection, access_token: str, *, now_epoch_s: float) -> Caller | None:
    """The caller with this access token; None when it is unknown, expired or revoked."""
    row = db.execute(
        "SELECT * FROM token_pairs WHERE access_token = ? AND access_ended_at IS NULL AND expires_at > ?",
        (access_token, now_epoch_s),
    ).fetchone()
    if row is None:
        return None
    return Caller(row["client_id"], row["athlete_id"], frozenset(row["scopes"].split(",")))


def holder_of(db: sqlite3.Connection, application: Application, token: str, *, now_epoch_s: float) -> int | None:
    """The athlete of a valid access or refresh token; None for any other token."""
    row = db.execute(
        "SELECT athlete_id FROM token_pairs WHERE client_id = ? AND ("
        "(access_token = ? AND access_ended_at IS NULL AND expires_at > ?)"
        " OR (refresh_token = ? AND refresh_ended_at IS NULL))",
        (application.client_id, token, now_epoch_s, token),
    ).fetchone()
    return int(row["athlete_id"]) if row else None


def revoke(db: sqlite3.Connection, client_id: int, athlete_id: int, *, now_epoch_s: float) -> bool:
    """End the athlete's connection and all of its tokens; False when there was none."""
    _end_pairs(db, client_id, athlete_id, now_epoch_s=now_epoch_s)
    db.execute("DELETE FROM codes WHERE client_id = ? AND athlete_id = ?", (client_id, athlete_id))
    ended = db.execute("DELETE FROM grants WHERE client_id = ? AND athlete_id = ?", (client_id, athlete_id))
    return ended.rowcount > 0


def ever_issued(db: sqlite3.Connection) -> list[str]:
    """Every access and refresh token ever issued, valid or not, oldest first."""
    rows = db.execute("SELECT access_token, refresh_token FROM token_pairs ORDER BY pair_id").fetchall()
    return [token for row in rows for token in (row["access_token"], row["refresh_token"])]


def _end_pairs(db: sqlite3.Connection, client_id: int, athlete_id: int, *, now_epoch_s: float) -> None:
    db.execute(
        "UPDATE token_pairs SET access_ended_at = COALESCE(access_ended_at, ?),"
        " refresh_ended_at = COALESCE(refresh_ended_at, ?) WHERE client_id = ? AND athlete_id = ?",
        (now_epoch_s, now_epoch_s, client_id, athlete_id),
    )


def _living_scopes(db: sqlite3.Connection, client_id: int, athlete_id: int) -> str:
    """The scopes of the pairs that the application can still refresh."""
    rows = db.execute(
        "SELECT scopes FROM token_pairs WHERE client_id = ? AND athlete_id = ? AND refresh_ended_at IS NULL",
        (client_id, athlete_id),
    )
    return join_scopes(scope for row in rows for scope in row["scopes"].split(","))


def _issue(db: sqlite3.Connection, client_id: int, athlete_id: int, scopes: str, *, now_epoch_s: float) -> TokenPair:
    pair = TokenPair(athlete_id, scopes, secrets.token_hex(20), secrets.token_hex(20), int(now_epoch_s) + ACCESS_LIFE_S)
    db.execute(
        "INSERT INTO token_pairs (client_id, athlete_id, scopes, access_token, refresh_token, issued_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (client_id, athlete_id, scopes, pair.access_token, pair.refresh_token, now_epoch_s, pair.expires_at),
    )
    return pair
