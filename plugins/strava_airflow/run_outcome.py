"""The outcome of a run: red after any failed task, green where a ledger takes over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowSkipException


def confirm_run() -> EmptyOperator:
    """A last task that fails if any task before it failed; it needs no worker.

    Airflow judges a run by its last tasks alone: a publishing task that always runs would make every run green.
    """
    return EmptyOperator(task_id="confirm_run", trigger_rule=TriggerRule.NONE_FAILED)


@contextmanager
def ledger_takes_over(context: Mapping[str, Any]) -> Iterator[None]:
    """Turns a passing fault of the task's last try into a skip with a message: its row in the ledger is due again.

    Earlier tries fail, since a fault may pass within seconds; a refusal fails at once and stays red.
    """
    from include.errors import LeaseLost, ObjectConflict, RetryLater

    try:
        yield
    except (LeaseLost, ObjectConflict, RetryLater) as fault:
        task_instance = context["ti"]
        if task_instance.try_number <= task_instance.max_tries:
            raise
        raise AirflowSkipException(f"The ledger has it and reconcile goes on with it. {fault}") from fault
