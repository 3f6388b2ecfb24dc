"""Every ledger of one system, on one store."""

from __future__ import annotations

from dataclasses import dataclass
from random import SystemRandom
from typing import Protocol

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.state.accounts.athletes import Athletes
from include.state.accounts.mail_addresses import MailAddresses
from include.state.accounts.notices import Notices
from include.state.accounts.oauth_states import OAuthStates
from include.state.accounts.sent_mails import SentMails
from include.state.activities.ledger import ActivityLedger
from include.state.application.outages import Outages
from include.state.application.quota import Quota
from include.state.application.subscriptions import Subscriptions
from include.state.brakes import Brakes
from include.state.claims import Claims
from include.state.copies.ledger import CopyLedger
from include.state.copies.outings import Outings
from include.state.copies.places import Places
from include.state.erasures.certificates import Certificates
from include.state.erasures.ledger import Erasures
from include.state.events import EventAudit
from include.state.histories import Histories
from include.state.installation import Installation
from include.state.invites import Invites
from include.state.links import Links
from include.state.listings import Listings
from include.store.store import Store


@dataclass(frozen=True, slots=True)
class State:
    """Every ledger: of athletes, of their activities, copies and requests, and of the application at Strava."""

    athletes: Athletes
    links: Links
    invites: Invites
    notices: Notices
    mail_addresses: MailAddresses
    sent_mails: SentMails

    activities: ActivityLedger
    copies: CopyLedger
    outings: Outings
    places: Places

    erasures: Erasures
    certificates: Certificates
    events: EventAudit
    histories: Histories
    listings: Listings

    brakes: Brakes
    claims: Claims
    installation: Installation
    oauth_states: OAuthStates
    outages: Outages
    quota: Quota
    subscriptions: Subscriptions

    @classmethod
    def on(cls, store: Store, cipher: Cipher, clock: Clock) -> State:
        """The ledgers on `store`; `cipher` seals personal data. Nothing is read yet."""
        return cls(
            athletes=Athletes(store, cipher, clock),
            links=Links(store, clock),
            invites=Invites(store, clock),
            notices=Notices(store, clock),
            mail_addresses=MailAddresses(store, cipher, clock),
            sent_mails=SentMails(store, clock),
            activities=ActivityLedger(store, clock),
            copies=CopyLedger(store, clock),
            outings=Outings(store),
            places=Places(store, cipher, SystemRandom().random),
            erasures=Erasures(store, clock),
            certificates=Certificates(store, clock),
            events=EventAudit(store, clock),
            histories=Histories(store, clock),
            listings=Listings(store, clock),
            brakes=Brakes(store, clock),
            claims=Claims(store, clock),
            installation=Installation(store),
            oauth_states=OAuthStates(store, clock),
            outages=Outages(store, clock),
            quota=Quota(store, clock),
            subscriptions=Subscriptions(store),
        )


class UsesClock(Protocol):
    """Tells the time."""

    @property
    def clock(self) -> Clock:
        """The present time as epoch seconds, each time it is called."""
        ...


class UsesState(UsesClock, Protocol):
    """Reads and writes rows."""

    @property
    def state(self) -> State:
        """The ledgers."""
        ...
