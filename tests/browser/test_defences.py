"""What the browser itself is made to refuse."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.docs.pictures.visitor import Visitor
from local.testbed.installation import Installation

pytestmark = pytest.mark.network


@pytest.fixture
def paula(system: Installation, new_visitor: Callable[[], Visitor], sign_in: Callable[..., None]) -> Visitor:
    system.control.create_athlete(athlete_id=1, firstname="<b>Paula</b>", lastname="Smith")
    paula = new_visitor()
    sign_in(paula, 1)
    paula.open("/me")
    return paula


def test_injected_markup_runs_no_script_loads_nothing_and_sends_no_form_away(
    paula: Visitor, complaints: list[str]
) -> None:
    paula.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "document.title = 'taken over'";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend",
            `<p onclick="document.title = 'taken over'" id="trap">x</p><img src="http://localhost:9/pixel">
             <iframe src="/"></iframe><form action="http://localhost:9/" id="away"></form>`);
          document.querySelector("#trap").click();
        }"""
    )
    title = paula.page.title()
    asked = [complaint for complaint in complaints if complaint.startswith("asked")]
    with paula.page.expect_console_message(lambda message: "form-action" in message.text):
        paula.page.evaluate("document.querySelector('#away').submit()")

    assert title.startswith("Your page – ")
    refused = " ".join(complaints)
    for source in ("'script-src'", "img-src 'self'", "'frame-src'"):
        assert source in refused, refused
    assert asked == []
    assert paula.page.url == f"{paula.web_url}/me"
    complaints.clear()


def test_session_cookie_is_out_of_reach_of_scripts_and_of_other_sites(paula: Visitor) -> None:
    paula.connect("<b>Paula</b>")
    [cookie] = [cookie for cookie in paula.page.context.cookies() if cookie["name"] == "sdi_session"]

    assert cookie["httpOnly"] is True
    assert cookie["sameSite"] == "Lax"
    assert paula.page.evaluate("document.cookie") == ""


def test_name_with_markup_is_shown_as_it_was_written(paula: Visitor) -> None:
    paula.sees("Hello, <b>Paula</b>")


def test_form_that_another_site_sends_changes_nothing(system: Installation, paula: Visitor) -> None:
    paula.open(system.control.base_url)
    paula.page.evaluate(
        """address => {
          document.body.insertAdjacentHTML("beforeend", `<form method="post" id="foreign"></form>`);
          const form = document.querySelector("#foreign");
          form.action = address;
          form.submit();
        }""",
        f"{paula.web_url}/me/disconnect",
    )

    paula.sees("This form can no longer be used")
    paula.open("/me")
    paula.sees("Hello, <b>Paula</b>")
