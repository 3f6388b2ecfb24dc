"""The protocol of mailers, and a mail's content."""

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
    """An id of the reason for the mail: mails with an equal cause have an equal Message-ID."""
    to: str = field(repr=False)
    subject: str
    text: str


class Mailer(Protocol):
    """Sends mails, each as one message; passes `tests/contract/test_mailer.py`."""

    def send(self, mail: Mail) -> None:
        """Hand the mail over for delivery.

        Errors: `OutcomeUnknown` when it may have been accepted: do not send it again. After every other error it was
        certainly not sent: `RetryLater` for a temporary fault (`MailPostponed` if it concerns only this address),
        `SettingsError` for a fault that an operator has to mend, `MailRefused` for an address that accepts no mail. No
        error names the address.
        """
        ...


def message_of(mail: Mail, sender: str) -> bytes:
    """The mail in the form of RFC 5322. Errors: `ValueError` for a line break in an address or the subject."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Message-ID"] = f"<{hashlib.sha256(mail.cause.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message.as_bytes()
