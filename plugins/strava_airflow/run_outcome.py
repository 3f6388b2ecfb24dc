"""The outcome of a run: failed after any failed task, successful where a ledger takes over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowSkipException


def confirm_run() -> EmptyOperator:
    """A last task that fails if any task before it failed; it needs no worker.

    Airflow decides a run's state by its last tasks: a publishing task that always runs would make every run successful.
    """
    return EmptyOperator(task_id="confirm_run", trigger_rule=TriggerRule.NONE_FAILED)


@contextmanager
def ledger_takes_over(context: Mapping[str, Any]) -> Iterator[None]:
    """Turns a temporary fault of the task's last try into a skip with a message: its row in the ledger is due again.

    Earlier tries fail, since a fault may pass within seconds; a refusal fails the task at once.
    """
    from include.errors import LeaseLost, ObjectConflict, RetryLater

    try:
        yield
    except (LeaseLost, ObjectConflict, RetryLater) as fault:
        task_instance = context["ti"]
        if task_instance.try_number <= task_instance.max_tries:
            raise
        raise AirflowSkipException(f"The work is due in the ledger; reconcile queues it again. {fault}") from fault
