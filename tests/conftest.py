"""Rules for every test: which examples property tests draw, that sockets stay closed, and what counts as recorded.

Tests' files lie in memory where there is room for them: every row and object is written through to its disk, and on a
real one a third of the time would go into waiting for that.
The gate draws the same examples every time; `make explore` draws new ones, and remembers those that failed.
Sockets reach the loopback servers of tests marked `network`, and nothing else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure: what hangs ends by pytest's own time limit.
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("gate", derandomize=True, database=None, **_PATIENT)
settings.register_profile("explore", max_examples=1000, print_blob=True, **_PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own in it
_ROOM_BYTES = 4_000_000_000


def _has_room(folder: Path) -> bool:
    """Whether tests' files fit into the folder, and programs among them run there."""
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize >= _ROOM_BYTES and not found.f_flag & os.ST_NOEXEC


if _has_room(_MEMORY):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

INVENTED = Path(__file__).parent / "fixtures" / "recorded"
REAL = Path(__file__).parents[2] / "shared" / "recorded"
"""Answers recorded from Strava; personal data, so they lie beside the repository, where they lie at all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests marked `network` reach the loopback interface, and nothing else."""
    for item in items:
        if item.get_closest_marker("network"):
            item.add_marker(pytest.mark.enable_socket)
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, at the end, if the store's contract was tested without DynamoDB Local."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    if any(str(getattr(report, "nodeid", "")).startswith("tests/contract/store/") for report in reports):
        from local.aws.dynamodb_local.server import missing

        if lack := missing():
            terminalreporter.write_line(f"The store's contract was tested without DynamoDB Local: {lack}")


@pytest.fixture(scope="session", params=["invented", *(["real"] if REAL.is_dir() else [])])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of answers recorded from Strava: an invented one always, the real one too where it is at hand."""
    if request.param == "real":
        return REAL
    folder = tmp_path_factory.mktemp("recorded")
    subprocess.run([sys.executable, str(INVENTED), str(folder)], check=True)
    return folder
