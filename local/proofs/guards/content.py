"""Chapter 5: what comes in is checked, and what goes out is harmless where it is read."""

from __future__ import annotations

from local.proofs.guards.requirement import Guard, Requirement

_FORM = "tests/webhook_api/pages/test_link_form.py::"
_FOREIGN, _FOREIGN_TESTS = "webhook_api/pages/foreign_text.py", "tests/webhook_api/pages/test_foreign_text.py::"
_EVENTS = "include/strava/events.py"

REQUIREMENTS = (
    Requirement(
        "5.1.1",
        "A value counts only where it belongs: a form's field does not come from the address.",
        "The token of a form is read from its body alone.",
        (
            Guard(
                "webhook_api/csrf.py",
                "given = request.form.get(FIELD",
                "given = request.values.get(FIELD",
                "tests/webhook_api/test_csrf.py::test_token_in_the_address_does_not_count",
            ),
        ),
    ),
    Requirement(
        "5.1.3",
        "What is taken is listed; everything else is refused.",
        "Sports are Strava's, a title's placeholders are three, a first day is a day of the next year at the latest.",
        (
            Guard(
                "include/copying/choices.py",
                "unknown = [sport for sport in sports if sport not in SPORT_TYPES]",
                "unknown: list[str] = []",
                f"{_FORM}test_sport_that_strava_does_not_have_is_refused",
            ),
            Guard(
                "include/copying/choices.py",
                "(day - datetime.fromtimestamp(now_epoch_s, UTC).date()).days > FARTHEST_DAYS",
                "day.year > 9999",
                f"{_FORM}test_start_is_refused_when_it_lies_more_than_a_year_ahead",
            ),
        ),
    ),
    Requirement(
        "5.1.4",
        "Structured data has types, bounds and a form.",
        "A form's lengths, names and days are checked with a message for each field; an event's fields likewise.",
        (
            Guard(
                "webhook_api/pages/linking/link_form.py",
                '_METRES = re.compile(r"[0-9]{1,4}")',
                '_METRES = re.compile(r"[^a-z]*")',
                f"{_FORM}test_trim_is_refused_when_it_is_no_length",
            ),
            Guard(
                "include/copying/choices.py",
                "        if not name.isprintable():\n"
                '            return "A name contains a character that cannot be printed."\n',
                "",
                f"{_FORM}test_names_are_refused_when_one_is_of_no_use",
            ),
        ),
    ),
    Requirement(
        "5.1.5",
        "Redirects lead only where we choose.",
        "To our own routes and to the configured Strava; the host that a request names counts for nothing.",
        (
            Guard(
                "webhook_api/guards/request_line.py",
                '    environ["HTTP_HOST"] = urlsplit(public_url).netloc\n',
                "    pass\n",
                "tests/webhook_api/guards/test_hostile_requests.py"
                "::test_page_is_the_same_whatever_host_the_request_names",
            ),
        ),
    ),
    Requirement(
        "5.2.2",
        "Free text has bounds and no characters that do harm.",
        "Names lose control and bidi characters and stand on one line of 100 characters at most.",
        (
            Guard(
                _FOREIGN,
                " for character in text if not _is_control(character))",
                " for character in text)",
                f"{_FOREIGN_TESTS}test_no_text_turns_its_surroundings_breaks_the_line_or_shows_nothing",
            ),
            Guard(
                _FOREIGN,
                'return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"',
                "return line",
                f"{_FOREIGN_TESTS}test_foreign_text_is_one_line_that_can_be_seen",
            ),
        ),
    ),
    Requirement(
        "5.2.3",
        "No input reaches a mail system as a command.",
        "An address is one word of listed characters, so that it adds no header and no second recipient.",
        (
            Guard(
                "webhook_api/mail/own_mail.py",
                "not _ADDRESS.fullmatch(address)",
                "not _ADDRESS.search(address)",
                "tests/webhook_api/mail/test_address.py::test_text_that_is_no_address_is_refused",
            ),
        ),
    ),
    Requirement(
        "5.2.5",
        "No input becomes part of a template.",
        "A title's template knows three placeholders, which are filled in once; it never reaches Jinja.",
        (
            Guard(
                "include/copying/title.py",
                "unknown = [name for name in _FIELD.findall(template) if name not in PLACEHOLDERS]",
                "unknown: list[str] = []",
                f"{_FORM}test_title_is_taken_or_refused_with_the_reason",
            ),
        ),
    ),
    Requirement(
        "5.3.1",
        "Output is encoded for whoever reads it next.",
        "What is handed on by mail, SMS and WhatsApp is percent-encoded.",
        (
            Guard(
                "webhook_api/pages/linking/address.py",
                'text, subject = quote(words, safe=""), quote("An invitation", safe="")',
                'text, subject = words, "An invitation"',
                "tests/webhook_api/pages/invites/test_sharing.py::test_name_cannot_change_what_is_handed_on",
            ),
        ),
    ),
    Requirement(
        "5.3.3",
        "Escaping protects from scripts in what others wrote.",
        "Jinja escapes every value. Text of others passes one filter, which a test asks of every template.",
        (
            Guard(
                _FOREIGN,
                'Markup("<bdi>{}</bdi>").format(plainly(text, instead))',
                'Markup(f"<bdi>{plainly(text, instead)}</bdi>")',
                f"{_FOREIGN_TESTS}test_markup_in_a_name_is_text",
            ),
        ),
    ),
    Requirement(
        "5.3.4",
        "Queries hold no text of others.",
        "SQLite gets values as parameters, DynamoDB as placeholders.",
        (
            Guard(
                "include/store/sqlite.py",
                'execute("DELETE FROM index_entries WHERE table_name = ? AND partition = ? AND sort = ?", address)',
                "execute(\"DELETE FROM index_entries WHERE table_name = '{}' AND partition = '{}' AND sort = '{}'\""
                ".format(*address))",
                "tests/contract/store/test_rows.py::test_row_is_found_when_its_key_is_hostile",
            ),
        ),
    ),
    Requirement(
        "5.3.10",
        "No text of others becomes XML.",
        "The files of copies hold names and titles escaped, without what XML cannot carry.",
        (
            Guard(
                "include/copying/markup.py",
                "return escape(one_line(text))",
                "return one_line(text)",
                "tests/include/copying/files/test_markup.py"
                "::test_escaped_text_holds_no_markup_and_no_control_characters",
            ),
        ),
    ),
    Requirement(
        "5.4.3",
        "No number overflows what holds it.",
        "An id in an address has 18 digits at most: below 2^63, and short enough to be read.",
        (
            Guard(
                "webhook_api/guards/request_line.py",
                'regex = r"[0-9]{1,18}"',
                'regex = r"[0-9]+"',
                "tests/webhook_api/guards/test_hostile_requests.py::test_every_route_takes_every_odd_value",
            ),
        ),
    ),
    Requirement(
        "5.5.1",
        "What we hand out and take back cannot be changed on the way.",
        "The link that confirms a mail address is signed, besides session and OAuth state (3.5.3).",
        (
            Guard(
                "webhook_api/mail/confirmation.py",
                "athlete_id, nonce = _signer().loads(token)",
                "athlete_id, nonce = _signer().loads_unsafe(token)[1]",
                "tests/webhook_api/mail/test_address.py"
                "::test_link_that_was_changed_or_is_of_an_earlier_address_is_refused",
            ),
        ),
    ),
    Requirement(
        "5.5.3",
        "Data of others is read by a parser that builds nothing but data.",
        "Events are strict JSON: each key once, no constants that JSON does not have, eight levels at most.",
        (
            Guard(
                _EVENTS,
                ", object_pairs_hook=_unique",
                "",
                "tests/include/strava/test_events.py::test_parse_refuses_a_body_that_is_not_strict_json",
            ),
            Guard(
                _EVENTS,
                "if _deeper_than(document, _MAX_DEPTH):",
                "if False:",
                "tests/include/strava/test_events.py::test_parse_refuses_a_value_that_no_event_has",
            ),
        ),
    ),
)
