"""Chapter 4: who may do what, and to whose."""

from __future__ import annotations

from local.proofs.guards.requirement import Guard, Requirement

_STRANGERS = "tests/webhook_api/guards/test_strangers.py::test_page_of_an_athletes_own_leads_a_stranger_to_the_start"
_SCOPES = "tests/webhook_api/pages/test_oauth_flow.py::test_scope_counts_where_it_was_asked_for_shown_and_proved"
_OWN_PAGES = (
    "webhook_api/pages/me.py",
    "webhook_api/pages/linking/children.py",
    "webhook_api/pages/linking/parents.py",
    "webhook_api/pages/linking/inviting.py",
    "webhook_api/pages/disconnect.py",
    "webhook_api/pages/erase.py",
    "webhook_api/pages/wishes.py",
    "webhook_api/mail/own_mail.py",
)

REQUIREMENTS = (
    Requirement(
        "4.1.1",
        "The server decides who may do what.",
        "One check before every page of an athlete's own, whatever is asked there; there is no client that decides.",
        tuple(Guard(page, "blueprint.before_request(require_athlete)\n", "", _STRANGERS) for page in _OWN_PAGES),
    ),
    Requirement(
        "4.1.2",
        "Nobody can change what decides about access.",
        "A scope counts where we asked for it, Strava's redirect shows it and, where the token says so, proves it.",
        (
            Guard(
                "webhook_api/pages/consent.py",
                "return granted if proved is None else granted & proved",
                "return granted",
                _SCOPES,
            ),
            Guard(
                "webhook_api/pages/consent.py",
                "granted = self.scopes & parse_scopes(address)",
                "granted = parse_scopes(address)",
                _SCOPES,
            ),
        ),
    ),
    Requirement(
        "4.1.3",
        "Everybody has the least rights that the work needs.",
        "Each function on AWS has a role of its own; tokens are opened only in the context of one athlete.",
        (
            Guard(
                "terraform/modules/webhook_api/iam.tf",
                '          Null         = { "kms:EncryptionContext:athlete_id" = "false" }\n',
                "",
                "tests/terraform/test_policies.py::test_tokens_are_opened_only_in_an_athletes_context",
            ),
        ),
    ),
    Requirement(
        "4.1.5",
        "Where something is missing or wrong, nobody gets in.",
        "An athlete whose access is gone is signed in nowhere; an event of an unknown athlete is dropped.",
        (
            Guard(
                "webhook_api/session.py",
                "athlete.status is AthleteStatus.REVOKED or ",
                "",
                "tests/webhook_api/test_session.py::test_every_session_of_an_athlete_ends_when_the_access_is_gone",
            ),
            Guard(
                "webhook_api/webhook.py",
                "if edge.state.athletes.get(event.owner_id) is None:",
                "if False:",
                "tests/webhook_api/webhook/test_events.py::test_event_is_answered_200_and_dropped_when_it_is_not_ours",
            ),
        ),
    ),
    Requirement(
        "4.2.1",
        "Another's id in an address or a form opens nothing.",
        "Every row is read by the signed-in athlete's own id. Another's id and an unknown one are answered alike.",
        (
            Guard(
                "webhook_api/pages/linking/inviting.py",
                "if invite is None or invite.parent_id != current_athlete().athlete_id:",
                "if invite is None:",
                "tests/webhook_api/guards/test_alike.py"
                "::test_others_ids_and_unknown_ones_are_answered_alike_everywhere",
            ),
            Guard(
                "webhook_api/pages/me.py",
                "if copy is None or copy.parent_id != athlete_id:",
                "if copy is None:",
                "tests/webhook_api/pages/me/test_copies.py::test_copy_of_others_is_not_tried_again",
            ),
        ),
    ),
    Requirement(
        "4.2.2",
        "No other site can act with an athlete's session.",
        "Every form has a token that is bound to the session. An OAuth flow ends only in the browser that began it.",
        (
            Guard(
                "webhook_api/csrf.py",
                "if session is None or not _signer().verify_signature(session.nonce, given):",
                "if session is None:",
                "tests/webhook_api/test_csrf.py::test_form_is_refused_when_its_token_is_not_ours",
            ),
            Guard(
                "webhook_api/csrf.py",
                "get_signature(session.nonce)",
                'get_signature("form")',
                "tests/webhook_api/test_csrf.py::test_form_is_taken_when_its_token_is_ours",
            ),
            Guard(
                "webhook_api/pages/consent.py",
                'is_ours = hmac.compare_digest(cookie.read(STATE_COOKIE).encode(errors="replace"), nonce.encode())',
                "is_ours = True",
                "tests/webhook_api/pages/connect/test_stale.py::test_link_is_stale_when_another_browser_brings_it_back",
            ),
        ),
    ),
    Requirement(
        "4.3.3",
        "What matters most takes more than one person.",
        "A link copies nothing before the child has accepted and the parent has confirmed who it was.",
        (
            Guard(
                "include/state/links.py",
                "agreed = self.parent_consent_epoch_s is not None and self.child_consent_epoch_s is not None",
                "agreed = self.child_consent_epoch_s is not None",
                "tests/include/linking/test_invitations.py"
                "::test_accepted_invitation_becomes_a_link_that_waits_for_the_parent",
            ),
        ),
    ),
)
