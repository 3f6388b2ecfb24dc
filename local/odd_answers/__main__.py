"""Plays every odd answer to every call and writes the page: `python -m local.odd_answers`."""

from __future__ import annotations

import logging
import sys
from concurrent.futures import ProcessPoolExecutor

from local.environment import REPOSITORY
from local.odd_answers.answers import ANSWERS
from local.odd_answers.page import render
from local.odd_answers.play import CALLS, Outcome, play

_PROCESSES = 2


def main() -> int:
    """Play, write, and say what was wrong. Exit status: 1 if anything was."""
    cells = [(call, name) for call in CALLS for name in ANSWERS]
    with ProcessPoolExecutor(_PROCESSES, initializer=logging.disable) as pool:
        outcomes = dict(zip(cells, pool.map(_play, cells), strict=True))
    (REPOSITORY / "docs" / "odd-answers.md").write_text(render(outcomes))
    wrong = {cell: outcome.wrongs for cell, outcome in outcomes.items() if outcome.wrongs}
    for (call, name), wrongs in wrong.items():
        print(f"{call}: {name}: {'; '.join(wrongs)}")
    print(f"{len(cells)} played, {len(wrong)} wrong: docs/odd-answers.md")
    return 1 if wrong else 0


def _play(cell: tuple[str, str]) -> Outcome:
    call, name = cell
    return play(call, ANSWERS[name])


if __name__ == "__main__":
    sys.exit(main())
