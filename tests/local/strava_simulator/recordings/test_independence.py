"""The simulator judges the system, so its data shares no code with it, and needs no server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
LOADED = """
import sys
import local.strava_simulator.files.reader
import local.strava_simulator.recordings.directory
import local.strava_simulator.recordings.generator
unwanted = {"include", "webhook_api", "flask", "requests", "airflow"}
print(*sorted({name.split(".")[0] for name in sys.modules} & unwanted))
"""


def test_data_modules_load_neither_the_system_nor_a_server() -> None:
    outcome = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert outcome.stdout.split() == []
