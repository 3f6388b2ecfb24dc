"""Chapters 13 and 14: the webhook, and what every answer carries."""

from __future__ import annotations

from local.proofs.guards.requirement import Guard, Requirement

_WEBHOOK, _HEADERS = "webhook_api/webhook.py", "webhook_api/headers.py"
_EVENT_TESTS = "tests/webhook_api/webhook/test_events.py::"
_EVERY_ANSWER = "tests/webhook_api/test_app.py::test_every_answer_carries_the_security_headers"

REQUIREMENTS = (
    Requirement(
        "13.1.4",
        "Access is decided for the address and for what it leads to.",
        "The webhook answers under its secret path alone, the handshake to the verify token; an event of another "
        "subscription is dropped.",
        (
            Guard(
                _WEBHOOK,
                "    edge = current_edge()\n"
                "    _require_one_of(edge.settings.webhook_path_secrets, secret, otherwise=404)\n",
                "    edge = current_edge()\n",
                f"{_EVENT_TESTS}test_webhook_does_not_exist_when_the_secret_is_wrong",
            ),
            Guard(
                _WEBHOOK,
                '    _require_one_of([settings.webhook_verify_token], request.args.get("hub.verify_token", ""), '
                "otherwise=403)\n",
                "",
                f"{_EVENT_TESTS}test_handshake_is_refused_when_something_is_wrong",
            ),
            Guard(
                _WEBHOOK,
                "if event.subscription_id != subscription.subscription_id:",
                "if False:",
                f"{_EVENT_TESTS}test_event_is_answered_200_and_dropped_when_it_is_not_ours",
            ),
        ),
    ),
    Requirement(
        "13.2.1",
        "Each address takes the methods that it is for.",
        "What changes something takes POST alone; another method is answered 405 with those there are.",
        (
            Guard(
                "webhook_api/errors.py",
                "        answer.allow.update(err.valid_methods or ())\n",
                "        pass\n",
                f"{_EVENT_TESTS}test_webhook_names_its_methods_when_another_is_used",
            ),
        ),
    ),
    Requirement(
        "13.2.2",
        "JSON is checked against its form before it is used.",
        "Every field of an event has a type and a range; its time is not in the future.",
        (
            Guard(
                "include/strava/events.py",
                "if type(value) is not int or not 0 < value <= maximum:",
                "if type(value) is not int:",
                "tests/include/strava/test_events.py::test_parse_refuses_a_value_that_no_event_has",
            ),
            Guard(
                _WEBHOOK,
                "if event.event_time_epoch_s > edge.clock() + AHEAD_S:",
                "if False:",
                "tests/webhook_api/webhook/test_hostile.py::test_event_from_the_future_is_refused",
            ),
        ),
    ),
    Requirement(
        "13.2.6",
        "Nobody changes a message on its way.",
        "By TLS; where Strava's key is set, every event's signature is checked too, and that it is recent.",
        (
            Guard(
                _WEBHOOK,
                "signature.check(given, body, key=edge.settings.webhook_signing_key, now_epoch_s=edge.clock())",
                "pass",
                "tests/webhook_api/webhook/test_signature.py"
                "::test_event_is_refused_and_leaves_nothing_when_its_signature_is_bad",
            ),
            Guard(
                "include/strava/signature.py",
                "if abs(now_epoch_s - int(signed_at)) > TOLERANCE_S:",
                "if False:",
                "tests/include/strava/test_signature.py"
                "::test_event_is_refused_when_its_time_is_more_than_five_minutes_off",
            ),
        ),
    ),
    Requirement(
        "14.3.3",
        "No answer names a version of what runs here.",
        "The server of one machine has no `Server` header; on AWS API Gateway writes its own.",
        (
            Guard(
                "local/stack/webhook_server.py",
                "ident=None,",
                'ident="waitress",',
                "tests/local/stack/test_webhook_server.py::test_server_answers_logs_the_route_and_stops_when_it_is_told_to",
            ),
        ),
    ),
    Requirement(
        "14.4.3",
        "A content security policy limits what a page may load and do.",
        "Nothing but our own stylesheet and images; no scripts at all; forms go here or to Strava.",
        (
            Guard(_HEADERS, "\"default-src 'none'\",", "\"default-src 'self'\",", _EVERY_ANSWER),
            Guard(
                _HEADERS,
                "            f\"form-action 'self' {strava.scheme}://{strava.netloc}\",\n",
                "",
                "tests/webhook_api/test_app.py::test_policy_lets_the_form_reach_strava_and_nothing_else",
            ),
        ),
    ),
    Requirement(
        "14.4.4",
        "Browsers do not guess what a file is.",
        "`nosniff` with every answer.",
        (Guard(_HEADERS, '    answer.headers["X-Content-Type-Options"] = "nosniff"\n', "", _EVERY_ANSWER),),
    ),
    Requirement(
        "14.4.5",
        "Browsers come back by https only (9.1.1 too).",
        "`Strict-Transport-Security` for a year where the address begins with https; not for subdomains, see below.",
        (
            Guard(
                _HEADERS,
                '        answer.headers["Strict-Transport-Security"] = "max-age=31536000"\n',
                "        pass\n",
                _EVERY_ANSWER,
            ),
        ),
    ),
    Requirement(
        "14.4.6",
        "No address of ours reaches other sites.",
        "`Referrer-Policy: no-referrer`: an invitation's address is a secret.",
        (Guard(_HEADERS, '    answer.headers["Referrer-Policy"] = "no-referrer"\n', "", _EVERY_ANSWER),),
    ),
    Requirement(
        "14.4.7",
        "No other site frames the pages.",
        "`frame-ancestors 'none'`.",
        (Guard(_HEADERS, "            \"frame-ancestors 'none'\",\n", "", _EVERY_ANSWER),),
    ),
    Requirement(
        "14.5.4",
        "A proxy's header counts only where it comes from that proxy.",
        "`X-Forwarded-For` counts from this machine alone, and of it only what the nearest proxy appended.",
        (
            Guard(
                "webhook_api/guards/brakes.py",
                "if nearest is not None and nearest.is_loopback:",
                "if nearest is not None:",
                "tests/webhook_api/guards/test_brakes.py::test_client_is_who_the_nearest_trusted_machine_saw",
            ),
        ),
    ),
)
