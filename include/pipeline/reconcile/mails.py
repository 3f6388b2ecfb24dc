"""Tells athletes by mail when an access has ended, a copy waits for somebody, or an erasure is done: once per cause.

A claim is stored first, then the mail is sent, then it is marked as sent. A mail that was certainly not sent gives its
claim back and is tried again in the next round. A mail in doubt, because the worker died or the connection broke, is
not sent again: one mail missed is better than the same mail again and again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from include.errors import CipherError, IngestError, MailPostponed, MailRefused, OutcomeUnknown
from include.mail.backend import open_mailer
from include.mail.letters import Letters
from include.mail.mailer import Mail, Mailer
from include.settings import Settings
from include.state.accounts.athletes import AthleteRow, AthleteStatus
from include.state.copies.states import CopyState
from include.state.state import UsesState
from include.strava.scopes import ACTIVITY_WRITE

log = logging.getLogger(__name__)

DOUBT_S = 3_600
"""How long a claim may last: after that its worker has died, and the mail is not sent any more."""


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why an athlete gets a mail, and the function that writes it; the key is the same in every round."""

    key: str
    letter: Callable[[str, str], Mail]


def send_mails(services: UsesState, settings: Settings) -> int:
    """Send the mails that are due; returns how many the server accepted, 0 where `MAIL_URL` is empty.

    Errors: those of `Mailer.send` that are about the server; the remaining mails are tried in the next round.
    """
    mailer = open_mailer(settings)
    if mailer is None:
        return 0
    letters = Letters(settings.public_url, settings.operator_name)
    return _of_erasures(services, mailer, letters) + _of_athletes(services, mailer, letters)


def _of_erasures(services: UsesState, mailer: Mailer, letters: Letters) -> int:
    sent = 0
    certificates = services.state.certificates
    for due in certificates.mail_due():
        claimed = certificates.claim(due)
        if claimed is None:
            if services.clock() - (due.claimed_at_epoch_s or 0) > DOUBT_S:
                certificates.forget_address(due)
            continue
        to = _opened(services, due.athlete_id, due.sealed_address)
        if to is not None:
            mail = letters.erased(f"erased.{due.link_id}", to, due.link_id)
            try:
                sent += _hand_over(mailer, mail, due.athlete_id, partial(certificates.unclaim, claimed))
            except MailPostponed:
                continue  # one full mailbox keeps nobody else from being told
        certificates.forget_address(claimed)
    return sent


def _of_athletes(services: UsesState, mailer: Mailer, letters: Letters) -> int:
    sent = 0
    mails = services.state.sent_mails
    for address in services.state.mail_addresses.confirmed():
        athlete_id = address.athlete_id
        athlete = services.state.athletes.get(athlete_id)
        if athlete is None or services.state.erasures.forbid_writing(athlete_id):
            continue  # the address goes with the erasure, which has a mail of its own
        for cause in _causes(services, athlete, letters):
            to = None if mails.knows(athlete_id, cause.key) else _opened(services, athlete_id, address.sealed)
            if to is None or not mails.claim(athlete_id, cause.key):
                continue
            mail = cause.letter(f"{athlete_id}.{cause.key}", to)
            try:
                is_sent = _hand_over(mailer, mail, athlete_id, partial(mails.unclaim, athlete_id, cause.key))
            except MailPostponed:
                continue
            if is_sent:
                mails.note_sent(athlete_id, cause.key)
                sent += 1
    return sent


def _causes(services: UsesState, athlete: AthleteRow, letters: Letters) -> Iterator[_Cause]:
    """The causes that hold now; of most the athlete was told in an earlier round."""
    since = athlete.authorised_at_epoch_s
    if athlete.status is not AthleteStatus.ACTIVE:
        by_athlete = athlete.status is AthleteStatus.REVOKED
        yield _Cause(f"access_ended.{since}", partial(letters.access_ended, by_athlete=by_athlete))
    elif ACTIVITY_WRITE not in athlete.scopes and _waits(services, int(athlete.athlete_id), None):
        yield _Cause(f"copy_waits_for_you.{since}", letters.copy_waits_for_you)
    for link in services.state.links.of_parent(athlete.athlete_id):
        child = services.state.athletes.get(link.child_id) if link.makes_copies else None
        if child is None or (child.status is AthleteStatus.ACTIVE and ACTIVITY_WRITE in child.scopes):
            continue
        key = f"copy_waits.{link.child_id}.{child.authorised_at_epoch_s}"
        known = services.state.sent_mails.knows(athlete.athlete_id, key)
        if not known and _waits(services, link.child_id, athlete.athlete_id):
            yield _Cause(key, partial(letters.copy_waits_for_child, name=link.names[0]))


def _waits(services: UsesState, child_id: int, parent_id: int | None) -> bool:
    """Whether a copy, of this parent's where one is named, waits for the child's access."""
    return any(
        copy.state is CopyState.WAITING_FOR_ACCESS and parent_id in (None, copy.parent_id)
        for copy in services.state.copies.of_child(child_id)
    )


def _opened(services: UsesState, athlete_id: int, sealed: str) -> str | None:
    try:
        return services.state.mail_addresses.opened(athlete_id, sealed)
    except CipherError as err:
        log.warning("The mail address of athlete %d cannot be opened, so no mail is sent: %s", athlete_id, err)
        return None


def _hand_over(mailer: Mailer, mail: Mail, athlete_id: int, give_back: Callable[[], None]) -> bool:
    """Send the mail once; False where it was refused or is in doubt, and is not tried again.

    Errors: those after which it was certainly not sent, `MailPostponed` among them; then the claim is given back.
    """
    try:
        mailer.send(mail)
    except OutcomeUnknown as err:
        log.warning("Whether athlete %d got a mail is not known, and it is not sent again: %s", athlete_id, err)
        return False
    except MailRefused as err:
        log.warning("Athlete %d got no mail: %s", athlete_id, err)
        return False
    except IngestError as err:
        give_back()
        log.warning("Athlete %d got no mail yet; the next round tries again: %s", athlete_id, err)
        raise
    return True
