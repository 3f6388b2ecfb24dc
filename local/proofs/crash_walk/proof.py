"""The walks as proofs: how many points there are, and whether all comes out right at each."""

from __future__ import annotations

from local.proofs.crash_walk import errand_walk
from local.proofs.crash_walk.errand_walk import Blow
from local.proofs.crash_walk.errands import ERRANDS, Errand
from local.proofs.crash_walk.scenarios import SCENARIOS, Scenario
from local.proofs.crash_walk.walk import walk
from local.proofs.proof import Effort
from local.proofs.verdict import Verdict
from local.testbed.world import WINDOW_S


def prove_crash_walk(effort: Effort) -> list[Verdict]:
    """Every scenario's walk; the small size takes the first one."""
    verdicts = []
    for number, scenario in enumerate(SCENARIOS[: effort.rounds(len(SCENARIOS), small=1)]):
        verdicts.append(_walked(scenario))
        effort.advance(number + 1)
    return verdicts


def _walked(scenario: Scenario) -> Verdict:
    deaths = list(walk(scenario))
    broken = [death.point for death in deaths if not death.holds(scenario)]
    return Verdict(
        f"crash walk · {scenario.name}",
        f"killed anywhere, it ends as one activity, {scenario.ends_as}",
        f"{len(deaths)} points" + (f", broken {', '.join(broken)}" if broken else ", none broken"),
        not broken and len(deaths) >= scenario.fewest_points,
    )


def prove_run_walk(effort: Effort) -> list[Verdict]:
    """Every errand killed at each of its points, and struck otherwise at each fourth; the small size takes few."""
    verdicts = []
    for blow in Blow:
        fewer = 1 if blow is Blow.DEATH else 4
        every = effort.rounds(fewer, small=40)
        for errand in ERRANDS[: effort.rounds(len(ERRANDS), small=1)]:
            verdicts.append(_struck(errand, blow, every))
            effort.advance(len(verdicts))
    return verdicts


def _struck(errand: Errand, blow: Blow, every: int) -> Verdict:
    strikes = list(errand_walk.walk(errand, blow, every=every))
    broken = [struck.point for struck in strikes if struck.faults]
    minutes = max(struck.windows for struck in strikes) * WINDOW_S // 60
    return Verdict(
        f"{errand.name} · {blow}",
        "an hour later lake, copies and erasures are as Strava and the athletes say",
        f"{len(strikes)} points, after {minutes} minutes at most"
        + (f", broken {', '.join(broken)}" if broken else ", none broken"),
        not broken and len(strikes) * every >= errand.fewest_points,
    )
