"""Which titles name which child."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from include.copying.matching import match, same_name
from local.docs.matching_cases import CASES, CHILDREN, Case, Children


@pytest.mark.parametrize("case", [pytest.param(case, id=case.why) for case in CASES])
def test_match_finds_the_name_that_the_title_holds_as_a_word(case: Case) -> None:
    assert match(case.title, case.names) == case.matches


@pytest.mark.parametrize("case", [pytest.param(case, id=case.why) for case in CHILDREN])
def test_match_means_each_child_by_its_own_names(case: Children) -> None:
    assert tuple(match(case.title, names) is not None for names in case.names) == case.meant


def test_cases_are_told_apart() -> None:
    assert len({case.why for case in (*CASES, *CHILDREN)}) == len(CASES) + len(CHILDREN)


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        pytest.param("Rex", "rex", True, id="case"),
        pytest.param("Zoë", "Zoe!", True, id="accent and punctuation"),
        pytest.param("Anna-Lena", "Anna Lena", True, id="hyphen or space"),
        pytest.param("Rex", "🐶 Rex", True, id="emoji"),
        pytest.param("Rex", "Rexi", False, id="longer"),
        pytest.param("Uncle Bob", "Bob Uncle", False, id="the other way round"),
        pytest.param("Anna-Lena", "AnnaLena", False, id="one word"),
    ],
)
def test_two_names_are_the_same_when_the_same_titles_name_the_child(name: str, other: str, same: bool) -> None:
    assert same_name(name, other) is same
    assert (match(f"run with {other}", [name]) is not None and match(f"run with {name}", [other]) is not None) is same


def test_match_stays_fast_when_the_title_is_hostile() -> None:
    assert match("a-" * 50_000 + "'" * 50_000, ["a a a a a a b", "(a+)+$"]) is None


readable = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
latin_words = st.text("abcdefghijklmnopqrstuvwxyzäéø", min_size=1, max_size=8)


@given(title=readable, names=st.lists(readable, max_size=4))
def test_match_answers_one_of_the_names_or_none(title: str, names: list[str]) -> None:
    assert match(title, names) in {None, *names}


@given(before=readable, name=readable, after=readable)
@example(before="", name="a--b", after="")
@example(before="", name="が", after="")
def test_match_finds_every_name_with_a_letter_when_spaces_set_it_apart(before: str, name: str, after: str) -> None:
    assume(any(unicodedata.category(character) in {"Lu", "Ll", "Lo", "Nd"} for character in name))
    assert match(f"{before} {name} {after}", [name]) == name


@given(title=readable, name=latin_words)
def test_match_is_the_same_for_every_case_and_unicode_form(title: str, name: str) -> None:
    title = f"{title} {name}!"
    forms = {unicodedata.normalize(form, title) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    assert {match(form, [name]) for form in forms | {title.upper(), title.lower()}} == {name}


@given(before=latin_words, name=latin_words, after=latin_words)
def test_match_finds_no_part_of_a_word(before: str, name: str, after: str) -> None:
    assert match(f"{before}{name}", [name]) is None
    assert match(f"{before}{name}{after}", [name]) is None
    assert match(f"{before}-{name}", [name]) is None
    assert match(f"{name}-{after}", [name]) is None


@given(title=readable, name=st.text(st.characters(categories=["P", "S", "Z", "Cc", "Cf"])))
def test_match_never_finds_a_name_without_letters_and_digits(title: str, name: str) -> None:
    assert match(f"{title} {name} {title}", [name]) is None
