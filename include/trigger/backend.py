"""Which trigger the settings choose."""

from __future__ import annotations

from include.errors import SettingsError
from include.settings import EXAMPLES, Settings
from include.trigger.trigger import Trigger


def open_trigger(settings: Settings) -> Trigger:
    """The trigger for the scheme of `AIRFLOW_URL`; nothing is called before the first run is started.

    Errors: `SettingsError` for an unknown scheme, and without the user that `http` and `https` need.
    """
    scheme = settings.airflow_url.partition("://")[0]
    if scheme not in {"http", "https"}:
        raise SettingsError(f"AIRFLOW_URL has the unknown scheme {scheme!r} (for example: {EXAMPLES['AIRFLOW_URL']})")
    for variable in ("AIRFLOW_USERNAME", "AIRFLOW_PASSWORD"):
        if not getattr(settings, variable.lower()):
            raise SettingsError(f"{variable} is needed with AIRFLOW_URL (for example: {EXAMPLES[variable]})")

    from include.trigger.rest import RestTrigger

    return RestTrigger(settings.airflow_url, settings.airflow_username, settings.airflow_password)
