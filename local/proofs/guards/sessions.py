"""Chapters 2 and 3: who is signed in, how that is known, and what ends it."""

from __future__ import annotations

from local.proofs.guards.requirement import Guard, Requirement

_SESSION, _COOKIE = "webhook_api/session.py", "webhook_api/guards/cookie.py"
_CONSENT, _CALLBACK = "webhook_api/pages/consent.py", "webhook_api/pages/oauth_callback.py"
_IN_SESSION = "tests/webhook_api/test_session.py::"
_STALE = "tests/webhook_api/pages/connect/test_stale.py::"
_WISHES = "tests/webhook_api/pages/test_wishes.py::"
_OUT_OF_REACH = f"{_IN_SESSION}test_cookie_is_out_of_reach_of_scripts_and_other_sites"
_NOTED_FIRST = f"{_WISHES}test_wish_is_noted_and_leads_to_strava_before_anything_is_done"

REQUIREMENTS = (
    Requirement(
        "2.2.1",
        "Signing in cannot be tried without end by a script.",
        "One network address comes back from Strava 60 times an hour at most; then a page says when to try again.",
        (
            Guard(
                "webhook_api/pages/connect.py",
                "refused = refuse_client() if code and begun is not None else None",
                "refused = None",
                "tests/webhook_api/guards/test_brakes.py"
                "::test_client_is_refused_for_the_rest_of_the_hour_and_no_other_with_it",
            ),
        ),
    ),
    Requirement(
        "2.10.2",
        "No service runs with a default credential.",
        "No secret has a default: without one the process does not start, and says which is missing.",
        (
            Guard(
                "include/settings.py",
                "    cookie_key: str = field(repr=False)\n",
                '    cookie_key: str = field(default="changeme", repr=False)\n',
                "tests/include/test_settings.py::test_settings_name_everything_that_is_missing_with_an_example",
            ),
        ),
    ),
    Requirement(
        "3.1.1",
        "No session token and no sign-in code stays in an address.",
        "The session is in a cookie alone; after signing in a redirect takes Strava's code out of the address bar.",
        (
            Guard(
                _CALLBACK,
                'return objection_page(objected) if objected else redirect(url_for("me.show"), code=303)',
                'return objection_page(objected) if objected else ("You are signed in.", 200)',
                "tests/webhook_api/pages/connect/test_granted.py::test_code_does_not_stay_in_the_address_bar",
            ),
        ),
    ),
    Requirement(
        "3.2.1",
        "Signing in begins a new session.",
        "Every sign-in has a new nonce, to which the session's forms are bound.",
        (
            Guard(
                _SESSION,
                "    g.session = Session(athlete_id, series, now_epoch_s, now_epoch_s, secrets.token_urlsafe(16))\n",
                "    kept = current_session()\n"
                "    nonce = kept.nonce if kept else secrets.token_urlsafe(16)\n"
                "    g.session = Session(athlete_id, series, now_epoch_s, now_epoch_s, nonce)\n",
                "tests/webhook_api/test_csrf.py::test_form_is_refused_when_the_athlete_signed_in_again_meanwhile",
            ),
        ),
    ),
    Requirement(
        "3.2.2",
        "A session token holds at least 64 bits of chance.",
        "A session's nonce holds 128 bits, an OAuth flow's 192, from the system's generator; both are signed.",
        (
            Guard(
                _SESSION,
                "secrets.token_urlsafe(16)",
                "secrets.token_urlsafe(4)",
                f"{_IN_SESSION}test_no_two_sessions_or_sign_ins_share_a_nonce_and_none_can_be_guessed",
            ),
            Guard(
                _CONSENT,
                "nonce = secrets.token_urlsafe(24)",
                'nonce = "a-nonce-of-thirty-two-characters"',
                f"{_IN_SESSION}test_no_two_sessions_or_sign_ins_share_a_nonce_and_none_can_be_guessed",
            ),
        ),
    ),
    Requirement(
        "3.3.1",
        "Signing out and expiry end a session for good.",
        "Signing out clears the cookie; one that was kept counts for nothing once it is 30 days old. Browsers store no "
        "page (8.2.1), so that going back shows none.",
        (
            Guard(
                _SESSION,
                "        cookie.clear(answer, COOKIE)\n",
                "        pass\n",
                f"{_IN_SESSION}test_signing_out_leaves_the_athlete_connected",
            ),
            Guard(
                _SESSION,
                "return session if session.remaining_s(int(current_edge().clock())) > 0 else None",
                "return session",
                f"{_IN_SESSION}test_session_that_nobody_uses_ends_after_30_days",
            ),
        ),
    ),
    Requirement(
        "3.3.2",
        "Whoever stays signed in is asked again from time to time.",
        "After 30 days without use and after 180 days at most: level 1's time, see below.",
        (
            Guard(
                _SESSION,
                "return min(self.used_at_epoch_s + IDLE_S, self.began_at_epoch_s + LONGEST_S) - now_epoch_s",
                "return self.used_at_epoch_s + IDLE_S - now_epoch_s",
                f"{_IN_SESSION}test_session_that_is_used_slides_and_ends_after_180_days_all_the_same",
            ),
        ),
    ),
    Requirement(
        "3.3.3",
        "A change of the credentials ends the other sessions.",
        "Connecting again, disconnecting, erasing and signing out everywhere give the athlete's row another series; "
        "every session of the old one is over.",
        (
            Guard(
                _SESSION,
                " or athlete.session_series != session.series",
                "",
                f"{_IN_SESSION}test_every_other_browser_is_signed_out_for_good_within_the_same_second",
            ),
        ),
    ),
    Requirement(
        "3.3.4",
        "Athletes can end their sessions on every device.",
        "The own page has a button for it; a list of the devices there is not, see below.",
        (
            Guard(
                "webhook_api/pages/connect.py",
                "        current_edge().state.athletes.end_sessions(athlete.athlete_id)\n",
                "        pass\n",
                f"{_IN_SESSION}test_every_other_browser_is_signed_out_for_good_within_the_same_second",
            ),
        ),
    ),
    Requirement(
        "3.4.1",
        "The cookie travels over https only.",
        "`Secure`, wherever the public address begins with https.",
        (
            Guard(
                _COOKIE,
                'max_age=lifetime_s, path="/", secure=_by_https()',
                'max_age=lifetime_s, path="/", secure=False',
                _OUT_OF_REACH,
            ),
        ),
    ),
    Requirement(
        "3.4.2",
        "No script reads the cookie.",
        "`HttpOnly`; the pages have no scripts either.",
        (
            Guard(
                _COOKIE,
                'max_age=lifetime_s, path="/", secure=_by_https(), httponly=True',
                'max_age=lifetime_s, path="/", secure=_by_https(), httponly=False',
                _OUT_OF_REACH,
            ),
        ),
    ),
    Requirement(
        "3.4.3",
        "Other sites' forms do not carry the cookie.",
        "`SameSite=Lax`: Strava's redirect back brings it, a foreign form does not.",
        (
            Guard(
                _COOKIE,
                'max_age=lifetime_s, path="/", secure=_by_https(), httponly=True, samesite="Lax"',
                'max_age=lifetime_s, path="/", secure=_by_https(), httponly=True, samesite=None',
                _OUT_OF_REACH,
            ),
        ),
    ),
    Requirement(
        "3.4.4",
        "The cookie's name begins with `__Host-`.",
        "It does over https: no other host and no plain http can set it.",
        (
            Guard(
                _COOKIE,
                'return f"__Host-{name}" if _by_https() else name',
                "return name",
                _OUT_OF_REACH,
            ),
        ),
    ),
    Requirement(
        "3.4.5",
        "The cookie's path is as narrow as it can be.",
        "`/`, for the host is this service's alone, and `__Host-` allows no other.",
        (
            Guard(
                _COOKIE,
                'max_age=lifetime_s, path="/"',
                'max_age=lifetime_s, path="/me"',
                _OUT_OF_REACH,
            ),
        ),
    ),
    Requirement(
        "3.5.1",
        "Athletes can revoke the OAuth tokens that link this service with another.",
        "Disconnecting revokes them at Strava, by the token that confirmed the wish, and destroys them here.",
        (
            Guard(
                "webhook_api/pages/disconnect.py",
                "    with suppress(TokenRefused):\n        edge.oauth().revoke(athlete_id, access_token)\n",
                "",
                "tests/webhook_api/pages/test_disconnect.py"
                "::test_athlete_whose_tokens_strava_refuses_is_disconnected_by_the_token_of_the_confirmation",
            ),
        ),
    ),
    Requirement(
        "3.5.3",
        "A token that is not looked up is signed, in time and good once.",
        "Session and OAuth state are signed under salts of their own. A state lasts ten minutes and is used once.",
        (
            Guard(
                _SESSION,
                "session = Session(*_signer().loads(text))",
                "session = Session(*_signer().loads_unsafe(text)[1])",
                f"{_IN_SESSION}test_forged_cookie_signs_nobody_in",
            ),
            Guard(
                _CONSENT,
                "nonce, began_at_epoch_s, flow = _signer().loads(state)",
                "nonce, began_at_epoch_s, flow = _signer().loads_unsafe(state)[1]",
                f"{_STALE}test_link_is_stale_when_the_state_was_changed",
            ),
            Guard(
                _CONSENT,
                " or edge.clock() - began_at_epoch_s > STATE_LIFETIME_S",
                "",
                f"{_STALE}test_link_is_valid_for_ten_minutes",
            ),
            Guard(
                _CONSENT,
                "return flow if edge.state.oauth_states.use(nonce, lifetime_s=STATE_LIFETIME_S) else None",
                "return flow",
                f"{_STALE}test_used_state_is_stale_even_with_its_cookie",
            ),
        ),
    ),
    Requirement(
        "3.7.1",
        "What weighs heavily is confirmed by signing in once more.",
        "Disconnecting, erasing and allowing more pass Strava again, which has to name the same athlete.",
        (
            Guard(
                "webhook_api/pages/disconnect.py",
                "return consent.confirm(current_athlete(), WishKind.DISCONNECT)",
                'return fulfil(current_athlete().athlete_id, "")',
                _NOTED_FIRST,
            ),
            Guard(
                "webhook_api/pages/erase.py",
                "return consent.confirm(current_athlete(), WishKind.ERASE)",
                'return fulfil(current_athlete().athlete_id, "")',
                _NOTED_FIRST,
            ),
            Guard(
                _CALLBACK,
                "if flow.athlete_id not in (None, grant.athlete.athlete_id):",
                "if False:",
                f"{_WISHES}test_another_athletes_word_fulfils_no_wish_and_changes_nothing_of_either",
            ),
        ),
    ),
)
