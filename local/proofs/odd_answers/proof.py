"""The proof of the odd answers: each of them to every call, on both stores."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from local.proofs.odd_answers import record
from local.proofs.odd_answers.answers import ANSWERS
from local.proofs.odd_answers.cell import CALLS, MOST_CALLS, Outcome, run_cell
from local.proofs.odd_answers.record import Cell, StoreOutcomes
from local.proofs.proof import Effort
from local.proofs.race.aws import CREDENTIALS, PREFIX, create_all_tables
from local.proofs.verdict import Verdict

PAGE = "odd-answers"
CELLS = tuple((call, answer) for call in CALLS for answer in ANSWERS)

_PROCESSES = 2
_APART = 190
"""The small size runs one of this many cells."""


def prove_on_sqlite(effort: Effort) -> list[Verdict]:
    """Every cell on SQLite; in full size the page is written. The small size runs three."""
    return _prove("SQLite", effort, state_url="")


def prove_on_dynamodb(effort: Effort) -> list[Verdict]:
    """The same on moto's DynamoDB, which answers within the process: over HTTP it takes four times as long."""
    return _prove("DynamoDB", effort, state_url=f"dynamodb://{PREFIX}")


def _prove(store: str, effort: Effort, *, state_url: str) -> list[Verdict]:
    cells = CELLS[:: effort.rounds(1, small=_APART)]
    outcomes: dict[Cell, Outcome] = {}
    with ProcessPoolExecutor(_PROCESSES, initializer=_begin, initargs=(state_url,)) as pool:
        for cell, outcome in zip(cells, pool.map(partial(_cell_outcome, effort.seed, state_url), cells), strict=True):
            outcomes[cell] = outcome
            effort.advance(len(outcomes))
    if not effort.is_small:
        _publish(store, StoreOutcomes(effort.seed, outcomes))
    return _verdicts(store, outcomes)


def _begin(state_url: str) -> None:
    """Prepare a process; where the state is in DynamoDB, moto answers in place of AWS in it."""
    logging.disable()
    if state_url:
        from moto import mock_aws

        for variable in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[variable]
        os.environ.update(CREDENTIALS)
        mock_aws().start()
        create_all_tables()


def _cell_outcome(seed: int, state_url: str, cell: Cell) -> Outcome:
    call, answer = cell
    if state_url:
        _empty_tables()
    return run_cell(call, ANSWERS[answer], seed=seed, state_url=state_url)


def _empty_tables() -> None:
    """Empty the tables inside moto, because creating them anew takes as long as half a cell."""
    from moto.dynamodb.models import dynamodb_backends

    for account in dynamodb_backends.values():
        for region in account.values():
            for table in region.tables.values():
                table.items.clear()


def _publish(store: str, outcomes: StoreOutcomes) -> None:
    record.keep(store, outcomes)

    from local.docs.pages import (
        write,
    )  # after it: outcomes that took minutes are not lost where the page cannot be written

    write(PAGE)


def _verdicts(store: str, outcomes: Mapping[Cell, Outcome]) -> list[Verdict]:
    wrong = {": ".join(cell): outcome.wrongs for cell, outcome in outcomes.items() if outcome.wrongs}
    most_calls = max(outcome.calls for outcome in outcomes.values())
    most_minutes = max(outcome.minutes or 0 for outcome in outcomes.values())
    named = "; ".join(f"{cell}: {', '.join(wrongs)}" for cell, wrongs in list(wrong.items())[:5])
    say = partial(Verdict, f"odd answers · {store}")
    return [
        say(
            "nothing is destroyed or final, messages say what to do, and all is right once the answers are",
            f"{len(outcomes)} answers, {len(wrong)} wrong{f' ({named})' if named else ''}; "
            f"all right {most_minutes} minutes later at most",
            not wrong and all(outcome.minutes is not None for outcome in outcomes.values()),
        ),
        say(
            f"in an hour of odd answers a call is made {MOST_CALLS} times at most",
            f"{most_calls} times",
            most_calls <= MOST_CALLS,
        ),
    ]
