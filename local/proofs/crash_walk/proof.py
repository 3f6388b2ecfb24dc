"""The walks as proofs: how many points they have, and at how many the outcome is right."""

from __future__ import annotations

from local.proofs.crash_walk import run_walk
from local.proofs.crash_walk.copy_scenarios import COPY_SCENARIOS, CopyScenario
from local.proofs.crash_walk.copy_walk import walk
from local.proofs.crash_walk.run_scenarios import RUN_SCENARIOS, RunScenario
from local.proofs.crash_walk.run_walk import Disturbance
from local.proofs.proof import Effort
from local.proofs.verdict import Verdict
from local.testbed.world import WINDOW_S


def prove_crash_walk(effort: Effort) -> list[Verdict]:
    """Every scenario's walk; the small size takes the first one."""
    verdicts = []
    for number, scenario in enumerate(COPY_SCENARIOS[: effort.rounds(len(COPY_SCENARIOS), small=1)]):
        verdicts.append(_walked(scenario))
        effort.advance(number + 1)
    return verdicts


def _walked(scenario: CopyScenario) -> Verdict:
    outcomes = list(walk(scenario))
    broken = [outcome.point for outcome in outcomes if not outcome.holds(scenario)]
    return Verdict(
        f"crash walk · {scenario.name}",
        f"killed anywhere, it ends as one activity, {scenario.ends_as}",
        f"{len(outcomes)} points" + (f", broken {', '.join(broken)}" if broken else ", none broken"),
        not broken and len(outcomes) >= scenario.fewest_points,
    )


def prove_run_walk(effort: Effort) -> list[Verdict]:
    """Kill every scenario at each of its points, disturb it otherwise at each fourth; the small size takes few."""
    verdicts = []
    for disturbance in Disturbance:
        fewer = 1 if disturbance is Disturbance.DEATH else 4
        every = effort.rounds(fewer, small=40)
        for scenario in RUN_SCENARIOS[: effort.rounds(len(RUN_SCENARIOS), small=1)]:
            verdicts.append(_disturbed(scenario, disturbance, every))
            effort.advance(len(verdicts))
    return verdicts


def _disturbed(scenario: RunScenario, disturbance: Disturbance, every: int) -> Verdict:
    outcomes = list(run_walk.walk(scenario, disturbance, every=every))
    broken = [outcome.point for outcome in outcomes if outcome.violations]
    minutes = max(outcome.windows for outcome in outcomes) * WINDOW_S // 60
    return Verdict(
        f"{scenario.name} · {disturbance}",
        "an hour later lake, copies and erasures are as Strava and the athletes say",
        f"{len(outcomes)} points, after {minutes} minutes at most"
        + (f", broken {', '.join(broken)}" if broken else ", none broken"),
        not broken and len(outcomes) * every >= scenario.fewest_points,
    )
