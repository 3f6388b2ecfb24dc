"""Opens the mailer that the settings name."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from include.errors import SettingsError
from include.mail.mailer import Mailer
from include.settings import EXAMPLES, Settings

_SMTP = re.compile(r"smtps://(?P<user>[^:@/\s]+)@(?P<host>[A-Za-z0-9.-]+):(?P<port>[0-9]{1,5})")
_SES = re.compile(r"ses://(?P<region>[a-z]{2}(-[a-z]+)+-[0-9])")


def open_mailer(settings: Settings) -> Mailer | None:
    """The mailer at `MAIL_URL`: `smtps://user@host:port`, `ses://region` or `file:///folder`; None where it is empty.

    Mails come from `CONTACT`, so that an answer reaches whoever runs the service. Nothing is called yet.
    Errors: `SettingsError` for an unknown address, and where `CONTACT` or `MAIL_PASSWORD` lack.
    """
    url = settings.mail_url
    if not url:
        return None
    sender = settings.contact
    if "@" not in sender or sender.startswith("https:"):
        raise SettingsError("CONTACT has to be a mail address where MAIL_URL is set: mails come from it")
    if smtp := _SMTP.fullmatch(url):
        if not settings.mail_password:
            raise SettingsError("MAIL_PASSWORD is needed with MAIL_URL: the password of its user")
        from include.mail.smtp import SmtpMailer

        return SmtpMailer(smtp["host"], int(smtp["port"]), unquote(smtp["user"]), settings.mail_password, sender)
    if ses := _SES.fullmatch(url):
        from include.mail.ses import SesMailer

        return SesMailer(ses["region"], sender)
    if url.startswith("file:///"):
        from include.mail.files import FileMailer

        return FileMailer(Path(url.removeprefix("file://")), sender)
    raise SettingsError(  # which may hold a password, and so is not repeated here
        f"MAIL_URL is no supported address: set it to one like {EXAMPLES['MAIL_URL']}, ses://eu-central-1 or "
        "file:///var/lib/strava/mails, without a password, which is MAIL_PASSWORD"
    )
