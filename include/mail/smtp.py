"""Sends mails through an SMTP server, by TLS from the first byte."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field

from include.errors import MailPostponed, MailRefused, OutcomeUnknown, RetryLater, SettingsError
from include.mail.mailer import Mail, message_of

TIMEOUT_S = 5
_TAKEN = 250
_FOR_GOOD = 500
"""The first SMTP status of permanent failures."""


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """One connection for each mail."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    sender: str

    def send(self, mail: Mail) -> None:
        """Hand the mail to the server. A fault before the content is sent means that it was not accepted."""
        body = message_of(mail, self.sender)
        try:
            smtp = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=ssl.create_default_context())
        except (OSError, smtplib.SMTPException) as err:
            raise self._not_reached(err) from err
        try:
            self._begin(smtp, mail)
            self._hand_over(smtp, body)
        finally:
            smtp.close()

    def _begin(self, smtp: smtplib.SMTP_SSL, mail: Mail) -> None:
        try:
            smtp.login(self.user, self.password)
            begun = smtp.mail(self.sender)[0]
            # After a refused sender, the server's response to the address says nothing about the address.
            named = smtp.rcpt(mail.to)[0] if begun <= _TAKEN else begun
        except smtplib.SMTPAuthenticationError as err:
            raise SettingsError(
                f"MAIL_URL: {self.host} refuses its user with MAIL_PASSWORD ({err.smtp_code}); correct one of them"
            ) from None
        except (OSError, smtplib.SMTPException) as err:
            raise self._not_reached(err) from err
        if begun >= _FOR_GOOD:
            raise SettingsError(
                f"CONTACT: {self.host} takes no mail from it ({begun}); let its user send as that address"
            )
        if begun > _TAKEN:
            raise RetryLater(f"MAIL_URL: {self.host} takes no mail at the moment ({begun})")
        self._check(named)

    def _hand_over(self, smtp: smtplib.SMTP_SSL, body: bytes) -> None:
        try:
            code, _ = smtp.data(body)
        except smtplib.SMTPDataError as err:
            code = err.smtp_code  # refused before the content was sent
        except (OSError, smtplib.SMTPException) as err:
            raise OutcomeUnknown(f"{self.host} broke off while it took a mail ({type(err).__name__})") from err
        self._check(code)

    def _check(self, code: int) -> None:
        if code >= _FOR_GOOD:
            raise MailRefused(f"{self.host} refused a mail for good ({code}): the address takes none")
        if code > _TAKEN + 1:
            raise MailPostponed(f"{self.host} takes no mail to this address at the moment ({code})")

    def _not_reached(self, err: Exception) -> RetryLater:
        return RetryLater(f"MAIL_URL: {self.host}:{self.port} could not be asked to send a mail ({type(err).__name__})")
