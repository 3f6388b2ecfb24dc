"""The crash walk as a proof: how many points it has, and whether a copy comes out right at each."""

from __future__ import annotations

from local.crash_walk.scenarios import SCENARIOS, Scenario
from local.crash_walk.walk import walk
from local.proofs.proof import Effort
from local.proofs.verdict import Verdict


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
