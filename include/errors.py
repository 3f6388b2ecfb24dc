"""Every error the domain raises on purpose, as one tree.

`include.strava.http.classify` maps Strava's responses to these classes; `strava_airflow.retry_policy` maps a class to
Airflow's behaviour, and `webhook_api.errors` to a page. No other module maps them.

Every message says what happened, to whom, and what to do next. No message holds a token.
"""

from __future__ import annotations


class IngestError(Exception):
    """Base of every error raised on purpose."""

    retry_after_s: float = 0.0
    """How long the server asks to wait before the next try, within bounds; 0 if it does not ask."""


class SettingsError(IngestError):
    """A setting is missing or malformed; the message names the variable and shows an example."""


# --- state ---------------------------------------------------------------------------------------


class VersionConflict(IngestError):
    """A conditional write found another version than the one expected: read again and decide again."""


class CeilingReached(IngestError):
    """An atomic `add` was refused whole because one counter would pass its ceiling."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class LeaseLost(IngestError):
    """The lease on a row ran out and another worker holds it: stop, write nothing more."""


class ObjectConflict(IngestError):
    """A conditional object write found another etag than the one expected: read again and retry."""


class CipherError(IngestError):
    """A ciphertext does not open: other context, changed text, or its key is no longer in the key file."""


# --- retry later ---------------------------------------------------------------------------------


class RetryLater(IngestError):
    """A temporary fault (5xx, timeout, refused connection, throttle): the same call may succeed later."""

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StravaUnavailable(RetryLater):
    """Strava answered 5xx, timed out or could not be reached."""


class NotTheApi(StravaUnavailable):
    """The answer is not from Strava's API (but a proxy's, a web page, cut off), or the base URL is wrong."""


class TokenEndpointFault(StravaUnavailable):
    """Strava's token endpoint failed, which says nothing about an athlete, activity or upload."""


class NotProved(RetryLater):
    """It is not proved yet that Strava's API answers at the configured base URL: nothing is removed meanwhile."""


class AskedTooSoon(RetryLater):
    """A child has said no to a change of a link not long ago: it is asked for another one in some days."""


class OutcomeUnknown(RetryLater):
    """A call that is not idempotent broke off midway: ask Strava before sending it again."""


class MailPostponed(RetryLater):
    """The server takes mails, but none to this address at the moment."""


class TriggerUnavailable(RetryLater):
    """Airflow's API was throttled, failing or out of reach; the message stays in the queue."""


class NewerVersion(RetryLater):
    """A row has a value that only a newer version of this software knows: it stays unchanged for that version."""


class QuotaSpent(IngestError):
    """The shared call budget is spent until `until_epoch_s`; step aside, do not sleep."""

    def __init__(self, message: str, *, until_epoch_s: float) -> None:
        super().__init__(message)
        self.until_epoch_s = until_epoch_s


# --- permanent -----------------------------------------------------------------------------------


class Refused(IngestError):
    """Strava or Airflow refused the call for good; repeating it changes nothing."""


class TokenRefused(Refused):
    """Strava no longer accepts the athlete's tokens: the athlete has to connect again."""


class NotConnected(Refused):
    """The athlete has no usable tokens here: never connected, disconnected, or needs to connect again."""


class BeingErased(Refused):
    """Everything of the athlete is being erased: connecting again works when that is done."""


class ScopeMissing(Refused):
    """The athlete did not grant `scope`: ask the athlete to connect again and tick it."""

    def __init__(self, message: str, *, scope: str) -> None:
        super().__init__(message)
        self.scope = scope


class ApplicationInactive(Refused):
    """Strava has deactivated the application (its owner has no subscription): no athlete's fault."""


class CapacityReached(Refused):
    """The application may connect no further athletes."""


class Gone(Refused):
    """The resource's own route says 404 in the API's own form: deleted, hidden from this token, or not there yet."""


class BadRequest(Refused):
    """Strava rejects the request itself (400 and other 4xx): a defect or a hostile value."""


class UnexpectedShape(Refused):
    """An answer is not what the API documents; names the path and status, never the token."""

    answer: bytes | None = None
    """The whole answer where it is one about an activity, for the raw zone; no message quotes it."""


class WrongInstallation(Refused):
    """The configured base URL or credentials do not lead to Strava's API for this application."""


class RemovalsStopped(Refused):
    """So many of an athlete's activities are gone at Strava that an operator has to confirm it; nothing was removed."""


class NotSubscribed(Refused):
    """No webhook subscription at Strava sends events to this application: create it again."""


class BadEvent(Refused):
    """A webhook body is not a valid Strava event."""


class BadSignature(Refused):
    """A webhook's signature is missing, wrong or stale, although a signing key is configured."""


class WorkBroken(Refused):
    """A defect of this software broke the work on the task's keys that the message names; the others are done."""


class BadKey(Refused):
    """A key leaves the lake's tree, or belongs to another table or athlete: a defect; nothing is written."""


class BadQuery(Refused):
    """A lake query is not one valid SELECT statement, or reaches outside the lake; the message quotes the reason."""


class MailRefused(Refused):
    """An address takes no mail, now or later."""


class TriggerRefused(Refused):
    """Airflow refuses this run's own conf or id: dead-letter it."""
