"""One athlete's erasure, from the request to the certificate, and its steps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from include.state.transition import Transition
from include.store.codec import FLAT, NOT_STORED, decode, encode, stored
from include.store.store import ABSENT, Item

NEXT_TRY_S = 900
"""How long after a run was queued an erasure without a worker is due again: one window of reconcile."""

KIND = "erasure"
"""The index value of all erasures."""


class EraseReason(StrEnum):
    """Who wants an athlete erased."""

    DEAUTHORISATION = "deauthorisation"
    """A webhook event says that the athlete revoked the access: a hint, which Strava has to confirm."""
    OPERATOR = "operator"
    """An operator asked: the access is revoked at Strava first."""
    ATHLETE = "athlete"
    """The athlete asked on their own page: the access is revoked at Strava first."""


class ErasureStage(StrEnum):
    """The stage of an erasure."""

    ASKED = "asked"
    """The request is stored; the access to the account has not ended."""
    UNDER_WAY = "under_way"
    """The end of the access is confirmed; data is being removed."""
    FINISHED = "finished"
    """All data is removed."""
    WITHDRAWN = "withdrawn"
    """The athlete is still connected, or has connected again: data may be written."""

    @classmethod
    def _missing_(cls, value: object) -> ErasureStage | None:
        return cls.WITHDRAWN if value == "lifted" else None  # as rows of older versions call it


_S = ErasureStage
_OPEN = frozenset({_S.ASKED, _S.UNDER_WAY})

ASKED = Transition("asked", frozenset({_S.FINISHED, _S.WITHDRAWN}), _S.ASKED, "the erasure is requested again")
CONFIRMED = Transition("confirmed", _OPEN, _S.UNDER_WAY, "the access to the account has ended")
FINISHED = Transition("finished", _OPEN, _S.FINISHED, "the certificate is written, or there was nothing to remove")
WITHDRAWN = Transition(
    "withdrawn",
    frozenset(_S) - {_S.WITHDRAWN},
    _S.WITHDRAWN,
    "Strava still accepts the tokens, or the athlete has connected again",
)

TRANSITIONS = (ASKED, CONFIRMED, FINISHED, WITHDRAWN)
"""Every step; a row that has taken none is `asked`."""


@dataclass(frozen=True, slots=True)
class ErasureGrounds:
    """The grounds of an erasure: who asked for it, and when."""

    reason: EraseReason
    asked_at_epoch_s: int = field(metadata=stored(older="began_at_epoch_s"))
    """When, by Strava's clock for an event. The request does not concern newer connections."""

    @property
    def is_hint(self) -> bool:
        """Whether the only ground is an event, which anybody may have sent and which may be late."""
        return self.reason is EraseReason.DEAUTHORISATION


@dataclass(frozen=True, slots=True)
class Erasure:
    """One athlete's erasure: an id, its grounds, and times. Its methods are the steps of `TRANSITIONS`."""

    athlete_id: int
    grounds: ErasureGrounds = field(metadata=FLAT)
    began_at_epoch_s: int
    """When the request was stored: distinguishes the erasures of one athlete; each is later than the one before."""
    stage: ErasureStage
    next_try_epoch_s: int = 0
    """When reconcile next queues a run for an open erasure without a worker."""
    finished_at_epoch_s: int | None = None
    link_id: str = ""
    """The secret at the end of the certificate's link: without it nobody finds the certificate; empty in older rows."""
    fence: int = 0
    lease_until_epoch_s: float = 0.0
    version: int = field(default=ABSENT, metadata=NOT_STORED)

    @property
    def is_open(self) -> bool:
        """Whether the erasure is not over yet."""
        return self.stage in _OPEN

    @property
    def is_withdrawable(self) -> bool:
        """Whether the athlete asked for it and it has not begun: connecting again withdraws it."""
        return self.stage is _S.ASKED and self.grounds.reason is EraseReason.ATHLETE

    @property
    def forbids_writing(self) -> bool:
        """Whether nothing may be written for the athlete; an event forbids nothing until it is confirmed."""
        return self.clears_away or (self.stage is _S.ASKED and not self.grounds.is_hint)

    @property
    def clears_away(self) -> bool:
        """Whether the athlete's data is being removed, or was."""
        return self.stage in (_S.UNDER_WAY, _S.FINISHED)

    @classmethod
    def first(cls, athlete_id: int, grounds: ErasureGrounds, now_epoch_s: int) -> Self:
        """The first erasure of an athlete."""
        return cls(athlete_id, grounds, now_epoch_s, _S.ASKED, next_try_epoch_s=now_epoch_s + NEXT_TRY_S)

    def asked(self, grounds: ErasureGrounds, now_epoch_s: int) -> Self:
        """A new request after an erasure that is over."""
        return replace(
            self,
            stage=ASKED.of(self.stage),
            grounds=grounds,
            began_at_epoch_s=max(now_epoch_s, self.began_at_epoch_s + 1),
            next_try_epoch_s=now_epoch_s + NEXT_TRY_S,
            finished_at_epoch_s=None,
        )

    def joined(self, grounds: ErasureGrounds) -> Self:
        """The same erasure, requested once more: a person's request outranks an event, and a later one an earlier."""
        if self.stage is not _S.ASKED or grounds.is_hint > self.grounds.is_hint:
            return self
        if self.grounds.is_hint == grounds.is_hint:
            grounds = replace(
                self.grounds, asked_at_epoch_s=max(self.grounds.asked_at_epoch_s, grounds.asked_at_epoch_s)
            )
        return replace(self, grounds=grounds)

    def confirmed(self) -> Self:
        """The access has ended: from now on nothing is written for the athlete, who cannot connect."""
        return replace(self, stage=CONFIRMED.of(self.stage))

    def finished(self, now_epoch_s: int) -> Self:
        """All data is removed; late writes stay forbidden."""
        return replace(self, stage=FINISHED.of(self.stage), finished_at_epoch_s=now_epoch_s)

    def withdrawn(self) -> Self:
        """Nothing is erased, and writes are allowed, since the athlete is connected."""
        return replace(self, stage=WITHDRAWN.of(self.stage))

    @classmethod
    def from_item(cls, item: Item) -> Self:
        """The erasure in a row of the table `erasures`."""
        return decode(cls, item.fields, version=item.version)

    def to_fields(self) -> dict[str, Any]:
        """The fields of its row, with that of the index."""
        return {"kind": KIND, **encode(self)}
