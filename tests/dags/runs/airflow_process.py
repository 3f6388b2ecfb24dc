"""An Airflow of its own, in a process of its own: `python airflow_process.py <home>`.

Each line that it reads is one run as JSON: `dag_id`, `conf`, and the `environment` that its tasks see. Each line that
it answers is the run's state, the state of each task, the results and the labels, and how many events the lake's asset
was told. `dag.test()` runs the tasks as Airflow's own task runner does, one after the other.
Or it is a `call` of Airflow's REST API (method, path, body), which is answered by status and document, or a statement
of `sql` with its `values` for Airflow's database.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from functools import cache
from pathlib import Path
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
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret that only tests know, and long enough",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
    sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]


def run(dag: Any, conf: dict[str, Any], *, is_last_try: bool) -> dict[str, Any]:
    """One run from its form to its end; `conf` names every field, for `dag.test()` keeps those of the run before."""
    for task in dag.tasks:
        task.retries = 0 if is_last_try else dag.default_args["retries"]
        # A task that fails by a fault of ours ends its run within seconds, not after ten minutes of tries.
        task.retry_delay, task.retry_exponential_backoff = timedelta(0), 0.0
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
            "told": events.count(),
        }


@cache
def api() -> Any:
    """A client of Airflow's REST API, which knows all DAGs."""
    from airflow.api_fastapi.app import create_app
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session
    from fastapi.testclient import TestClient

    with create_session() as session:
        session.merge(DagBundleModel(name="dags-folder"))
    sync_bag_to_db(DagBag(str(ROOT / "dags")), "dags-folder", None)
    return TestClient(create_app("core"))


def call(method: str, path: str, body: Any) -> list[Any]:
    """What Airflow answers to a call of its API."""
    answer = api().request(method, f"/api/v2{path}", json=body)
    return [answer.status_code, answer.json()]


def execute(statement: str, values: dict[str, Any]) -> list[Any]:
    """The rows that a statement returns."""
    from airflow.utils.session import create_session
    from sqlalchemy import text

    with create_session() as session:
        result = session.execute(text(statement), values)
        return [list(row) for row in result] if result.returns_rows else []


def answer(bag: Any, order: dict[str, Any]) -> Any:
    """What became of one order."""
    if "call" in order:
        return call(*order["call"])
    if "sql" in order:
        return execute(order["sql"], order.get("values", {}))
    os.environ |= order["environment"]
    return run(bag.dags[order["dag_id"]], order["conf"], is_last_try=order["is_last_try"])


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Airflow prints is no answer
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    bag = DagBag(str(ROOT / "dags"))
    for line in sys.stdin:
        print(json.dumps(answer(bag, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    configure(Path(sys.argv[1]))
    main()
