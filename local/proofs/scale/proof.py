"""The proof of scale: work for one athlete costs the same among ten athletes and among ten thousand."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path

from local.proofs.proof import Effort
from local.proofs.scale import record
from local.proofs.scale.counting import Kind
from local.proofs.scale.installation import LIMITS
from local.proofs.scale.record import Counted
from local.proofs.scale.workloads import count
from local.proofs.verdict import Verdict

SIZES = (10, 1_000, 10_000)
SMALL = (3, 10)
GROWTH = 1.2


def prove_scale(effort: Effort) -> list[Verdict]:
    """Counts at 10, 1,000 and 10,000 athletes, or at 3 and 10. Effects: the full size writes them to docs/scale.md."""
    counted = {}
    for size in SMALL if effort.is_small else SIZES:
        with tempfile.TemporaryDirectory(prefix="scale-") as folder:
            counted[size] = count(Path(folder), size)
        effort.advance(size)
    if not effort.is_small:
        from local.docs.pages import write  # imports what every page needs

        record.keep(counted)
        write("scale")
    return judge(counted)


def judge(counted: Counted) -> list[Verdict]:
    """The claims about these counts."""
    sizes = sorted(counted)
    lists = [counted[size]["reconcile"][Kind.STRAVA] for size in sizes]
    most = LIMITS.read_window // 2
    return [
        _stays_flat(counted, "event", "an event costs the same with any number of others", lambda _: 1),
        _stays_flat(
            counted, "catalogue", "registering what changed costs the same with any number of others", lambda _: 1
        ),
        _stays_flat(counted, "erasure", "an erasure costs the same with any number of others", lambda _: 1),
        _stays_flat(counted, "night", "a night costs the same for each athlete", lambda size: size),
        Verdict(
            "reconcile",
            f"a run of reconcile lists with at most {most} calls",
            _series(sizes, lists, Kind.STRAVA),
            max(lists) <= most,
        ),
    ]


def _stays_flat(counted: Counted, workload: str, claim: str, share: Callable[[int], int]) -> Verdict:
    """The claim that none of the workload's counts, divided by `share` of the athletes, grows by more than a fifth.

    Airflow's tasks are not judged: they are few, and in docs/scale.md.
    """
    sizes = sorted(counted)
    kinds = [kind for kind in Kind if kind is not Kind.TASKS]
    per = {kind: [counted[size][workload][kind] / share(size) for size in sizes] for kind in kinds}
    worst = max(kinds, key=lambda kind: _growth(per[kind]))
    figures = f"most: {_series(sizes, [round(number, 2) for number in per[worst]], worst)}"
    return Verdict(workload, claim, figures, _growth(per[worst]) <= GROWTH)


def _growth(numbers: Sequence[float]) -> float:
    if not any(numbers):
        return 0.0
    return max(numbers) / numbers[0] if numbers[0] else inf


def _series(sizes: Sequence[int], numbers: Sequence[float], kind: Kind) -> str:
    return f"{' / '.join(f'{number:,g}' for number in numbers)} {kind} at {' / '.join(f'{size:,}' for size in sizes)}"
