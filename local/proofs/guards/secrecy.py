"""Chapters 6 and 7: what is encrypted, and what a log and an error say."""

from __future__ import annotations

from local.proofs.guards.requirement import Guard, Requirement

_AES, _KEY_FILE = "include/crypto/aes.py", "include/crypto/key_file.py"
_CIPHER, _KEY_FILE_TESTS = "tests/contract/test_cipher.py::", "tests/include/crypto/test_key_file.py::"
_ADDRESSES, _MAIL_TESTS = "include/state/accounts/mail_addresses.py", "tests/webhook_api/mail/test_address.py::"
_ERRORS = "webhook_api/errors.py"

REQUIREMENTS = (
    Requirement(
        "6.1.1",
        "Personal data is encrypted where it is stored.",
        "Tokens, mail addresses and hidden places are sealed one by one, on AWS under KMS; for the rest see below.",
        (
            Guard(
                _ADDRESSES,
                "sealed = self._cipher.sealer(_context(athlete_id))(address.encode())",
                "sealed = address",
                f"{_MAIL_TESTS}test_address_is_stored_sealed_and_never_logged",
            ),
        ),
    ),
    Requirement(
        "6.2.1",
        "Cryptography fails safely, and tells nothing by how it fails.",
        "Whatever is wrong with a sealed text is one error, without the text.",
        (
            Guard(
                _AES,
                "except (InvalidTag, ValueError) as err:",
                "except ValueError as err:",
                f"{_CIPHER}test_text_stays_closed_when_it_was_changed",
            ),
        ),
    ),
    Requirement(
        "6.2.4",
        "Keys and algorithms can be changed at any time.",
        "Each ciphertext names its format and key; old keys still open, and a command seals everything anew. Of two "
        "cookie keys the new one signs and both verify.",
        (
            Guard(
                _KEY_FILE,
                "{**self.keys, key_id:",
                "{key_id:",
                f"{_KEY_FILE_TESTS}test_rotation_seals_with_a_new_key_and_opens_old_texts",
            ),
            Guard(
                "include/settings.py",
                "return self.cookie_key.split()[::-1]",
                "return self.cookie_key.split()[:1]",
                "tests/webhook_api/test_session.py::test_session_outlives_a_change_of_the_key",
            ),
        ),
    ),
    Requirement(
        "6.2.6",
        "No nonce is used twice with one key.",
        "96 random bits for each text that is sealed with AES-256-GCM.",
        (
            Guard(
                _AES,
                "nonce = os.urandom(_NONCE_BYTES)",
                "nonce = bytes(_NONCE_BYTES)",
                f"{_CIPHER}test_ciphertext_is_printable_and_never_the_same_twice",
            ),
        ),
    ),
    Requirement(
        "6.4.1",
        "Secrets are kept where only those who need them reach them.",
        "On AWS in Secrets Manager and KMS. On one machine in files of their owner alone; others' eyes are refused.",
        (
            Guard(
                _KEY_FILE,
                "if mode & 0o077:",
                "if False:",
                f"{_KEY_FILE_TESTS}test_file_that_others_may_touch_is_refused",
            ),
        ),
    ),
    Requirement(
        "7.1.1",
        "No log holds a credential or a session token.",
        "Requests are logged by their route, never by path or query; settings show no secret.",
        (
            Guard(
                _ERRORS,
                'return request.url_rule.rule if request.url_rule else "(no route)"',
                "return request.path",
                "tests/webhook_api/webhook/test_hostile.py::test_log_never_holds_the_secret_when_requests_fail",
            ),
            Guard(
                "include/settings.py",
                "    cookie_key: str = field(repr=False)\n",
                "    cookie_key: str\n",
                "tests/include/test_settings.py::test_settings_show_no_secret",
            ),
        ),
    ),
    Requirement(
        "7.1.2",
        "No log and no table holds more about people than is needed.",
        "Of a network address only a keyed hash is kept, for the rest of the hour.",
        (
            Guard(
                "webhook_api/guards/brakes.py",
                'client = hmac.new(key, f"client {address}".encode(), hashlib.sha256).hexdigest()',
                "client = address if key else hashlib.sha256().hexdigest()",
                "tests/webhook_api/guards/test_brakes.py"
                "::test_client_is_refused_for_the_rest_of_the_hour_and_no_other_with_it",
            ),
        ),
    ),
    Requirement(
        "7.1.3",
        "What matters for security is logged.",
        "Each request by route and status; what is refused by a rule of ours with the reason.",
        (
            Guard(
                _ERRORS,
                'current_app.logger.warning("%s %s refused: %s", request.method, route(), err)',
                "pass",
                "tests/webhook_api/webhook/test_signature.py"
                "::test_log_says_why_without_the_key_when_a_signature_is_bad",
            ),
        ),
    ),
    Requirement(
        "7.2.1",
        "Every decision about who somebody is can be read in the log.",
        "Signing in and signing out everywhere are logged by the athlete's id; what is refused is in 7.1.3 and 7.2.2.",
        (
            Guard(
                "webhook_api/session.py",
                '        log.info("Athlete %s has signed in", athlete.athlete_id)\n',
                "        pass\n",
                "tests/webhook_api/test_session.py::test_log_says_who_signed_in_and_out_everywhere_and_no_token",
            ),
        ),
    ),
    Requirement(
        "7.2.2",
        "Every refused access is logged.",
        "One line for each request, with its status: a form of another session is a 403, another's id a 404.",
        (
            Guard(
                "webhook_api/access_log.py",
                '    log.info("%s %s %s", request.method, route(), answer.status_code)\n',
                "",
                "tests/local/stack/test_webhook_server.py"
                "::test_server_answers_logs_the_route_and_stops_when_it_is_told_to",
            ),
        ),
    ),
    Requirement(
        "7.3.1",
        "No input forges a line of the log.",
        "On AWS a line is one JSON object, line breaks escaped; on one machine no line holds text of a request.",
        (
            Guard(
                "webhook_api/aws_lambda/logs.py",
                "return json.dumps(fields, ensure_ascii=False, default=str)",
                'return " ".join(map(str, fields.values()))',
                "tests/webhook_api/aws_lambda/test_logs.py::test_traceback_stays_on_the_line",
            ),
        ),
    ),
    Requirement(
        "7.4.1",
        "An unexpected failure shows a page that tells nothing of the inside.",
        "Each error has a page of ours that says what happened and what to do next.",
        (
            Guard(
                _ERRORS,
                "    app.register_error_handler(HTTPException, _answer_http_error)\n",
                "",
                "tests/webhook_api/pages/connect/test_refused.py"
                "::test_page_says_that_something_is_broken_when_nobody_expected_it",
            ),
        ),
    ),
    Requirement(
        "7.4.2",
        "Expected errors are handled in one way everywhere.",
        "One tree of errors, mapped to pages in one place.",
        (
            Guard(
                _ERRORS,
                "    app.register_error_handler(errors.IngestError, _answer_ingest_error)\n",
                "",
                "tests/webhook_api/pages/connect/test_refused.py"
                "::test_nothing_is_connected_and_the_page_says_why_when_strava_refuses",
            ),
        ),
    ),
)
