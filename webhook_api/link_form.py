"""The form in which a parent says which names mean the child, and what its copies carry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from include.copying.matching import match
from include.state.links import Carried

MOST_NAMES = 10
LONGEST_NAME = 50
LONGEST_TRIM_M = 2000


@dataclass(frozen=True, slots=True)
class LinkForm:
    """Names and options, as entered and checked."""

    names: tuple[str, ...]
    carried: Carried

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> LinkForm | None:
        """What the fields say; None where a name could never be found in a title, or a number is none."""
        names = _names(fields.get("names", ""))
        trim_m = fields.get("trim_m", "").strip()
        if not names or not re.fullmatch(r"[0-9]{1,4}", trim_m) or int(trim_m) > LONGEST_TRIM_M:
            return None
        carried = Carried(
            heartrate="heartrate" in fields,
            power="power" in fields,
            temperature="temperature" in fields,
            trim_m=int(trim_m),
            allow_private="allow_private" in fields,
        )
        return cls(names, carried)


def _names(text: str) -> tuple[str, ...] | None:
    """The names in `text`, parted by commas or lines, each once; None unless all of them are of use."""
    names = dict.fromkeys(" ".join(part.split()) for part in re.split(r"[,\n]", text) if part.strip())
    of_use = all(len(name) <= LONGEST_NAME and name.isprintable() and match(name, [name]) for name in names)
    return tuple(names) if of_use and 0 < len(names) <= MOST_NAMES else None
