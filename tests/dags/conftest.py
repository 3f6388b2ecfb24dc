"""One DagBag for all tests of this folder, parsed as MWAA would parse it."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def dag_bag(tmp_path_factory: pytest.TempPathFactory) -> DagBag:
    """The DAGs of this repository; parsing must touch neither `include` nor the network."""
    home = tmp_path_factory.mktemp("airflow")
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
    }
    loaded_before = {name for name in sys.modules if name.split(".")[0] == "include"}
    with warnings.catch_warnings():
        # Airflow's own deprecations at import are not ours to fix.
        warnings.simplefilter("ignore")
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(str(ROOT / "dags"))
    bag.loaded_by_parsing = {  # type: ignore[attr-defined]
        name for name in sys.modules if name.split(".")[0] == "include"
    } - loaded_before
    return bag
