"""The proof of a full and of a read-only disk: `make up` says what to do, and afterwards the work continues."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.errors import IngestError
from local.proofs.proof import Effort
from local.proofs.stack.family import Family, NotInTime, happened_epoch_s
from local.proofs.stack.stack_process import END_S, StackProcess
from local.proofs.verdict import Verdict

_DISK_MB = 700
_LEFT_MB = 5
_LOADED_S = 300
_CLOSED_S = 10
"""How long after the end of the system its last process may take to close its files."""
_LOOK_EVERY_S = 0.1


class CannotMount(IngestError):
    """This process may not mount a small disk; the message says why."""


def prove_disk(effort: Effort) -> list[Verdict]:
    """`make up` on a small disk that fills up while it runs, has space again, and becomes read-only.

    The small size does not start it again. Where no disk can be mounted nothing is run, and the figures say so.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="disk-") as folder, _small_disk(Path(folder)) as disk:
            return _measured(effort, disk, Path(folder, "said.log"))
    except CannotMount as err:
        return [Verdict("disk", "a full disk says what to do", f"not run here: {err}", True)]


def _measured(effort: Effort, disk: Path, said: Path) -> list[Verdict]:
    with StackProcess(disk / "state") as system:
        system.said = said  # on another disk, as a terminal is
        process = system.launch()
        system.await_ready()
        with Family.of(system.settings(), system.simulator_url()) as family:
            family.connect(system.settings())
            runs = [family.finish(0)]
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(disk).free - _LEFT_MB * 1_000_000))
        found = [_ended("a disk that fills up while it runs", process.wait(END_S), said)]
        ballast.unlink()
        if not effort.is_small:
            found.append(_goes_on(system, runs))
        effort.advance(1)
    _make_read_only(disk)
    with StackProcess(disk / "state") as system:
        system.said = said
        return [*found, _ended("a start on a read-only disk", system.launch().wait(END_S), said)]


def _ended(subject: str, status: int, said: Path) -> Verdict:
    advice = [line for line in said.read_text().splitlines() if "free some space or make it writable" in line]
    figures = f"exit status {status}: {advice[-1] if advice else said.read_text()[-200:]}"
    return Verdict("disk", f"{subject} ends it, saying what to do", figures, status == 1 and bool(advice))


def _goes_on(system: StackProcess, runs: list[int]) -> Verdict:
    system.launch()
    start_s = system.await_ready()
    with Family.of(system.settings(), system.simulator_url()) as family:
        awaited = [*runs, family.finish(len(runs))]
        loaded = happened_epoch_s(awaited, family.is_loaded, _LOADED_S)
    figures = f"up again after {start_s:.0f} s, {len(loaded)} of {len(awaited)} events in the lake"
    return Verdict("disk", "with room again the work goes on", figures, len(loaded) == len(awaited))


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own in `folder`. Errors: `CannotMount`."""
    disk = folder / "disk"
    disk.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={_DISK_MB}m", "tmpfs", str(disk))
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _make_read_only(disk: Path) -> None:
    """Mount the disk read-only. Errors: `NotInTime` where a process keeps a file open for writing."""
    began = time.monotonic()
    while True:
        try:
            return _mount("-o", "remount,ro", str(disk))
        except CannotMount as err:
            if time.monotonic() - began > _CLOSED_S:
                raise NotInTime(f"{_CLOSED_S} s after its end the system still writes to its disk: {err}") from err
            time.sleep(_LOOK_EVERY_S)


def _mount(*arguments: str) -> None:
    try:
        subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True)
    except FileNotFoundError as err:
        raise CannotMount("there is no mount command") from err
    except subprocess.CalledProcessError as err:
        raise CannotMount(str(err.stderr).strip()) from err
