"""The service as every page describes it: its name, its operator and the contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from flask import Flask

from include.mail.letters import SERVICE
from include.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """The service as header and footer name it; fields without a setting are empty."""

    operator: str
    contact: str
    """The address as people read it."""
    contact_url: str
    """The address as a link."""
    policy_url: str
    """The operator's own statement on data protection."""
    name: str = SERVICE

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The service that `settings` describe."""
        contact = settings.contact
        return cls(
            operator=settings.operator_name,
            contact=contact.removeprefix("https://"),
            contact_url=f"mailto:{contact}" if "@" in contact and not contact.startswith("https:") else contact,
            policy_url="" if settings.privacy_url == f"{settings.public_url}/privacy" else settings.privacy_url,
        )


def register(app: Flask, settings: Settings) -> None:
    """Give every template of `app` the variable `service`.

    Effects: one line in the log where the settings do not say who runs it.
    """
    app.jinja_env.globals["service"] = Service.of(settings)
    if settings.missing_rules:
        app.logger.warning("%s", settings.missing_rules_text)
