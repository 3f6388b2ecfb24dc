"""`docs/odd-answers.md`: every odd answer to every call, and its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local.docs.markdown import paragraph, table
from local.proofs.odd_answers import record
from local.proofs.odd_answers.answers import ANSWERS
from local.proofs.odd_answers.cell import CALLS, MOST_CALLS, MOST_WINDOWS, ODD_WINDOWS, Outcome
from local.proofs.odd_answers.record import StoreOutcomes

_HEAD = """# Odd answers and their effects on activity, copy and athlete

Made by `make proofs NAME=odd_answers_sqlite` and `NAME=odd_answers_dynamodb`: every line is run on the whole system in
one process, with the simulated Strava and its answer script{seeds}. For {odd} minutes each call of one kind gets one
odd answer. Meanwhile a stored activity is renamed, another is deleted without an event, a new one that names a child is
finished, and an operator requests a backfill, and again after one that found nothing. Then Strava answers correctly
again, and reconcile and backfill run every quarter of an hour, for at most {most} days, until all is right: the lake
has all three activities with their present titles and not the deleted one, the child has exactly one copy of each that
names it, the history is loaded, the athlete is connected.

*after the hour* is the state in the ledgers while the answer is still odd. By then nothing that was stored, copied or
connected may be gone, and no copy may have failed, or been skipped unless Strava answered in the API's form that there
is no recording. *calls* is how often the call was made in that hour, at most {calls} times. *right after* is how many
minutes after the first correct answer all was right. Where the stores differ, both are shown.
"""


def render() -> str:
    """The page of the last outcomes."""
    return page(record.read())


def page(by_store: Mapping[str, StoreOutcomes]) -> str:
    """The page of these outcomes, by store."""
    seeds = "".join(f"; recordings of seed {each.seed} on {store}" for store, each in sorted(by_store.items()))
    head = _HEAD.format(
        seeds=seeds and f" ({seeds[2:]})", odd=ODD_WINDOWS * 15, most=MOST_WINDOWS // 96, calls=MOST_CALLS
    )
    title, made, *rest = head.split("\n\n")
    head = "\n\n".join([title, paragraph(made), *rest])
    return "\n".join([head, *(_section(call, by_store) for call in CALLS)])


def _section(call: str, by_store: Mapping[str, StoreOutcomes]) -> str:
    rows = []
    for answer in ANSWERS:
        on_stores = [each.outcomes[call, answer] for each in by_store.values() if (call, answer) in each.outcomes]
        if on_stores:
            rows.append(row(answer, on_stores))
    header = ("answer", "activity after the hour", "copy", "athlete", "calls", "right after", "")
    return f"\n## `{CALLS[call]}`\n\n{table(header, rows)}\n"


def row(name: str, outcomes: Sequence[Outcome]) -> list[str]:
    """One line of the page: an answer's outcome on each store."""
    wrongs = "; ".join(wrong for outcome in outcomes for wrong in outcome.wrongs)
    cells = [
        [outcome.activity for outcome in outcomes],
        [outcome.copy for outcome in outcomes],
        [outcome.athlete for outcome in outcomes],
        [str(outcome.calls) for outcome in outcomes],
        ["never" if outcome.minutes is None else f"{outcome.minutes} min" for outcome in outcomes],
    ]
    return [name, *(" / ".join(dict.fromkeys(cell)) for cell in cells), wrongs and f"WRONG: {wrongs}"]
