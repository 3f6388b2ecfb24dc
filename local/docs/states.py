"""`docs/states.md`: the states of each ledger's rows, and the steps between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from enum import StrEnum
from typing import Any

from include.state.activities import states as activity_state
from include.state.copies import states as copy_states
from include.state.erasures import entry as erasure
from include.state.transition import Transition
from local.docs.markdown import table

_HEAD = """# The states of the ledgers

Made by `make docs` from the tables in `include/state/`; change those, not this page. A row takes no other step.
"""

LEDGERS: Mapping[str, Sequence[Transition[Any]]] = {
    "activities": activity_state.TRANSITIONS,
    "copies": copy_states.TRANSITIONS,
    "erasures": erasure.TRANSITIONS,
}
"""The steps of each ledger, by its table."""


def render() -> str:
    """The page."""
    return "\n".join([_HEAD, *(_section(name, steps) for name, steps in LEDGERS.items())])


def _section(name: str, steps: Sequence[Transition[Any]]) -> str:
    lines = [(f"`{step.name}`", _sources(step.sources), f"`{step.target}`", step.when) for step in steps]
    return f"## `{name}`\n\n{table(('step', 'from', 'to', 'when'), lines)}\n".rstrip("\n") + "\n"


def _sources(states: Set[StrEnum]) -> str:
    every = set(type(next(iter(states))))
    if states == every:
        return "any"
    missing = every - states
    return f"any but {_named(missing)}" if len(missing) < len(states) else _named(states)


def _named(states: Iterable[StrEnum]) -> str:
    return ", ".join(f"`{state}`" for state in sorted(states))
