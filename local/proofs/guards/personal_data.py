"""Chapter 8: what is kept of an athlete, by whose leave, and what keeps it from others."""

from __future__ import annotations

from local.proofs.guards.requirement import Guard, Requirement

_AES, _CIPHER = "include/crypto/aes.py", "tests/contract/test_cipher.py::"
_CONSENT, _CONSENT_TESTS = "include/linking/consent.py", "tests/include/linking/test_consent.py::"
_ADDRESSES, _MAIL_TESTS = "include/state/accounts/mail_addresses.py", "tests/webhook_api/mail/test_address.py::"

REQUIREMENTS = (
    Requirement(
        "8.2.1",
        "No browser and no proxy stores a page.",
        "`Cache-Control: no-store` with every answer but the stylesheet and pictures (8.1.1 too).",
        (
            Guard(
                "webhook_api/headers.py",
                '        answer.headers["Cache-Control"] = "no-store"\n',
                "        pass\n",
                "tests/webhook_api/test_app.py::test_every_answer_carries_the_security_headers",
            ),
        ),
    ),
    Requirement(
        "8.3.1",
        "What is sensitive travels in a body, not in an address.",
        "Nothing is changed by an address alone; a wish is a form's.",
        (
            Guard(
                "webhook_api/pages/connect.py",
                'if request.method == "POST" and scopes - athlete.scopes - {READ}:',
                "if scopes - athlete.scopes - {READ}:",
                "tests/webhook_api/pages/test_wishes.py::test_address_alone_notes_no_wish",
            ),
        ),
    ),
    Requirement(
        "8.3.2",
        "Athletes can have their data removed.",
        "By a button of the own page, or at Strava; a certificate says what went. For taking data along see below.",
        (
            Guard(
                "webhook_api/pages/erase.py",
                "    edge.queue().send(to_body(EraseAthlete(athlete_id, erasure.grounds, edge.clock())))\n",
                "",
                "tests/webhook_api/pages/test_erase.py::test_wish_is_queued_and_the_browser_signed_out",
            ),
        ),
    ),
    Requirement(
        "8.3.3",
        "Data is used as people have agreed to in plain words, and not before.",
        "A child's yes holds for the terms that its page showed. What goes beyond them waits for another yes.",
        (
            Guard(
                _CONSENT,
                "        if link.proposal is None or link.proposal.fingerprint != seen:\n"
                "            return link\n"
                "        widened",
                "        if link.proposal is None:\n            return link\n        widened",
                f"{_CONSENT_TESTS}test_yes_to_a_proposal_that_was_replaced_meanwhile_holds_for_neither",
            ),
            Guard(
                _CONSENT,
                "in_force = within(wished.terms, link.agreed_terms, link.terms)",
                "in_force = wished.terms",
                f"{_CONSENT_TESTS}test_widening_waits_while_what_was_agreed_stays_in_force",
            ),
        ),
    ),
    Requirement(
        "8.3.4",
        "It is known which sensitive data there is, and what becomes of it.",
        "`/privacy` is made from the code's own tables; one that is not explained there fails a test.",
        (
            Guard(
                "webhook_api/site/disclosure.py",
                '    "notices": notices.KEPT_S,\n',
                "",
                "tests/webhook_api/site/test_privacy.py::test_every_table_about_somebody_says_how_long_its_rows_stay",
            ),
        ),
    ),
    Requirement(
        "8.3.7",
        "What is encrypted cannot be changed or moved unnoticed.",
        "AES-256-GCM, bound to the athlete and the purpose: a text of another row stays closed.",
        (
            Guard(
                _AES,
                'return json.dumps(dict(context), sort_keys=True, separators=(",", ":")).encode()',
                'return b""',
                f"{_CIPHER}test_text_stays_closed_in_another_context",
            ),
        ),
    ),
    Requirement(
        "8.3.8",
        "What is old or was never confirmed goes by itself.",
        "An address that nobody confirms is forgotten after a day; activities after the days that are set.",
        (
            Guard(
                _ADDRESSES,
                "self._put(_waiting_key(athlete_id), given, now_epoch_s + CONFIRM_WITHIN_S)",
                "self._put(_waiting_key(athlete_id), given, None)",
                f"{_MAIL_TESTS}test_link_expires_after_a_day_and_the_address_is_forgotten",
            ),
        ),
    ),
)
