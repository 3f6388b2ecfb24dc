"""`docs/odd-answers.md`: every odd answer to every call, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from local.docs.markdown import table
from local.odd_answers.answers import ANSWERS
from local.odd_answers.play import CALLS, MOST_WINDOWS, ODD_WINDOWS, SEED, Outcome

_HEAD = """# Odd answers: what becomes of activity, copy and athlete

Made by `make odd-answers`: every line is played on the whole system in one process, on the simulated Strava with its
answer script (recordings of seed {seed}). For {odd} minutes each call of one kind gets one odd answer, while a stored
activity is renamed, another is deleted without an event, and a new one that names a child is finished. Then Strava
answers rightly again, and reconcile runs each quarter of an hour, for {most} days at most, until all is right: the
lake has both activities by their present titles and not the deleted one, the child has exactly one copy of each, the
athlete is connected.

*after the hour* is what the ledgers say while the answer is still odd; nothing that was stored, copied or connected
may be gone then, and no copy failed, or skipped unless Strava said in its own form that there is no recording.
*calls* is how often the call was made in that hour. *right after* is how many minutes later all was right.
"""


def render(outcomes: Mapping[tuple[str, str], Outcome]) -> str:
    """The page of what was played."""
    head = _HEAD.format(seed=SEED, odd=ODD_WINDOWS * 15, most=MOST_WINDOWS // 96)
    return "\n".join([head, *(_section(call, outcomes) for call in CALLS)])


def _section(call: str, outcomes: Mapping[tuple[str, str], Outcome]) -> str:
    rows = [row(name, outcomes[call, name]) for name in ANSWERS]
    header = ("answer", "activity after the hour", "copy", "athlete", "calls", "right after", "")
    return f"\n## `{CALLS[call]}`\n\n{table(header, rows)}\n"


def row(name: str, outcome: Outcome) -> list[str]:
    """One line of the page."""
    minutes = "never" if outcome.minutes is None else f"{outcome.minutes} min"
    wrongs = "; ".join(outcome.wrongs) and f"WRONG: {'; '.join(outcome.wrongs)}"
    return [name, outcome.activity, outcome.copy, outcome.athlete, str(outcome.calls), minutes, wrongs]
