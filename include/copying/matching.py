"""Decides whether an activity's title names a linked child."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_SPELLINGS = str.maketrans(
    dict.fromkeys("‘’ʼ`´′", "'")  # the apostrophes that keyboards and phones type
    | dict.fromkeys("\u2010\u2011", "-")  # hyphens; dashes are punctuation and part words
    | dict.fromkeys("_\u200b", " ")
)
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"})

# Accents of Latin, Greek and Cyrillic, Hebrew points, Arabic vowel signs and variation selectors say how, not what.
# Marks of other scripts (Indic and Thai vowels, the Japanese voicing mark) are letters in all but name and stay.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
    "\U000e0100-\U000e01ef]"
)
_KATAKANA = re.compile("[\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff]")
_UNSPACED = re.compile(  # Thai, Lao, Myanmar, Khmer, Hiragana, Bopomofo, Han
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u309f\u3005-\u3007\u3100-\u312f\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)
_SUFFIX = re.compile(r"'(?!t(?!\w))\w{1,3}(?!\w)")
_ELISION = re.compile(r"(?<!\w)[dl]'$")


def match(title: str, names: Sequence[str]) -> str | None:
    """The first of `names`, longest first, that occurs in `title` as whole words; returned as configured.

    Case, accents and Unicode form do not matter, nor whether a space or a hyphen separates the words of a name.
    In doubt there is no match: a missed copy is one edit of the title away, a wrong one cannot be deleted.

    ======================  =======================  ==================================================
    name                    matches                  does not match
    ======================  =======================  ==================================================
    Rex                     #rex, Rex!, (Rex), Rex🐶   Rexona, rex2, #rexrun
    Rex                     Rex's, Rex’s, with_rex   with-Rex, Rex-run: a hyphen makes one word of two
    Anna                    d'Anna, Anna–Lena        Anna-Lena, O'Anna
    Don                     Don'la                   Don't
    Uncle Bob, Anna-Lena    Uncle-Bob, Anna Lena,    Uncle, Bob
                            #UncleBob
    太郎                      太郎と散歩                    one character alone (海 in 海外)
    アン                      アンと散歩                    アンパンマン: Katakana words end with the script
    only emoji, or empty                             anything
    ======================  =======================  ==================================================

    Scripts written without spaces match inside a run of their own script, at least two characters long.
    Inflected forms ("Rexin kanssa", "렉스와") are aliases of their own.
    """
    heard = _normalise(title)
    wanted = [(_words(_normalise(name)), name) for name in names]
    for words, name in sorted(wanted, key=lambda pair: -sum(map(len, pair[0]))):
        if words and _names(heard, words):
            return name
    return None


def same_name(name: str, other: str) -> bool:
    """Whether the same titles name the child by either."""
    return _words(_normalise(name)) == _words(_normalise(other))


def _normalise(text: str) -> str:
    """`text` without case, accents, symbols and invisible characters; a space between words, a hyphen within one."""
    parted = "".join(_parted(character) for character in text.translate(_SPELLINGS))
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", parted).casefold())
    plain = _ACCENTS.sub("", folded).translate(_LETTERS)
    return re.sub("[ -]{2,}", " ", " ".join(unicodedata.normalize("NFC", plain).split()))


def _parted(character: str) -> str:
    """A space for a symbol, before NFKD can turn it into letters (™), and nothing for an invisible character."""
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category[0] == "S" else character


def _words(name: str) -> list[str]:
    """The words of a normalised name, without the punctuation around it; none where it has no letter or digit."""
    inner = [position for position, character in enumerate(name) if _in_word(character)]
    return re.split("[ -]", name[inner[0] : inner[-1] + 1]) if inner else []


def _names(title: str, words: Sequence[str]) -> bool:
    spelled = "[ -]".join(map(re.escape, words))
    if len(words) > 1:
        spelled += "|(?<=#)" + re.escape("".join(words))
    # The lookahead lets candidates overlap: the second of "ana ana" in "Xana ana ana" counts too.
    candidates = (found.span(1) for found in re.finditer(f"(?=({spelled}))", title))
    return any(_starts_word(title, start, end) and _ends_word(title, start, end) for start, end in candidates)


def _starts_word(title: str, start: int, end: int) -> bool:
    if start == 0:
        return True
    before = title[start - 1]
    if before in "-'":
        return not _in_word(title[start - 2 : start - 1]) or bool(_ELISION.search(title[max(start - 3, 0) : start]))
    return not _one_word(before, title[start], alone=end - start == 1)


def _ends_word(title: str, start: int, end: int) -> bool:
    if end == len(title):
        return True
    after = title[end]
    if after in "-'":
        return not _in_word(title[end + 1 : end + 2]) or bool(_SUFFIX.match(title, end))
    return not _one_word(title[end - 1], after, alone=end - start == 1)


def _one_word(left: str, right: str, *, alone: bool) -> bool:
    """Whether two neighbours belong to one word; `alone` asks the same of scripts written without spaces."""
    if unicodedata.category(right)[0] == "M":
        return True
    if not (_in_word(left) and _in_word(right)):
        return False
    if _script(left) is not _script(right):
        return False
    return alone or _script(left) is not _UNSPACED


def _script(character: str) -> re.Pattern[str] | None:
    """The pattern of the unspaced script to which `character` belongs; None for all spaced scripts."""
    return next((script for script in (_KATAKANA, _UNSPACED) if script.match(character)), None)


def _in_word(character: str) -> bool:
    return character != "" and unicodedata.category(character)[0] in "LMN"
