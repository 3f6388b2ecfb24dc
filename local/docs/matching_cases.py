"""The titles and names of the tests of matching, which `docs/matching.md` shows."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """A title, the names of one link, and the name that matches."""

    why: str
    title: str
    names: tuple[str, ...]
    matches: str | None


@dataclass(frozen=True, slots=True)
class Children:
    """A title, the names of several children, and which children match."""

    why: str
    title: str
    names: tuple[tuple[str, ...], ...]
    meant: tuple[bool, ...]


def _named(why: str, title: str, name: str) -> Case:
    return Case(why, title, (name,), name)


def _unnamed(why: str, title: str, name: str) -> Case:
    return Case(why, title, (name,), None)


CASES = (
    _named("word at the end", "Morning run with Rex", "Rex"),
    _named("word at the start", "Rex and I", "Rex"),
    _named("whole title, other case", "rex", "Rex"),
    _named("punctuation around", "(Rex), running!", "Rex"),
    _named("slash", "Rex/Anna", "Rex"),
    _named("plus sign", "Rex+Anna & co", "Anna"),
    _named("single quotes", "'Rex' and \"Anna\"", "Rex"),
    _named("underscore", "with_rex", "Rex"),
    _named("hashtag", "#rex", "Rex"),
    _named("full-width hashtag", "＃ｒｅｘ", "Rex"),
    _named("hashtags in a row", "run #rex#anna", "Anna"),
    _named("possessive", "Rex's first 10k", "Rex"),
    _named("possessive, typographic", "Rex’s first 10k", "Rex"),
    _named("possessive after s", "James' run", "James"),
    _named("Turkish suffix", "Don'la koşu", "Don"),
    _named("French elision", "Sortie d’Anna", "Anna"),
    _named("Italian article", "l'Anna corre", "Anna"),
    _named("apostrophe in the name", "Coffee with O’Brien", "O'Brien"),
    _named("en dash parts words", "Anna–Rex: 2–1", "Rex"),
    _named("hyphen between spaces", "Run - Rex - rain", "Rex"),
    _named("hyphenated name", "Anna-Lena rides", "Anna-Lena"),
    _named("non-breaking hyphen", "Anna\u2011Lena rides", "Anna-Lena"),
    _named("hyphenated name written apart", "Anna Lena rides", "Anna-Lena"),
    _named("name of two words, hyphenated", "walk with uncle-bob", "Uncle Bob"),
    _named("name of two words, wide space", "Uncle   Bob", "Uncle Bob"),
    _named("name of two words, hard space", "Uncle\u00a0Bob", "Uncle Bob"),
    _named("name of two words as one hashtag", "#UncleBob", "Uncle Bob"),
    _named("name of two words, underscore", "#uncle_bob", "Uncle Bob"),
    _named("candidates that overlap", "Xana ana ana", "ana ana"),
    _named("initials", "Run with J.R. today", "J.R."),
    _named("emoji attached", "Rex🐶 run", "Rex"),
    _named("joined and coloured emoji", "🏃‍♀️Rex🏃🏽", "Rex"),
    _named("stray variation selector", "Rex\ufe0f", "Rex"),
    _named("symbol that unfolds to letters", "Rex™ and co", "Rex"),
    _named("soft hyphen", "R\u00adex", "Rex"),
    _named("emoji in the name", "Run with Rex", "Rex 🐶"),
    _named("accent in the title", "Zoë läuft", "zoe"),
    _named("accent in the name", "zoe runs", "Zoë"),
    _named("decomposed", unicodedata.normalize("NFD", "Zoë"), "Zoë"),
    _named("Polish l", "ŁUKASZ I SØREN", "Lukasz"),
    _named("Danish o", "Łukasz i Søren", "Soren"),
    _named("Turkish dotless i", "IŞIK ve İPEK", "ışık"),
    _named("Turkish dotted i", "IŞIK ve İPEK", "ipek"),
    _named("sharp s", "WEISS", "Weiß"),
    _named("Greek final sigma", "ΝΊΚΟΣ τρέχει", "Νίκος"),
    _named("Cyrillic", "Прогулка с Петей и Алёной", "Аленой"),
    _named("Hebrew points", "ריצה עם רֶקְס", "רקס"),
    _named("Arabic hamza", "مع أحمد", "احمد"),
    _named("Devanagari", "मीरा के साथ दौड़", "मीरा"),
    _named("Han inside a sentence", "太郎と散歩", "太郎"),
    _named("Hiragana inside a sentence", "さくらと散歩", "さくら"),
    _named("Katakana before Hiragana", "レックスと走る", "レックス"),
    _named("half-width Katakana", "レックスと走る", "ﾚｯｸｽ"),
    _named("Latin before Hiragana", "Rexと散歩", "Rex"),
    _named("Chinese", "今天和小明跑步", "小明"),
    _named("Thai", "วิ่งกับสมชายวันนี้", "สมชาย"),
    _named("one character, alone", "海 と散歩", "海"),
    _named("Korean word", "렉스 산책", "렉스"),
    _named("dot in the name", "100% a.c (b)", "a.c"),
    _named("bracket in the name", "run with a[b", "a[b"),
    _named("digits", "run 42", "42"),
    _named("a name that is also a word, as the name", "Joy runs", "Joy"),
    _named("a name that is also a word, as the word: an alias helps", "Pure joy at the lake", "Joy"),
    _unnamed("a name inside the word that it also is", "Joyful miles", "Joy"),
    _named("a name that is also a month", "May half marathon", "May"),
    _named("emoji between two names", "Rex🐕Anna", "Anna"),
    _named("flag beside the name", "🇫🇷Zoé", "Zoe"),
    _named("keycap beside the name", "Rex 1️⃣0️⃣ km", "Rex"),
    _unnamed("start of a word", "Annual 10k", "Ann"),
    _unnamed("end of a word", "Joann", "Ann"),
    _unnamed("digit attached", "Rex2", "Rex"),
    _unnamed("longer hashtag", "#rexrun", "Rex"),
    _unnamed("first half of a hyphenated name", "Anna-Lena rides", "Anna"),
    _unnamed("second half of a hyphenated name", "Anna-Lena rides", "Lena"),
    _unnamed("hyphenated to another word", "with-Rex", "Rex"),
    _unnamed("compound", "Rex-run", "Rex"),
    _unnamed("English contraction", "Don't stop", "Don"),
    _unnamed("English contraction, typographic", "Don’t", "Don"),
    _unnamed("second half of an apostrophe name", "Coffee with O'Brien", "Brien"),
    _unnamed("apostrophe before", "Rock'n'Rex", "Rex"),
    _unnamed("long word after an apostrophe", "Rex'tastic", "Rex"),
    _unnamed("elision needs a word of its own", "mad'Anna", "Anna"),
    _unnamed("comma inside a name of two words", "Uncle, Bob", "Uncle Bob"),
    _unnamed("words the wrong way round", "Bob Uncle", "Uncle Bob"),
    _unnamed("joined without a hashtag", "unclebob", "Uncle Bob"),
    _unnamed("dot is no wildcard", "abc", "a.c"),
    _unnamed("only punctuation", "aaaa", ".*"),
    _unnamed("only emoji", "🐶 run", "🐶"),
    _unnamed("empty name", "run", ""),
    _unnamed("blank name", "run", "  "),
    _unnamed("empty title", "", "Rex"),
    _unnamed("other Devanagari vowel", "मारा गया", "मीरा"),
    _unnamed("cut before a Devanagari vowel", "मीरा", "मीर"),
    _unnamed("Japanese voicing mark", "か", "が"),
    _unnamed("Korean syllable inside another", "각", "가"),
    _unnamed("one character inside a word", "海外マラソン", "海"),
    _unnamed("one character at the end of a word", "上海マラソン", "海"),
    _unnamed("one character at the start of a later word", "昨日 海外マラソン", "海"),
    _unnamed("one voiced character inside a word", "がっこう", "が"),
    _unnamed("cut before a Thai vowel", "กกี่", "กก"),
    _unnamed("start of a Katakana word", "アンパンマン", "アン"),
    _unnamed("inflected form", "Rexin kanssa", "Rex"),
    Case("no names", "Ride with Uncle Bob", (), None),
    Case("longest first", "Ride with Uncle Bob", ("Bob", "Uncle Bob"), "Uncle Bob"),
    Case("longest first, and emoji do not count", "Ride with Anna and Bob", ("🐶🐶 Bob 🐶", "Anna"), "Anna"),
    Case("names that never match are passed over", "Ride with Uncle Bob", ("", "🐶", "Bob"), "Bob"),
    Case("first configured among equals, as configured", "Ride with Uncle Bob", ("Uncle Rex", "BOB", "bob"), "BOB"),
)
"""Every case of one link."""

CHILDREN = (
    Children(
        "two children share a first name: it alone means both", "Run with Anna", (("Anna",), ("Anna",)), (True, True)
    ),
    Children(
        "two children share a first name: full names part them",
        "Run with Anna Berg",
        (("Anna Berg",), ("Anna Holm",)),
        (True, False),
    ),
    Children(
        "two children share a first name: the plain one still means the child that is called so",
        "Run with Anna Berg",
        (("Anna Berg",), ("Anna",)),
        (True, True),
    ),
    Children(
        "two children share a first name: initials part them",
        "Anna B. was fast",
        (("Anna B.",), ("Anna H.",)),
        (True, False),
    ),
    Children(
        "two children share a first name: a hyphen parts them",
        "Anna-Lena rides",
        (("Anna",), ("Anna-Lena",)),
        (False, True),
    ),
    Children("several children named", "Mia and Rex at the lake", (("Rex",), ("Mia",), ("Ann",)), (True, True, False)),
)
"""Every case of several links."""
