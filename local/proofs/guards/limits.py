"""Chapters 9, 11 and 12: connections, ceilings and sizes."""

from __future__ import annotations

from local.proofs.guards.requirement import Guard, Requirement

_SERVER, _SERVER_TESTS = "local/stack/webhook_server.py", "tests/local/stack/test_webhook_server.py::"
_BRAKES = "tests/webhook_api/guards/test_brakes.py::"

REQUIREMENTS = (
    Requirement(
        "9.2.1",
        "The other end of a connection shows a certificate that is trusted.",
        "By the authorities that Python and the AWS SDK trust; a mail server without one gets no password.",
        (
            Guard(
                "include/mail/smtp.py",
                "context=ssl.create_default_context()",
                "context=ssl._create_unverified_context()",
                "tests/contract/test_mailer.py::test_server_that_nobody_vouches_for_gets_no_password",
            ),
        ),
    ),
    Requirement(
        "9.2.2",
        "Every connection is encrypted, and none falls back.",
        "Strava is asked by https; buckets and queues on AWS refuse anything else.",
        (
            Guard(
                "include/setting_values.py",
                '        and (url.scheme == "https" or (url.scheme == "http" and host in LOOPBACK))\n',
                "",
                "tests/include/test_settings.py::test_base_url_is_refused_with_an_example_when_it_is_none",
            ),
            Guard(
                "terraform/modules/webhook_api/main.tf",
                '      Condition = { Bool = { "aws:SecureTransport" = "false" } }\n',
                '      Condition = { Bool = { "aws:SecureTransport" = "true" } }\n',
                "tests/terraform/test_policies.py::test_every_bucket_and_queue_refuses_plain_http",
            ),
        ),
    ),
    Requirement(
        "11.1.1",
        "Steps are taken in their order, and none is left out.",
        "A parent cannot confirm before the child has accepted.",
        (
            Guard(
                "include/linking/links.py",
                "if link.child_consent_epoch_s is None or link.parent_consent_epoch_s is not None:",
                "if link.parent_consent_epoch_s is not None:",
                "tests/include/linking/test_links.py::test_link_whose_child_has_not_accepted_is_not_confirmed",
            ),
        ),
    ),
    Requirement(
        "11.1.2",
        "Nothing is done faster than a person does it.",
        "A copy is tried again once in a minute, a mail to confirm an address is sent once in a minute.",
        (
            Guard(
                "webhook_api/pages/me.py",
                "if copy.state in NOT_MADE_STATES and wait_s > 0:",
                "if False:",
                "tests/webhook_api/pages/me/test_copies.py"
                "::test_copy_is_tried_once_in_a_minute_and_the_page_says_when_again",
            ),
            Guard(
                "webhook_api/mail/own_mail.py",
                "if not addresses.claim_link(athlete_id):",
                "if False:",
                "tests/webhook_api/mail/test_address.py::test_second_mail_within_a_minute_is_not_sent",
            ),
        ),
    ),
    Requirement(
        "11.1.3",
        "There are limits for each athlete.",
        "20 open invitations and 50 children.",
        (
            Guard(
                "webhook_api/pages/linking/inviting.py",
                "if has_room_for_invitation(edge, athlete_id, invite_id):",
                "if True:",
                f"{_BRAKES}test_invitation_beyond_the_ceiling_is_refused_until_one_is_withdrawn_or_ends",
            ),
            Guard(
                "webhook_api/pages/linking/inviting.py",
                "if edge.state.links.count_children(athlete_id) >= CHILDREN:",
                "if False:",
                f"{_BRAKES}test_child_beyond_the_ceiling_is_neither_invited_nor_accepted",
            ),
        ),
    ),
    Requirement(
        "11.1.4",
        "Scripts cannot use up what all share.",
        "On one machine 32 pages are under way at most, so that the webhook always has room; on AWS pages and webhook "
        "have throttles of their own. Mails that may go to anybody are five an hour for each athlete.",
        (
            Guard(
                _SERVER,
                "raise ServiceUnavailable(retry_after=BUSY_S)",
                "return",
                f"{_SERVER_TESTS}test_only_a_page_is_asked_to_come_again_when_all_pages_are_under_way",
            ),
            Guard(
                "terraform/modules/webhook_api/main.tf",
                "    throttling_rate_limit    = var.webhook_throttle.per_second\n",
                "    throttling_rate_limit    = var.throttle.per_second\n",
                "tests/terraform/test_terraform.py::test_modules_pass_their_tests",
            ),
            Guard(
                "webhook_api/mail/own_mail.py",
                'if not edge.state.brakes.count(f"mail.{athlete_id}", most=MAILS_AN_HOUR):',
                "if False:",
                "tests/webhook_api/mail/test_address.py"
                "::test_mails_are_counted_for_an_hour_whatever_is_taken_back_in_between",
            ),
        ),
    ),
    Requirement(
        "11.1.5",
        "Rules keep people from harm that the work itself could do.",
        "A child that has said no to a change is not asked for another one for a week, unless it takes its no back.",
        (
            Guard(
                "include/linking/consent.py",
                "if settled.proposal and wait_s > 0:",
                "if False:",
                "tests/include/linking/test_consent.py::test_child_that_said_no_is_not_asked_again_for_a_week",
            ),
        ),
    ),
    Requirement(
        "11.1.6",
        "Two at once do not get past a check.",
        "What decides is written with the version that was read: of two who accept one invitation one gets it. What is "
        "made at the same moment counts towards 11.1.3.",
        (
            Guard(
                "include/linking/invitations.py",
                "    if not has_room_for_child(services, invite.parent_id, child_id):\n        return Objection.FULL\n",
                "",
                "tests/include/linking/test_invitations.py::test_two_children_at_once_do_not_exceed_the_ceiling",
            ),
            Guard(
                "include/state/claims.py",
                "expected_version=item.version if item else ABSENT",
                "expected_version=(now.version if (now := self._store.get(key)) else ABSENT)",
                "tests/contract/store/test_ceilings.py"
                "::test_second_of_two_counts_the_first_whose_claim_came_between_its_reading_and_its_writing",
            ),
            Guard(
                "include/store/sqlite.py",
                "        if version != expected:\n",
                "        if False:\n",
                "tests/contract/store/test_races.py::test_one_creator_wins_when_threads_race",
            ),
        ),
    ),
    Requirement(
        "12.1.1",
        "Nothing large is taken in.",
        "8 KB for a request; on one machine the server refuses more than 16 KB before it reads them.",
        (
            Guard(
                "webhook_api/app.py",
                '    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES\n',
                "",
                "tests/webhook_api/webhook/test_events.py::test_body_is_refused_when_it_is_larger_than_8_kb",
            ),
            Guard(
                _SERVER,
                "        max_request_body_size=LARGEST_REQUEST_BYTES,\n",
                "",
                f"{_SERVER_TESTS}test_body_of_megabytes_is_refused_before_it_is_sent",
            ),
        ),
    ),
)
