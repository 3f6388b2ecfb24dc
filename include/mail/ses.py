"""Sends mails through Amazon SES."""

from __future__ import annotations

from include.aws import Patience, aws_faults, open_client
from include.errors import MailRefused, OutcomeUnknown, RetryLater, SettingsError
from include.mail.mailer import Mail, message_of

_ONCE = Patience(connect_s=2, read_s=5, attempts=1)
"""A broken call is not repeated, because SES has no idempotency key."""

_SETTINGS = frozenset(
    {"AccountSuspendedException", "MailFromDomainNotVerifiedException", "MessageRejected", "SendingPausedException"}
)


class SesMailer:
    """One call of `SendEmail` for each mail."""

    def __init__(self, region: str, sender: str) -> None:
        self._client = open_client("sesv2", "MAIL_URL", _ONCE, region)
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """Hand the mail to SES; without a response, its outcome is unknown."""
        from botocore import exceptions as aws

        body = message_of(mail, self._sender)
        try:
            with aws_faults("MAIL_URL"):
                self._send(mail.to, body)
        except RetryLater as err:
            cause = err.__cause__
            if isinstance(cause, aws.ReadTimeoutError | aws.ConnectionClosedError) or _is_5xx(cause):
                raise OutcomeUnknown("MAIL_URL: SES broke off while it took a mail") from None
            raise

    def _send(self, to: str, body: bytes) -> None:
        try:
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [to]},
                Content={"Raw": {"Data": body}},
            )
        except self._client.exceptions.ClientError as err:
            code = err.response["Error"]["Code"]
            if code in _SETTINGS:
                raise SettingsError(
                    f"MAIL_URL: SES sends no mail from CONTACT ({code}): verify that address in SES's console, and ask "
                    "there for production access, without which only verified addresses get mails"
                ) from None
            if code == "BadRequestException":
                raise MailRefused(f"SES refused a mail for good ({code}): the address takes none") from None
            raise


def _is_5xx(cause: BaseException | None) -> bool:
    response = getattr(cause, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500
