"""Loads DAGs and plugins as MWAA would: `python -I probe_airflow.py <folder with dags/ and plugins/> <dags|plugins>`.

Run it where only MWAA's packages and our requirements.txt are installed; nothing of this repository is on the path.
`dags` does what the DAG processor and the workers do; `plugins` does what the triggerer and the API server do, without
a dags folder.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
import warnings
from pathlib import Path


def main(folder: str, what: str) -> None:
    """Print what was loaded, and what failed to load."""
    os.environ |= {
        "AIRFLOW_HOME": folder,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    }
    warnings.simplefilter("ignore")  # Airflow's own deprecations
    print(json.dumps(load_dags(Path(folder)) if what == "dags" else load_plugins()))


def load_dags(folder: Path) -> dict[str, object]:
    """Parse every DAG file, then import every module that tasks can use."""
    from airflow.dag_processing.dagbag import DagBag

    dags = folder / "dags"
    sys.path.append(str(dags))
    bag = DagBag(str(dags))
    return {
        "dags": sorted(bag.dags),
        "errors": {Path(file).name: error for file, error in bag.import_errors.items()},
        "slowest_s": max(stat.duration.total_seconds() for stat in bag.dagbag_stats),
        "modules": _import_all("include") + _import_all("strava_airflow"),
    }


def load_plugins() -> dict[str, object]:
    """Let Airflow load its plugins, then import all of our modules."""
    from airflow import plugins_manager

    before = set(sys.modules)
    plugins_manager.ensure_plugins_loaded()
    strays = {name for name in set(sys.modules) - before if _is_below_plugins(name) and "." not in name}
    return {
        "errors": dict(plugins_manager.get_import_errors()),
        "strays": sorted(strays - {"strava_airflow"}),
        "modules": _import_all("strava_airflow"),
    }


def _import_all(package: str) -> int:
    root = importlib.import_module(package)
    names = [module.name for module in pkgutil.walk_packages(root.__path__, f"{package}.")]
    for name in names:
        importlib.import_module(name)
    return len(names)


def _is_below_plugins(name: str) -> bool:
    return "/plugins/" in (getattr(sys.modules[name], "__file__", None) or "")


if __name__ == "__main__":
    main(*sys.argv[1:])
