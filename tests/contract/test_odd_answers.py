"""A sample of the odd answers on both stores; the proofs `odd_answers_sqlite` and `odd_answers_dynamodb` play all."""

from __future__ import annotations

from contextlib import ExitStack
from unittest.mock import create_autospec

import pytest

from local.proofs.odd_answers import record
from local.proofs.odd_answers.answers import ANSWERS
from local.proofs.odd_answers.cell import CALLS, MOST_CALLS, run_cell
from local.proofs.odd_answers.message import is_fit
from local.proofs.odd_answers.proof import prove_on_sqlite
from local.proofs.proof import Effort
from ops.repository import REPOSITORY

FIT = "Strava answered 500 to /activities/9 for athlete 7. Try again later."

SAMPLE = [
    ("activity", "404, no such route"),
    ("streams", "200, half an answer"),
    ("list", "404, as of a thing that is gone"),
    ("upload", "200, a page"),
    ("poll", "404, as of a thing that is gone"),
    ("profile", "404, a page"),
    ("token", "404, as of a thing that is gone"),
    ("revoke", "200, an empty object"),
    ("subscription", "404, a page"),
    ("subscribe", "524"),
    ("unsubscribe", "404, as of a thing that is gone"),
]
"""For each call the answer that cost most before it was understood."""

SAMPLE_ON_DYNAMODB = SAMPLE[::3]
"""Fewer, because each takes seconds there: one call each about activities, uploads, tokens and the subscription."""


def cell_id(cell):
    return f"{cell[0]}: {cell[1]}"


def check(call, answer, state_url=""):
    outcome = run_cell(call, ANSWERS[answer], seed=7, state_url=state_url)
    assert outcome.wrongs == []
    assert outcome.minutes is not None
    assert outcome.calls <= MOST_CALLS


def test_sample_has_every_call_once():
    assert [call for call, _ in SAMPLE] == list(CALLS)
    assert len(ANSWERS) >= 25


@pytest.mark.parametrize("cell", SAMPLE, ids=cell_id)
def test_odd_answer_destroys_nothing_and_all_is_right_once_answers_are(cell):
    check(*cell)


@pytest.mark.network
@pytest.mark.parametrize("cell", SAMPLE_ON_DYNAMODB, ids=cell_id)
def test_odd_answer_destroys_nothing_on_dynamodb_either(cell, dynamodb_url):
    check(*cell, state_url=dynamodb_url)


def test_proof_holds_in_its_small_size_and_writes_no_page(monkeypatch):
    monkeypatch.setattr(record, "keep", create_autospec(record.keep))
    played = []
    with ExitStack() as closing:
        verdicts = prove_on_sqlite(Effort(is_small=True, seed=7, advance=played.append, closing=closing))

    assert [verdict.holds for verdict in verdicts] == [True, True]
    assert played == [1, 2, 3]
    record.keep.assert_not_called()


def test_page_has_a_line_for_every_answer_to_every_call():
    page = (REPOSITORY / "docs" / "odd-answers.md").read_text()

    for call, route in CALLS.items():
        section = page.partition(f"## `{route}`")[2].partition("\n## ")[0]
        assert all(f"| {answer} |" in section for answer in ANSWERS), call
    assert "WRONG" not in page


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(f"{FIT} {'a' * 300}", id="long"),
        pytest.param(f"{FIT} <html>", id="a page"),
        pytest.param(f"{FIT}\nfailed", id="two lines"),
        pytest.param(f"{FIT} 0123456789abcdef", id="a token"),
        pytest.param(FIT.replace("athlete 7", "somebody"), id="names nobody"),
        pytest.param(FIT.replace("/activities/9", "it"), id="no call"),
        pytest.param(FIT.replace("Try again later", "Alas"), id="no next step"),
    ],
)
def test_message_is_not_fit_when_it_is_long_quotes_or_leaves_something_out(message):
    assert is_fit(FIT, is_applications=False)
    assert not is_fit(message, is_applications=True)


def test_message_names_the_application_only_for_its_own_calls():
    message = FIT.replace("athlete 7", "the application")

    assert is_fit(message, is_applications=True)
    assert not is_fit(message, is_applications=False)
    assert is_fit(FIT.replace("athlete 7", "the athlete who came back from Strava"), is_applications=False)
