"""Every page in every state that it has something to say in: where it is and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scene:
    """One page in one state."""

    route: str
    purpose: str
    heading: str
    """The page's main heading, by which it is recognised."""


SCENES: Mapping[str, Scene] = {
    "start": Scene("/", "The two ways: to sign in, and to connect and say what is allowed.", "Sign in or connect"),
    "access-denied": Scene("/callback", "The athlete chose Cancel on Strava's page.", "Nothing was connected"),
    "not-connected": Scene(
        "/callback", "Signing in with an account that never connected.", "This account is not connected"
    ),
    "one-more-step": Scene("/callback", "Back from Strava in another browser.", "One more step"),
    "me-new": Scene("/me", "An athlete's own page, just after connecting.", "Hello, Paula"),
    "start-signed-in": Scene("/", "Signed in: the way on, or to allow something else.", "What you allow"),
    "allow-less": Scene(
        "/connect/less", "What is lost by unticking a box, and the question about it.", "Allow less than before?"
    ),
    "invite-child": Scene("/me/invites/new", "Names, and what copies shall carry.", "Invite a child"),
    "invite-child-again": Scene("/me/invites", "What was entered wrong, and where.", "Invite a child"),
    "invited": Scene("/me/invites/…", "The link, to be copied, sent or scanned.", "An invitation for Rex"),
    "own-invitation": Scene("/invite/…", "The parent opens the link.", "This invitation is your own"),
    "invitation": Scene("/invite/…", "Who invites, and what accepting means.", "Paula invites you"),
    "invitation-once-more": Scene(
        "/callback", "Back from Strava in another browser, on the way to accepting.", "One more step"
    ),
    "upload-not-allowed": Scene("/callback", "Uploads were unticked on Strava's page.", "A permission is missing"),
    "child-waiting": Scene("/me", "The child's page until the parent confirms.", "Hello, Rex"),
    "me-confirm": Scene("/me", "The parent confirms who accepted.", "Hello, Paula"),
    "invitation-used": Scene("/invite/…", "The link is opened again.", "This invitation can no longer be used"),
    "declined": Scene("/invite/…", "The invited athlete declined.", "You have declined"),
    "allow-less-child": Scene("/connect/less", "The child gives up receiving copies.", "Allow less than before?"),
    "me": Scene("/me", "Children, an open invitation, and what happened to recent activities.", "Hello, Paula"),
    "child": Scene("/me", "The child's page: the copies, each with its link.", "Hello, Rex"),
    "names-and-options": Scene("/me/children/…", "Which titles, and what copies carry.", "Names and options: Rex"),
    "child-asked": Scene(
        "/me", "The parent wants more than was agreed: both versions, until the child answers.", "Hello, Rex"
    ),
    "remove": Scene("/me/children/…/remove", "What ends is asked once.", "Remove Rex?"),
    "me-removed": Scene("/me", "What was ended, to be undone for a day, and what the child did.", "Hello, Paula"),
    "allow-less-at-strava": Scene(
        "/connect/less", "A box was unticked on Strava's page, which ended the access.", "Allow less than before?"
    ),
    "full-tracks": Scene(
        "/connect/more", "What a wider grant means for each link that it touches.", "Full tracks and your links"
    ),
    "me-paused": Scene("/me", "A paused link, an access that Strava no longer accepts.", "Hello, Paula"),
    "me-refused": Scene("/me", "Strava has refused the access for a week.", "Hello, Paula"),
    "stale-link": Scene("/callback", "A sign-in link that is used again.", "This sign-in link is no longer valid"),
    "no-such-page": Scene("anywhere else", "An address that does not exist.", "There is no such page"),
    "foreign-form": Scene("any form", "A form from before signing out.", "This form can no longer be used"),
    "disconnect": Scene("/me/disconnect", "What disconnecting means.", "Disconnect from Strava?"),
    "disconnected": Scene("/callback", "The access is revoked.", "You are disconnected"),
    "erase": Scene("/me/erase", "What goes, what stays, and the box to tick.", "Erase your data?"),
    "me-wish": Scene("/me", "What Strava has not confirmed to be the athlete's wish.", "Hello, Rex"),
    "me-leaving": Scene("/me", "An erasure was asked for and has not begun.", "Hello, Rex"),
    "erased": Scene("/callback", "The request is stored.", "Your data is being erased"),
    "certificate": Scene("/certificate/…", "What was removed, and when the last trace goes.", "Certificate of erasure"),
    "me-notice": Scene("/me", "The other side of a link was erased.", "Hello, Paula"),
}
"""By name, in the order in which the story comes to them."""
