"""Which titles name which child."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from include.copying.matching import match

NAMED = [
    pytest.param("Morning run with Rex", "Rex", id="word at the end"),
    pytest.param("Rex and I", "Rex", id="word at the start"),
    pytest.param("rex", "Rex", id="whole title, other case"),
    pytest.param("(Rex), running!", "Rex", id="punctuation around"),
    pytest.param("Rex/Anna", "Rex", id="slash"),
    pytest.param("Rex+Anna & co", "Anna", id="plus sign"),
    pytest.param("'Rex' and \"Anna\"", "Rex", id="single quotes"),
    pytest.param("with_rex", "Rex", id="underscore"),
    pytest.param("#rex", "Rex", id="hashtag"),
    pytest.param("＃ｒｅｘ", "Rex", id="full-width hashtag"),
    pytest.param("run #rex#anna", "Anna", id="hashtags in a row"),
    pytest.param("Rex's first 10k", "Rex", id="possessive"),
    pytest.param("Rex’s first 10k", "Rex", id="possessive, typographic"),
    pytest.param("James' run", "James", id="possessive after s"),
    pytest.param("Don'la koşu", "Don", id="Turkish suffix"),
    pytest.param("Sortie d’Anna", "Anna", id="French elision"),
    pytest.param("l'Anna corre", "Anna", id="Italian article"),
    pytest.param("Coffee with O’Brien", "O'Brien", id="apostrophe in the name"),
    pytest.param("Anna–Rex: 2–1", "Rex", id="en dash parts words"),
    pytest.param("Run - Rex - rain", "Rex", id="hyphen between spaces"),
    pytest.param("Anna-Lena rides", "Anna-Lena", id="hyphenated name"),
    pytest.param("Anna\u2011Lena rides", "Anna-Lena", id="non-breaking hyphen"),
    pytest.param("Anna Lena rides", "Anna-Lena", id="hyphenated name written apart"),
    pytest.param("walk with uncle-bob", "Uncle Bob", id="name of two words, hyphenated"),
    pytest.param("Uncle   Bob", "Uncle Bob", id="name of two words, wide space"),
    pytest.param("Uncle\u00a0Bob", "Uncle Bob", id="name of two words, hard space"),
    pytest.param("#UncleBob", "Uncle Bob", id="name of two words as one hashtag"),
    pytest.param("#uncle_bob", "Uncle Bob", id="name of two words, underscore"),
    pytest.param("Xana ana ana", "ana ana", id="candidates that overlap"),
    pytest.param("Run with J.R. today", "J.R.", id="initials"),
    pytest.param("Rex🐶 run", "Rex", id="emoji attached"),
    pytest.param("🏃‍♀️Rex🏃🏽", "Rex", id="joined and coloured emoji"),
    pytest.param("Rex\ufe0f", "Rex", id="stray variation selector"),
    pytest.param("Rex™ and co", "Rex", id="symbol that unfolds to letters"),
    pytest.param("R\u00adex", "Rex", id="soft hyphen"),
    pytest.param("Run with Rex", "Rex 🐶", id="emoji in the name"),
    pytest.param("Zoë läuft", "zoe", id="accent in the title"),
    pytest.param("zoe runs", "Zoë", id="accent in the name"),
    pytest.param(unicodedata.normalize("NFD", "Zoë"), "Zoë", id="decomposed"),
    pytest.param("ŁUKASZ I SØREN", "Lukasz", id="Polish l"),
    pytest.param("Łukasz i Søren", "Soren", id="Danish o"),
    pytest.param("IŞIK ve İPEK", "ışık", id="Turkish dotless i"),
    pytest.param("IŞIK ve İPEK", "ipek", id="Turkish dotted i"),
    pytest.param("WEISS", "Weiß", id="sharp s"),
    pytest.param("ΝΊΚΟΣ τρέχει", "Νίκος", id="Greek final sigma"),
    pytest.param("Прогулка с Петей и Алёной", "Аленой", id="Cyrillic"),
    pytest.param("ריצה עם רֶקְס", "רקס", id="Hebrew points"),
    pytest.param("مع أحمد", "احمد", id="Arabic hamza"),
    pytest.param("मीरा के साथ दौड़", "मीरा", id="Devanagari"),
    pytest.param("太郎と散歩", "太郎", id="Han inside a sentence"),
    pytest.param("さくらと散歩", "さくら", id="Hiragana inside a sentence"),
    pytest.param("レックスと走る", "レックス", id="Katakana before Hiragana"),
    pytest.param("レックスと走る", "ﾚｯｸｽ", id="half-width Katakana"),
    pytest.param("Rexと散歩", "Rex", id="Latin before Hiragana"),
    pytest.param("今天和小明跑步", "小明", id="Chinese"),
    pytest.param("วิ่งกับสมชายวันนี้", "สมชาย", id="Thai"),
    pytest.param("海 と散歩", "海", id="one character, alone"),
    pytest.param("렉스 산책", "렉스", id="Korean word"),
    pytest.param("100% a.c (b)", "a.c", id="dot in the name"),
    pytest.param("run with a[b", "a[b", id="bracket in the name"),
    pytest.param("run 42", "42", id="digits"),
]

NOT_NAMED = [
    pytest.param("Annual 10k", "Ann", id="start of a word"),
    pytest.param("Joann", "Ann", id="end of a word"),
    pytest.param("Rex2", "Rex", id="digit attached"),
    pytest.param("#rexrun", "Rex", id="longer hashtag"),
    pytest.param("Anna-Lena rides", "Anna", id="first half of a hyphenated name"),
    pytest.param("Anna-Lena rides", "Lena", id="second half of a hyphenated name"),
    pytest.param("with-Rex", "Rex", id="hyphenated to another word"),
    pytest.param("Rex-run", "Rex", id="compound"),
    pytest.param("Don't stop", "Don", id="English contraction"),
    pytest.param("Don’t", "Don", id="English contraction, typographic"),
    pytest.param("Coffee with O'Brien", "Brien", id="second half of an apostrophe name"),
    pytest.param("Rock'n'Rex", "Rex", id="apostrophe before"),
    pytest.param("Rex'tastic", "Rex", id="long word after an apostrophe"),
    pytest.param("mad'Anna", "Anna", id="elision needs a word of its own"),
    pytest.param("Uncle, Bob", "Uncle Bob", id="comma inside a name of two words"),
    pytest.param("Bob Uncle", "Uncle Bob", id="words the wrong way round"),
    pytest.param("unclebob", "Uncle Bob", id="joined without a hashtag"),
    pytest.param("abc", "a.c", id="dot is no wildcard"),
    pytest.param("aaaa", ".*", id="only punctuation"),
    pytest.param("🐶 run", "🐶", id="only emoji"),
    pytest.param("run", "", id="empty name"),
    pytest.param("run", "  ", id="blank name"),
    pytest.param("", "Rex", id="empty title"),
    pytest.param("मारा गया", "मीरा", id="other Devanagari vowel"),
    pytest.param("मीरा", "मीर", id="cut before a Devanagari vowel"),
    pytest.param("か", "が", id="Japanese voicing mark"),
    pytest.param("각", "가", id="Korean syllable inside another"),
    pytest.param("海外マラソン", "海", id="one character inside a word"),
    pytest.param("がっこう", "が", id="one voiced character inside a word"),
    pytest.param("กกี่", "กก", id="cut before a Thai vowel"),
    pytest.param("アンパンマン", "アン", id="start of a Katakana word"),
    pytest.param("Rexin kanssa", "Rex", id="inflected form"),
]


@pytest.mark.parametrize(("title", "name"), NAMED)
def test_match_finds_the_name_when_the_title_has_it_as_a_word(title: str, name: str) -> None:
    assert match(title, [name]) == name


@pytest.mark.parametrize(("title", "name"), NOT_NAMED)
def test_match_finds_nothing_when_the_title_has_no_such_word(title: str, name: str) -> None:
    assert match(title, [name]) is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param([], None, id="no names"),
        pytest.param(["Bob", "Uncle Bob"], "Uncle Bob", id="longest first"),
        pytest.param(["", "🐶", "Bob"], "Bob", id="names that never match are passed over"),
        pytest.param(["Uncle Rex", "BOB", "bob"], "BOB", id="first configured among equals, as configured"),
    ],
)
def test_match_answers_the_longest_name_as_configured_when_there_are_several(
    names: list[str], expected: str | None
) -> None:
    assert match("Ride with Uncle Bob", names) == expected


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
