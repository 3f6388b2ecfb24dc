"""Fixtures of the mails."""

from tests.webhook_api.mail.post import ada, confirmed, post, stranger

__all__ = ["ada", "confirmed", "post", "stranger"]
