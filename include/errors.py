"""Every error the domain raises on purpose, as one tree.

`include.strava.http.classify` decides which Strava answer becomes which class; `strava_airflow.retry_policy`
maps a class to what Airflow does, `webhook_api.errors` to what a browser sees. Nothing else decides.

Every message says what happened, to whom, and what to do next. No message holds a token.
"""

from __future__ import annotations


class IngestError(Exception):
    """Base of every error raised on purpose."""

    retry_after_s: float = 0.0
    """How long the other side asks to wait before the next try, within bounds; 0 where it does not."""


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
    """Something else than Strava's API answered (a proxy, a page, half an answer), or the base URL is wrong."""


class TokenEndpointFault(StravaUnavailable):
    """Strava's token endpoint did not do its work: says nothing of any athlete, activity or upload."""


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
    """A row is in a state that only a newer version of this software knows: it is left to that, and read by it."""


class QuotaSpent(IngestError):
    """The shared call budget is spent until `until_epoch_s`; step aside, do not sleep."""

    def __init__(self, message: str, *, until_epoch_s: float) -> None:
        super().__init__(message)
        self.until_epoch_s = until_epoch_s


# --- will not get better by itself ---------------------------------------------------------------


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
    """Strava switched the whole application off (owner's subscription): an outage of the app, no athlete's fault."""


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
    """What answers at the configured base URL, or to the configured credentials, is not Strava's API for this app."""


class RemovalsStopped(Refused):
    """More of an athlete's activities are gone at Strava than goes without asking the operator; nothing was removed."""


class NotSubscribed(Refused):
    """Strava sends this application no events although it should: create the webhook subscription again."""


class BadEvent(Refused):
    """A webhook body is not a valid Strava event."""


class BadSignature(Refused):
    """A webhook's signature is missing, wrong or stale, although a signing key is configured."""


class WorkBroken(Refused):
    """A defect of ours broke the work on some of a task's keys, which the message names; the others are done."""


class BadKey(Refused):
    """A key leaves the lake's tree, or belongs to another table or athlete: a defect; nothing is written."""


class BadQuery(Refused):
    """A lake query is not one valid SELECT statement, or reaches outside the lake; the message quotes the reason."""


class MailRefused(Refused):
    """An address takes no mail, now or later."""


class TriggerRefused(Refused):
    """Airflow refuses this run's own conf or id: dead-letter it."""
