"""Airflow's cluster policy where the triggerer does not reach AWS: deferrable operators wait in their task.

The triggerer would need aiobotocore for AWS, which MWAA's image has and this machine does not.
"""

from __future__ import annotations

from typing import Any

POLL_S = 1


def task_policy(task: Any) -> None:
    """Let a deferrable operator poll every second in its own task."""
    if getattr(task, "deferrable", False):
        task.deferrable = False
        task.poll_interval = POLL_S
