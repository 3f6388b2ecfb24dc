"""An Airflow of its own, in a process of its own: `python airflow_process.py <home>`.

Each line that it reads is one run as JSON: `dag_id`, `conf`, and the `environment` that its tasks see. Each line that
it answers is the run's state, the state of each task, the results and the labels, and the partitions told to the lake's
asset. `dag.test()` runs the tasks as Airflow's own task runner does, one after the other.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).parents[3]


def configure(home: Path) -> None:
    """Everything that Airflow reads when it is imported."""
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
    sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]


def run(dag: Any, conf: dict[str, Any]) -> dict[str, Any]:
    """One run from its form to its end; `conf` names every field, for `dag.test()` keeps those of the run before."""
    from airflow.models.asset import AssetEvent
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    ended = dag.test(run_conf=conf)
    with create_session() as session:
        results = session.query(XComModel).filter_by(dag_id=dag.dag_id, run_id=ended.run_id, key="return_value")
        events = session.query(AssetEvent).filter_by(source_dag_id=dag.dag_id, source_run_id=ended.run_id)
        instances = ended.get_task_instances(session=session)
        return {
            "state": str(ended.state),
            "tasks": [[each.task_id, each.map_index, str(each.state)] for each in instances],
            "labels": [each.rendered_map_index for each in instances if each.map_index >= 0],
            "results": [[each.task_id, each.map_index, XComModel.deserialize_value(each)] for each in results],
            "partitions": [event.extra["partitions"] for event in events],
        }


def register(dag: Any, events: list[Any]) -> dict[str, Any]:
    """The catalogue's own task for asset events with these partitions; `dag.test()` cannot bring a run any."""
    told = {"strava_lake": [SimpleNamespace(extra={"partitions": partitions}) for partitions in events]}
    return {"registered": dag.get_task("register_partitions").python_callable(triggering_asset_events=told)}


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Airflow prints is no answer
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    bag = DagBag(str(ROOT / "dags"))
    for line in sys.stdin:
        order = json.loads(line)
        os.environ |= order["environment"]
        dag = bag.dags[order["dag_id"]]
        answer = register(dag, order["events"]) if "events" in order else run(dag, order["conf"])
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    configure(Path(sys.argv[1]))
    main()
