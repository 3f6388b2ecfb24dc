"""Airflow's hook: opens the domain's services with the secrets of a Connection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from include.pipeline.services import Services
    from include.settings import Settings


class StravaHook(BaseHook):
    """Opens the services of a task.

    The secrets come from the Airflow Connection `strava_api` (its `extra` holds them under the names of
    their environment variables), everything else from the process environment.
    """

    def __init__(self, strava_conn_id: str = "strava_api") -> None:
        super().__init__()
        self.strava_conn_id = strava_conn_id

    def settings(self) -> Settings:
        """The settings of this environment. Errors: `SettingsError` that names the missing ones."""
        from include.settings import Settings

        extra = self.get_connection(self.strava_conn_id).extra_dejson
        secrets = {name: str(value) for name, value in extra.items()}  # the client id may be stored as a number
        return Settings.from_environ({**os.environ, **secrets})

    @contextmanager
    def services(self, priority: str = "LIVE") -> Iterator[Services]:
        """The services of one task, closed at its end; `priority` decides which calls get Strava's quota first."""
        from include.pipeline.services import open_services
        from include.strava.client import Priority

        with open_services(self.settings(), priority=Priority[priority]) as services:
            yield services
