"""Airflow imported once, in a home of its own, with its own deprecations out of the way."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def airflow(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Airflow as the DAG tests configure it, for they may share the process."""
    if "AIRFLOW_HOME" not in os.environ:
        os.environ |= {
            "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import strava_airflow.hook
        import strava_airflow.publishing
        import strava_airflow.reschedule  # noqa: F401 (imported here so that no test pays for it, or warns)
