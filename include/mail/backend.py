"""Opens the mailer that the settings name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from include.errors import SettingsError
from include.mail.mailer import Mailer
from include.setting_values import MAIL_FOLDER_URL, SES_URL, SMTP_URL
from include.settings import Settings


def open_mailer(settings: Settings) -> Mailer | None:
    """The mailer at `MAIL_URL`: `smtps://user@host:port`, `ses://region` or `file:///folder`; None where it is empty.

    Mails come from `CONTACT`, so that a reply reaches the operator. Nothing is called yet.
    Errors: `SettingsError` for another address; those that were read from the environment are checked already.
    """
    url, sender = settings.mail_url, settings.contact
    if not url:
        return None
    if smtp := SMTP_URL.fullmatch(url):
        from include.mail.smtp import SmtpMailer

        return SmtpMailer(smtp["host"], int(smtp["port"]), unquote(smtp["user"]), settings.mail_password, sender)
    if ses := SES_URL.fullmatch(url):
        from include.mail.ses import SesMailer

        return SesMailer(ses["region"], sender)
    if folder := MAIL_FOLDER_URL.fullmatch(url):
        from include.mail.files import FileMailer

        return FileMailer(Path(folder["folder"]), sender)
    raise SettingsError("MAIL_URL is no supported address")
