"""Writes mails into a folder: the implementation of `Mailer` for one machine, where none has to be sent."""

from __future__ import annotations

import uuid
from pathlib import Path

from include.errors import RetryLater
from include.mail.mailer import Mail, message_of


class FileMailer:
    """One file for each mail, with a random name, readable by its owner alone."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """Write the mail. Effects: creates the file atomically."""
        body = message_of(mail, self._sender)
        name = uuid.uuid4().hex
        part = self._folder / f".{name}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.touch(mode=0o600)
            part.write_bytes(body)
            part.rename(self._folder / f"{name}.eml")
        except OSError as err:
            raise RetryLater(f"MAIL_URL: no mail can be written into its folder ({err.strerror})") from err
