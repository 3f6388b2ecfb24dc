"""The settings of a test installation: every leaf in one folder, Strava simulated."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from include.settings import Settings
from local.strava_simulator.world.applications import Application

NO_STRAVA = NO_AIRFLOW = "http://127.0.0.1:9"
"""The discard port: nothing answers there."""


def settings_in(
    folder: Path,
    strava_url: str,
    *,
    application: Application | None = None,
    public_url: str = "http://localhost",
    state_url: str = "",
) -> Settings:
    """Settings with all leaves in `folder`, for the `application` at the simulator at `strava_url`."""
    application = application or Application()
    database = f"sqlite://{folder}/state.sqlite"
    return Settings(
        strava_client_id=str(application.client_id),
        strava_client_secret=application.client_secret,
        webhook_path_secret="w" * 32,
        webhook_verify_token="v" * 32,
        cookie_key="c" * 64,
        public_url=public_url,
        state_url=state_url or database,
        lake_url=f"file://{folder}/lake",
        queue_url=database,
        key_url=f"file://{folder}/token.key",
        catalog_url=f"duckdb://{folder}/catalog.duckdb",
        airflow_url=NO_AIRFLOW,
        strava_api_url=f"{strava_url}/api/v3",
        strava_oauth_url=f"{strava_url}/oauth",
    )


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as environment variables of a process."""
    return {setting.name.upper(): getattr(settings, setting.name) for setting in fields(settings)}
