"""The letters that this service writes: short, in plain text, each with a link to where something can be done."""

from __future__ import annotations

from dataclasses import dataclass

from include.mail.mailer import Mail

SERVICE = "Activity Archive"
"""The service's name on pages and in mails: Strava allows no name with its own in it."""


@dataclass(frozen=True, slots=True)
class Letters:
    """Writes letters for the service at an address."""

    public_url: str
    operator: str

    def confirm_address(self, cause: str, to: str, link: str) -> Mail:
        """The letter by which an athlete proves that the address is theirs."""
        return self._letter(
            cause,
            to,
            "Please confirm your email address",
            f"Somebody, probably you, asked us to write to this address about their account here. To confirm it, open "
            f"this link within a day and press the button:\n\n{link}\n\nIf it was not you, do nothing: we forget the "
            "address within a day.",
        )

    def access_ended(self, cause: str, to: str, *, by_athlete: bool) -> Mail:
        """The letter that nothing more is read or copied."""
        if by_athlete:
            return self._letter(
                cause,
                to,
                "Your Strava account is disconnected",
                "Your Strava account was disconnected on your page here. Nothing more is read from it or copied to it; "
                "what is stored stays. If it was not you, or to have what is stored erased, connect again:"
                f"\n\n{self.public_url}/",
            )
        return self._letter(
            cause,
            to,
            "Please connect your Strava account again",
            "Strava no longer accepts the access that you gave us. Nothing is lost, but nothing new is stored or "
            f"copied until you allow it again on your page:\n\n{self.public_url}/me",
        )

    def copy_waits_for_child(self, cause: str, to: str, name: str) -> Mail:
        """The letter to a parent that copies wait for the child's access."""
        return self._letter(
            cause,
            to,
            f"Copies are waiting for {name}",
            f"Copies of your activities cannot be uploaded to the account of {name}, because it no longer allows that. "
            f"They will be made as soon as {name} connects again and allows uploads. Your page shows which they are:"
            f"\n\n{self.public_url}/me",
        )

    def copy_waits_for_you(self, cause: str, to: str) -> Mail:
        """The letter to a child that copies wait for its own access."""
        return self._letter(
            cause,
            to,
            "Copies are waiting for you",
            "Copies for your Strava account are waiting, because your account does not allow us to upload them. Allow "
            "that on your page, or end the link there if you want no more copies:"
            f"\n\n{self.public_url}/me",
        )

    def erased(self, cause: str, to: str, link_id: str) -> Mail:
        """The letter that an erasure is done."""
        return self._letter(
            cause,
            to,
            "Your data was erased",
            "Everything we kept about you has been erased, and so is this email address once this email is sent. The "
            f"certificate says what was removed and what stays:\n\n{self.public_url}/certificate/{link_id}",
        )

    def _letter(self, cause: str, to: str, subject: str, text: str) -> Mail:
        signature = f"{SERVICE}, run by {self.operator}" if self.operator else SERVICE
        return Mail(cause, to, f"{subject} – {SERVICE}", f"Hello,\n\n{text}\n\n{signature}\n{self.public_url}\n")
