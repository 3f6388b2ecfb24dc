"""A requirement of OWASP's ASVS 4.0.3, the lines of ours that hold it, and the tests that fail without them."""

from __future__ import annotations

from dataclasses import dataclass

from local.proofs.mutants.mutation import Mutant


@dataclass(frozen=True, slots=True)
class Guard:
    """The lines that hold a requirement, and the one test that notices when they are gone."""

    path: str
    text: str
    """Exactly as it stands in the file, where it occurs once."""
    without: str
    """What stands there when the guard is taken out; the file is still a program."""
    test: str
    """Its file and its name, as pytest takes them."""

    def taken_out_of(self, source: str) -> Mutant:
        """The change that takes it out of its file. Errors: `ValueError` unless the file holds it exactly once."""
        found = source.count(self.text)
        if found != 1:
            raise ValueError(f"{self.path} holds this guard {found} times, where once is expected: {self.text}")
        before = source[: source.index(self.text)]
        start = len(before.encode())
        end = start + len(self.text.encode())
        return Mutant(self.path, before.count("\n") + 1, start, end, self.text, self.without)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement that the web edge holds."""

    number: str
    asks: str
    """What the standard asks for, in our own words."""
    does: str
    """What the system does for it."""
    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """A requirement that is held by how the system is built, so that no line of ours is its guard."""

    number: str
    asks: str
    holds: str
    """What holds it; another requirement by its number."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Requirements of level 2 that are not held, or not wholly, and the reason."""

    numbers: tuple[str, ...]
    asks: str
    stands: str
    """How things stand, and why."""


@dataclass(frozen=True, slots=True)
class Inapplicable:
    """Parts of the standard that ask for nothing here."""

    parts: tuple[str, ...]
    """Chapters, sections or single requirements."""
    reason: str
