"""The one stack of `make up` that several proofs of a command share."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rich.console import Console

from local.demo.airflow_operator import AirflowOperator
from local.proofs.proof import Effort
from local.proofs.stack.family import Family, NotInTime
from local.proofs.stack.population import Population
from local.stack.progress import Progress
from local.stack.system import Stack
from local.strava_simulator.world.quota import Tier
from ops.repository import REPOSITORY

RETENTION_DAYS = 7
_PATIENCE_S = 420
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class SharedStack:
    """A running stack with its family and population; Strava's limits are never reached."""

    stack: Stack
    family: Family
    population: Population
    operator: AirflowOperator


def shared_stack(effort: Effort) -> SharedStack:
    """The command's stack; the first proof that needs it waits until it is ready."""
    return _built(effort.closing)


def await_idle(shared: SharedStack) -> None:
    """Wait until no run is running or queued. Errors: `NotInTime`."""
    began = time.monotonic()
    while shared.operator.count_runs_under_way():
        if time.monotonic() - began > _PATIENCE_S:
            raise NotInTime(f"After {_PATIENCE_S} s runs are still under way.")
        time.sleep(_LOOK_EVERY_S)


@cache
def _built(closing: ExitStack) -> SharedStack:
    return closing.enter_context(stack_with_family())


@contextmanager
def stack_with_family() -> Iterator[SharedStack]:
    """A stack of its own, with the family connected and nobody in the population."""
    with (
        tempfile.TemporaryDirectory(prefix="stack-") as folder,
        Stack.start(
            state_dir=Path(folder, "state"),
            dags=sorted(path.stem for path in (REPOSITORY / "dags").glob("*.py")),
            progress=Progress(Console(file=io.StringIO())),
            overrides={"RETENTION_DAYS": str(RETENTION_DAYS)},
            tier=Tier.PARTNER,
        ) as stack,
        Family.of(stack.settings, stack.simulator_url) as family,
        Population.of(stack.settings, stack.simulator_url) as population,
    ):
        family.connect(stack.settings)
        yield SharedStack(stack, family, population, AirflowOperator(stack.airflow_url, stack.airflow_login))
