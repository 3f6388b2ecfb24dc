"""The protocol of what sends mails."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, in plain text."""

    cause: str
    """What it is about: the same cause makes the same Message-ID."""
    to: str = field(repr=False)
    subject: str
    text: str


class Mailer(Protocol):
    """Sends mails, each as one message; passes `tests/contract/test_mailer.py`."""

    def send(self, mail: Mail) -> None:
        """Hand the mail to whoever delivers it.

        Errors: `OutcomeUnknown` when it may have been taken: do not send it again. After every other error it was
        certainly not sent: `RetryLater` for a fault that passes (`MailPostponed` where it is the address's own),
        `SettingsError` for one that somebody has to mend,
        `MailRefused` for an address that takes no mail. No error names the address.
        """
        ...


def message_of(mail: Mail, sender: str) -> bytes:
    """The mail as it travels (RFC 5322). Errors: `ValueError` where an address or the subject has a line break."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Message-ID"] = f"<{hashlib.sha256(mail.cause.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message.as_bytes()
