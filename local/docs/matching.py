"""`docs/matching.md`: which titles name which child, from the cases of the test."""

from __future__ import annotations

import unicodedata

from include.copying.matching import match
from local.docs.markdown import table
from local.docs.matching_cases import CASES, CHILDREN

_HEAD = """# Matching: which titles name a child

Made by `make docs` from `local/docs/matching_cases.py`, the test cases of `include/copying/matching.py`; the column
"matches" comes from running it. A name matches as whole words; case, accents and Unicode form do not matter. In doubt
there is no match: a missed copy is fixed by editing the title, a wrong one cannot be deleted.
Invisible characters are shown by their code points.
"""


def render() -> str:
    """The page."""
    cases = table(
        ("title", "names", "matches", "why"),
        [(_shown(case.title), _list(case.names), _shown(match(case.title, case.names)), case.why) for case in CASES],
    )
    children = table(
        ("title", "children", "is copied to", "why"),
        [
            (
                _shown(case.title),
                "; ".join(map(_list, case.names)),
                "; ".join(_list(names) for names in case.names if match(case.title, names)),
                case.why,
            )
            for case in CHILDREN
        ],
    )
    return f"{_HEAD}\n{cases}\n\n## Several children\n\n{children}\n"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(map(_shown, names)) or "(none)"


def _shown(text: str | None) -> str:
    """`text` as code, with invisible characters spelled out."""
    if text is None:
        return "no"
    fence = "``" if "`" in text else "`"
    emoji = any(unicodedata.category(character) == "So" for character in text)  # joined by invisible characters
    inner = text if emoji else "".join(map(_visible, text))
    return f"{fence}{inner}{fence}" if inner else "(empty)"


def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cf", "Zs") or character in "\ufe0f\u2011"
    return f"\\u{ord(character):04x}" if hidden and character != " " else character
