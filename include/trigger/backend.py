"""Opens the Airflow API that the settings name."""

from __future__ import annotations

import re

from include.errors import SettingsError
from include.setting_values import EXAMPLES
from include.settings import DispatcherSettings
from include.trigger.api import AirflowApi

_MWAA = re.compile(r"mwaa://(?P<environment>[A-Za-z][A-Za-z0-9_-]{0,79})")


def open_airflow(settings: DispatcherSettings) -> AirflowApi:
    """The Airflow that `AIRFLOW_URL` names: `http://` or `https://` its own host, or `mwaa://<environment>`.

    Nothing is called yet.
    Errors: `SettingsError` for an unknown address, and without the user that `http` and `https` need.
    """
    if mwaa := _MWAA.fullmatch(settings.airflow_url):
        from include.trigger.mwaa import MwaaApi

        return MwaaApi(mwaa["environment"])
    scheme = settings.airflow_url.partition("://")[0]
    if scheme not in {"http", "https"}:
        raise SettingsError(
            f"AIRFLOW_URL is {settings.airflow_url!r}, which is not a supported address "
            f"(for example: {EXAMPLES['AIRFLOW_URL']}, or mwaa://my-environment)"
        )
    for variable in ("AIRFLOW_USERNAME", "AIRFLOW_PASSWORD"):
        if not getattr(settings, variable.lower()):
            raise SettingsError(f"{variable} is needed with AIRFLOW_URL (for example: {EXAMPLES[variable]})")

    from include.trigger.rest import RestApi

    return RestApi(settings.airflow_url, settings.airflow_username, settings.airflow_password)
