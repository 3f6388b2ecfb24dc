"""A state with a clock, and a post that takes mails or breaks off."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from include.mail.mailer import Mail
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.accounts.athletes import athlete_key
from include.state.copies.entry import Copy
from include.state.copies.states import CopyState
from include.state.erasures.ledger import EraseReason, Erasure
from include.state.links import Link
from include.state.state import State
from include.store.sqlite import SqliteStore
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId
from local.testbed.manual_clock import ManualClock

ANN, REX = 71, 72
SETTINGS = replace(
    Settings.from_environ(EXAMPLES), contact="privacy@example.org", public_url="https://ingest.example.org"
)
WRITE = frozenset({"read", "activity:read", "activity:write"})


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Post:
    """Takes mails, or breaks off as a test says."""

    sent: list[Mail] = field(default_factory=list)
    fault: BaseException | None = None
    faulty: str = ""
    """The only address that the fault is about; empty: all are."""
    faults: int | None = None
    """How often it breaks off; None: always."""

    def send(self, mail: Mail) -> None:
        if self.fault is not None and self.faulty in ("", mail.to) and self.faults != 0:
            self.faults = None if self.faults is None else self.faults - 1
            raise self.fault
        self.sent.append(mail)


@dataclass
class Place:
    """The state, the clock, and the post."""

    state: State
    clock: ManualClock
    store: SqliteStore
    post: Post

    def told(self) -> list[tuple[str, str]]:
        return [(mail.to, mail.subject.partition(" – ")[0]) for mail in self.post.sent]

    def connect(self, athlete_id: int, scopes: frozenset[str] = WRITE, *, address: bool = True) -> None:
        athlete = Athlete(AthleteId(athlete_id), f"Name{athlete_id}", "X")
        self.state.athletes.connect(TokenGrant("a", "r", 2_000_000_000, athlete), scopes)
        if address:
            nonce = self.state.mail_addresses.give(athlete_id, f"{athlete_id}@example.com")
            assert self.state.mail_addresses.confirm(athlete_id, nonce)

    def set(self, athlete_id: int, **fields: object) -> None:
        item = self.store.get(athlete_key(athlete_id))
        assert item is not None
        self.store.put(item.key, {**item.fields, **fields}, expected_version=item.version)

    def wait(
        self,
        activity_id: int,
        child_id: int = REX,
        parent_id: int = ANN,
        state: CopyState = CopyState.WAITING_FOR_ACCESS,
    ) -> None:
        copy = Copy(activity_id, child_id, parent_id, state, external_id=f"sdi-{activity_id}-{child_id}")
        self.state.copies.plan(copy)

    def link(self, child_id: int, name: str) -> None:
        self.state.links.save(Link(ANN, child_id, (name,), parent_consent_epoch_s=1, child_consent_epoch_s=1))

    def erase(self, athlete_id: int) -> Erasure:
        erasure = self.state.erasures.ask_now(athlete_id, EraseReason.ATHLETE)
        address = self.state.mail_addresses.get(athlete_id)
        self.state.certificates.open(erasure, address.sealed if address else "")
        self.state.mail_addresses.forget(athlete_id)
        self.state.certificates.finish(erasure, "{}")
        return erasure
