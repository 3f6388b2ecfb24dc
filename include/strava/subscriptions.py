"""The application's one webhook subscription at Strava."""

from __future__ import annotations

from include.errors import BadRequest, Gone, NotTheApi, UnexpectedShape, WrongInstallation
from include.strava.http.error_body import Faults
from include.strava.http.response import Response
from include.strava.http.session import Call, StravaSession
from include.strava.models import Subscription

_PATH = "/push_subscriptions"
_BASES = "https://www.strava.com/api/v3 or, from 2027-01-04, https://api-v3.strava.com"
_KEPT = "Nothing is removed until this is right."
_GHOST = (
    "Strava's list and its records disagree about the application's webhook subscription: {what}. "
    "No call repairs that; wait an hour and try again, then write to developers@strava.com with the client id."
)


class PushSubscriptions:
    """Creates, reads and deletes the subscription; none of these calls counts in the budget.

    Strava requires the client secret in the query of two of them: no error here quotes a URL, and the session keeps
    queries out of the logs. Callback URLs contain a secret path and are not quoted either.
    Errors of every call: `BadRequest` (also for a wrong client id or secret), `ApplicationInactive`,
    `StravaUnavailable`, `UnexpectedShape`.
    Source: https://developers.strava.com/docs/webhooks/
    """

    def __init__(self, session: StravaSession, api_url: str, client_id: str, client_secret: str) -> None:
        self._session = session
        self._api_url = api_url
        self._credentials = {"client_id": client_id, "client_secret": client_secret}

    @property
    def api_url(self) -> str:
        """The base URL of the API that is called."""
        return self._api_url

    def prove(self) -> None:
        """Check that Strava's API answers at this URL, with these credentials: one free call, whose shape is known.

        Errors: `WrongInstallation` when something else answers, or refuses the credentials; `StravaUnavailable`,
        `ApplicationInactive` and `QuotaSpent` say nothing of the installation: ask again later.
        """
        try:
            self._listed()
        except BadRequest as err:
            raise WrongInstallation(f"{err} {_KEPT}") from None
        except (NotTheApi, UnexpectedShape) as err:
            what = str(err).partition(". ")[0].partition(";")[0]
            raise WrongInstallation(f"{what}. STRAVA_API_URL is {_BASES}. {_KEPT}") from None

    def create(self, callback_url: str, verify_token: str) -> Subscription:
        """Create the subscription that sends events to `callback_url`; returns the present one if it already does.

        Strava meanwhile calls the URL and expects the challenge back within two seconds, so the web server must run.
        Errors: `BadRequest` when another subscription exists (delete it first), when the callback cannot be verified,
        and in the ghost state; `OutcomeUnknown` (safe to repeat).
        """
        form = self._credentials | {"callback_url": callback_url, "verify_token": verify_token}
        answer = self._session.send(self._api_url, Call("POST", _PATH, form=form))
        if _already_exists(answer):
            return self._existing(callback_url)
        answer.checked()
        return answer.read(lambda: Subscription.parse(answer.object()))

    def current(self) -> Subscription | None:
        """The application's subscription, or None."""
        subscriptions = self._listed()
        if len(subscriptions) > 1:
            raise UnexpectedShape(
                f"Strava lists {len(subscriptions)} webhook subscriptions where an application may have one. "
                "Delete the others, by their ids at strava.com/settings/api."
            )
        return subscriptions[0] if subscriptions else None

    def delete(self, subscription_id: int) -> None:
        """End the subscription; safe to repeat, since a missing one is no error.

        Errors: `BadRequest` in the ghost state, when Strava lists the subscription but finds none to delete.
        """
        call = Call("DELETE", f"{_PATH}/{subscription_id}", query=self._credentials)
        try:
            self._session.send(self._api_url, call).checked()
        except Gone:
            present = self.current()
            if present is not None and present.subscription_id == subscription_id:
                what = f"it lists subscription {subscription_id}, but cannot find it to delete it"
                raise BadRequest(_GHOST.format(what=what)) from None

    def _listed(self) -> list[Subscription]:
        answer = self._session.send(self._api_url, Call("GET", _PATH, query=self._credentials)).checked()
        return answer.read(lambda: [Subscription.parse(entry) for entry in answer.objects()])

    def _existing(self, callback_url: str) -> Subscription:
        present = self.current()
        if present is None:
            raise BadRequest(_GHOST.format(what="it refuses a new one because one exists, but lists none"))
        if present.callback_url != callback_url:
            raise BadRequest(
                f"Subscription {present.subscription_id} exists already and sends events to another address, at "
                f"{_host(present.callback_url)}. Delete it first; an application may have only one."
            )
        return present


def _host(callback_url: str) -> str:
    """Scheme and host: what follows them is secret."""
    return "/".join(callback_url.split("/", 3)[:3])


def _already_exists(answer: Response) -> bool:
    fault = Faults.parse(answer.body).about("PushSubscription") if answer.status == 400 else None
    return fault is not None and fault.code == "already exists"
