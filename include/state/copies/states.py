"""The states of a copy, and the steps between them."""

from __future__ import annotations

from enum import StrEnum

from include.state.transition import Transition


class CopyState(StrEnum):
    """The state of a copy."""

    PLANNED = "planned"
    UPLOADING = "uploading"
    """The upload is being sent, or was sent and its outcome is not known."""
    PROCESSING = "processing"
    """Strava has the file and is processing it."""
    WAITING_FOR_ACCESS = "waiting_for_access"
    """The child's account refuses access; the copy is tried once a day and when the child connects again."""
    DONE = "done"
    DUPLICATE = "duplicate"
    """Strava says that the child's account already has it."""
    FAILED = "failed"
    """Strava refuses the file itself."""
    SKIPPED = "skipped"
    """Not to be made, for a reason of the activity or the link."""
    UNFINISHED = "unfinished"
    """Given up after days of polling or waiting, without Strava's decision on the file."""


class Original(StrEnum):
    """What happened to the original since it was copied."""

    NAMED = "named"
    RENAMED = "renamed"
    """Its title no longer names the child."""
    DELETED = "deleted"
    """Strava no longer shows it: deleted, or hidden from this application."""


MADE_STATES = frozenset({CopyState.DONE, CopyState.DUPLICATE})
"""The states in which the child's account has the activity."""

NOT_MADE_STATES = frozenset({CopyState.FAILED, CopyState.SKIPPED, CopyState.UNFINISHED})
"""The states in which a copy may be tried again, when somebody requests it or the reason is gone."""

FINAL_STATES = MADE_STATES | NOT_MADE_STATES
"""The states in which nothing more is sent automatically."""

_S = CopyState
_UNDER_WAY = frozenset(CopyState) - FINAL_STATES
_SENT = frozenset({_S.UPLOADING, _S.PROCESSING, _S.WAITING_FOR_ACCESS})

SENDING = Transition("sending", _UNDER_WAY - {_S.PROCESSING}, _S.UPLOADING, "the file is about to be sent")
ACCEPTED = Transition("accepted", frozenset({_S.UPLOADING}), _S.PROCESSING, "Strava has the file and is processing it")
STILL_PROCESSING = Transition("still_processing", _SENT, _S.PROCESSING, "a poll finds Strava still processing it")
MADE = Transition("made", _SENT, _S.DONE, "the child's account has it")
DUPLICATED = Transition("duplicated", _SENT, _S.DUPLICATE, "the child's account already had it, from another source")
FAILED = Transition("failed", _SENT, _S.FAILED, "Strava refuses the file, with a reason")
SKIPPED = Transition("skipped", _UNDER_WAY - {_S.PROCESSING}, _S.SKIPPED, "the activity or the link rules it out")
WAITING = Transition("waiting_for_access", _UNDER_WAY, _S.WAITING_FOR_ACCESS, "the child's account refuses access")
GIVEN_UP = Transition(
    "given_up", _UNDER_WAY, _S.UNFINISHED, "days of polling or waiting brought no decision on the file"
)
AGAIN = Transition("again", NOT_MADE_STATES, _S.PLANNED, "somebody requests it, or its obstacle may be gone")
LOOKED_FOR = Transition(
    "looked_for", frozenset({_S.UNFINISHED}), _S.UPLOADING, "the same, where a file was sent before"
)

TRANSITIONS = (
    SENDING,
    ACCEPTED,
    STILL_PROCESSING,
    MADE,
    DUPLICATED,
    FAILED,
    SKIPPED,
    WAITING,
    GIVEN_UP,
    AGAIN,
    LOOKED_FOR,
)
"""Every step; a row begins as `planned`."""
