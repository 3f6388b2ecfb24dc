"""Every page in every state that it has something to say in: where it is and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local.docs.pictures.camera import VIEWS, View

PHONE = VIEWS[:1]


@dataclass(frozen=True, slots=True)
class Scene:
    """One page in one state."""

    route: str
    purpose: str
    heading: str
    """The page's main heading, by which it is recognised."""
    views: tuple[View, ...] = VIEWS
    """How it is shown; on a phone alone where another scene shows the same page in every view."""


SCENES: Mapping[str, Scene] = {
    "start": Scene("/", "The two ways in: to sign in, or to connect and say what is allowed.", "Sign in or connect"),
    "privacy": Scene(
        "/privacy", "What is kept, why, where and for how long; rights, and how to leave.", "What we keep about you"
    ),
    "access-denied": Scene(
        "/callback",
        "The athlete chose Cancel on Strava's page. All problem pages look like this.",
        "Nothing was connected",
    ),
    "not-connected": Scene(
        "/callback", "Signing in with an account that never connected.", "This account is not connected", PHONE
    ),
    "one-more-step": Scene("/callback", "Back from Strava in another browser.", "One more step", PHONE),
    "me-new": Scene("/me", "The parent's own page, just after connecting.", "Hello, Paula"),
    "mail-confirm": Scene(
        "/mail/confirm/…",
        "The parent gave an email address, and opens the link sent there.",
        "Confirm your email address",
    ),
    "start-signed-in": Scene("/", "Signed in: the way to the own page, or to allow something else.", "What you allow"),
    "allow-less": Scene(
        "/connect/less", "Unticking a box: what would be lost, and the choice.", "Allow less than before?"
    ),
    "invite-child": Scene("/me/invites/new", "Names, and what copies will contain.", "Invite a child"),
    "invite-child-again": Scene("/me/invites", "What was entered wrong, and where.", "Invite a child", PHONE),
    "invited": Scene("/me/invites/…", "The link, to be copied, sent or scanned.", "An invitation for Rex"),
    "own-invitation": Scene("/invite/…", "The parent opens the link.", "This invitation is your own"),
    "invitation": Scene("/invite/…", "The child reads who invites, and what accepting means.", "Paula invites you"),
    "invitation-once-more": Scene(
        "/callback", "Back from Strava in another browser, on the way to accepting.", "One more step", PHONE
    ),
    "upload-not-allowed": Scene(
        "/callback", "The child unticked uploads on Strava's page.", "A permission is missing", PHONE
    ),
    "child-waiting": Scene("/me", "The child's page until the parent confirms.", "Hello, Rex", PHONE),
    "me-confirm": Scene("/me", "The parent looks who accepted, and confirms.", "Hello, Paula"),
    "invitation-used": Scene("/invite/…", "The link is opened again.", "This invitation can no longer be used", PHONE),
    "declined": Scene("/invite/…", "Somebody else declined an invitation.", "You have declined"),
    "allow-less-child": Scene(
        "/connect/less", "The child gives up receiving copies.", "Allow less than before?", PHONE
    ),
    "me": Scene("/me", "Children, an open invitation, and what became of recent activities.", "Hello, Paula"),
    "child": Scene("/me", "The child's page: what is copied, and the copies, each with its link.", "Hello, Rex"),
    "me-week-later": Scene(
        "/me",
        "A week later, on another phone: one press of “Sign in with Strava”, and everything is still there.",
        "Hello, Paula",
        PHONE,
    ),
    "names-and-options": Scene(
        "/me/children/…", "The parent adds the dog's name, and private activities.", "Names and options: Rex", PHONE
    ),
    "me-asked": Scene(
        "/me", "That is more than was agreed: on the parent's page it waits for the child's yes.", "Hello, Paula", PHONE
    ),
    "child-asked": Scene("/me", "The child reads both versions side by side.", "Hello, Rex"),
    "child-says-no": Scene(
        "/me/parents/…/decline",
        "A no is asked about once, and says who reads of it.",
        "Say no to the change that Paula would like?",
    ),
    "child-said-no": Scene(
        "/me", "Nothing has changed for the child, who can undo the no for a day.", "Hello, Rex", PHONE
    ),
    "me-told-no": Scene("/me", "The parent reads of the no, and cannot ask again for a week.", "Hello, Paula", PHONE),
    "child-asked-again": Scene(
        "/me",
        "A week later the parent asks for the dog's name alone; the child reads both versions.",
        "Hello, Rex",
        PHONE,
    ),
    "child-said-yes": Scene("/me", "The child said yes: what is copied from now on.", "Hello, Rex", PHONE),
    "me-told-yes": Scene("/me", "The parent reads of the yes.", "Hello, Paula", PHONE),
    "remove": Scene("/me/children/…/remove", "What ends is asked about once.", "Remove Rex?"),
    "me-removed": Scene("/me", "What was ended can be undone for a day.", "Hello, Paula", PHONE),
    "allow-less-at-strava": Scene(
        "/connect/less",
        "A box was unticked on Strava's page, which ended the access.",
        "Allow less than before?",
        PHONE,
    ),
    "full-tracks": Scene(
        "/connect/more", "What a wider permission means for each link that it touches.", "Full tracks and your links"
    ),
    "me-paused": Scene("/me", "A paused link, and an access that Strava no longer accepts.", "Hello, Paula", PHONE),
    "me-refused": Scene("/me", "Strava has refused the access for a week.", "Hello, Paula", PHONE),
    "stale-link": Scene(
        "/callback", "A sign-in link that is used again.", "This sign-in link is no longer valid", PHONE
    ),
    "no-such-page": Scene("anywhere else", "An address that does not exist.", "There is no such page", PHONE),
    "foreign-form": Scene("any form", "A form from before signing out.", "This form can no longer be used", PHONE),
    "disconnect": Scene("/me/disconnect", "What disconnecting means.", "Disconnect from Strava?"),
    "disconnected": Scene("/callback", "The access has ended.", "You are disconnected"),
    "erase": Scene("/me/erase", "What goes, what stays, and the box to tick.", "Erase your data?"),
    "me-wish": Scene("/me", "Strava has not confirmed yet that it was the athlete who asked.", "Hello, Rex", PHONE),
    "me-leaving": Scene("/me", "The erasure is asked for and has not begun.", "Hello, Rex", PHONE),
    "erased": Scene("/callback", "The request is stored.", "Your data is being erased"),
    "certificate": Scene("/certificate/…", "What was removed, and when the last trace goes.", "Certificate of erasure"),
    "me-notice": Scene("/me", "The parent reads that the child was erased.", "Hello, Paula", PHONE),
}
"""By name, in the order in which the story comes to them."""
