"""The search for surviving mutants as proofs, each of a part of the modules."""

from __future__ import annotations

from local.proofs.mutants.search import Search, killed_share, search
from local.proofs.mutants.trial import Trial, TrialResult
from local.proofs.proof import LONGEST_S, Effort
from local.proofs.verdict import Verdict

LEAST_SHARE = 0.92
_SMALL_COUNT = 6
_LEAST_SMALL_SHARE = 0.15
"""The smallest share of noticed lines in the small size, which runs few tests for few lines: it shows that broken lines
are noticed at all. Each change of the code draws other lines, and in about one of 250 draws none of six is noticed."""

_TIME_FOR_THE_LAST_S = 120
"""How long a mutant takes that no test notices."""


def state(effort: Effort) -> list[Verdict]:
    """50 lines of the ledgers and stores."""
    return _prove(effort, ("store", "state"), count=50)


def pipeline(effort: Effort) -> list[Verdict]:
    """50 lines of the use cases."""
    return _prove(effort, ("pipeline",), count=50)


def lake(effort: Effort) -> list[Verdict]:
    """50 lines of the lake and of copies' files."""
    return _prove(effort, ("copying", "lake"), count=50)


def dags(effort: Effort) -> list[Verdict]:
    """10 lines of the DAGs, whose tasks Airflow runs."""
    return _prove(effort, ("dags",), count=10, small=_SMALL_COUNT // 2)  # each costs all runs of the DAGs


def _prove(effort: Effort, modules: tuple[str, ...], *, count: int, small: int = _SMALL_COUNT) -> list[Verdict]:
    wanted = Search(
        modules,
        effort.rounds(count, small=small),
        effort.seed,
        longest_s=LONGEST_S - _TIME_FOR_THE_LAST_S,
        asks_own_tests_only=effort.is_small,
    )
    done: list[Trial] = []

    def tell(trial: Trial) -> None:
        done.append(trial)
        effort.advance(len(done))

    trials = search(wanted, tell)
    least = _LEAST_SMALL_SHARE if effort.is_small else LEAST_SHARE
    survivors = "; ".join(str(trial.mutant) for trial in trials if trial.result is TrialResult.SURVIVED)
    return [
        Verdict(
            f"mutants of {' and '.join(modules)}",
            f"Tests notice {least:.0%} of the lines that are broken at random",
            f"{killed_share(trials):.0%} of {len(trials)} noticed{f'; not noticed: {survivors}' if survivors else ''}",
            killed_share(trials) >= least,
        )
    ]
