"""Proofs of starting and ending: after a kill, in a long path, beside another system, and never twice."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from local.proofs.proof import Effort
from local.proofs.stack.family import Family, happened_epoch_s
from local.proofs.stack.stack_process import END_S, StackProcess
from local.proofs.verdict import Verdict

_LONG = 150
"""The length of a state directory's path: more characters than the path of a socket may have."""
_LOADED_S = 450
_FEWEST = 10
"""The smallest number of processes of a running system: with fewer killed, the proof would prove nothing."""


def prove_killed(effort: Effort) -> list[Verdict]:
    """`make up` in a long path: an event arrives, every process is killed at once, it starts again; three times.

    Airflow considers a task dead after five minutes without a sign of it: the small size, one round, does not wait for
    the event of that task, only for the one after the start.
    """
    rounds = effort.rounds(3, small=1)
    with tempfile.TemporaryDirectory(prefix="killed-") as folder, StackProcess(_long(Path(folder))) as system:
        system.launch()
        starts_s = [system.await_ready()]
        _connect(system)
        killed, runs = 0, []
        for number in range(rounds):
            with Family.of(system.settings(), system.simulator_url()) as family:
                runs.append(family.finish(number))
            killed += system.kill()
            system.launch()
            starts_s.append(system.await_ready())
            effort.advance(number + 1)
        with Family.of(system.settings(), system.simulator_url()) as family:
            awaited = [*([] if effort.is_small else runs), family.finish(rounds)]
            loaded = happened_epoch_s(awaited, family.is_loaded, _LOADED_S)
    figures = f"{killed} processes killed in {rounds} rounds; starts of {min(starts_s):.0f} to {max(starts_s):.0f} s"
    path = f"a path of {len(str(system.state_dir))} characters"
    return [
        Verdict("killed", f"up again after kill -9 of everything, in {path}", figures, killed >= rounds * _FEWEST),
        Verdict(
            "killed",
            "the events before each kill and after the last start reach the lake",
            f"{len(loaded)} of {len(awaited)} awaited",
            len(loaded) == len(awaited),
        ),
    ]


def prove_two_systems(effort: Effort) -> list[Verdict]:
    """Two systems at once each load their own events; a second start of the first is refused and harms nothing."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="two-")))
        systems = [stack.enter_context(StackProcess(folder / name / "state")) for name in ("one", "other")]
        for system in systems:
            system.launch()
        for system in systems:
            system.await_ready()
            _connect(system)
        twin = stack.enter_context(StackProcess(systems[0].state_dir))
        twin.said = folder / "twin.log"
        status = twin.launch().wait(END_S)
        refusal = twin.said.read_text()
        loaded = [_loads(system) for system in systems]
        effort.advance(len(systems))
    return [
        Verdict(
            "two systems", "two at once each load what their own athletes do", f"{loaded} of [1, 1]", loaded == [1, 1]
        ),
        Verdict(
            "two systems",
            "the same one twice is refused with what to do",
            f"exit status {status}: {refusal.strip().splitlines()[-1]}",
            status == 1 and "is in use by another running system" in refusal and "set STATE_DIR" in refusal,
        ),
    ]


def _long(folder: Path) -> Path:
    return folder / ("d" * (_LONG - len(str(folder)) - len("/") - len("/state"))) / "state"


def _connect(system: StackProcess) -> None:
    settings = system.settings()
    with Family.of(settings, system.simulator_url()) as family:
        family.connect(settings)


def _loads(system: StackProcess) -> int:
    with Family.of(system.settings(), system.simulator_url()) as family:
        return len(happened_epoch_s([family.finish(1)], family.is_loaded, _LOADED_S))
